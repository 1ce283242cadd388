/** What an audit says of one place in the user's files. */
import type { RowId } from '../checklist.ts'

/**
 * `error`: certainly against the rule, its row fails. `warning`: likely, and a person has to judge.
 * `note`: worth knowing, or what the source alone does not tell.
 */
export const severities = ['error', 'warning', 'note'] as const
export type FindingSeverity = (typeof severities)[number]

/** `source` is of a file that could not be read or parsed, whatever the rule. */
export type RuleId = RowId | 'source'

export interface Finding {
  rule: RuleId
  severity: FindingSeverity
  /** As the user would name it: relative to where the command runs, with forward slashes. */
  file: string
  /** From 1. */
  line: number
  /** From 1, in UTF-16 units, as editors and SARIF count. */
  column: number
  /** What is wrong and what it leads to, in a sentence or two. */
  message: string
  fix: string
  /** The rule could not be decided here: its row is not green before a person has looked. */
  undecided?: true | undefined
  /** It is of a file whose behaviour runs measure as well: where the row was measured green, this decides nothing. */
  yieldsToMeasurement?: true | undefined
}

export interface Place {
  file: string
  line: number
  column: number
}

/** What one rule made of all it looked at. */
export interface RuleOutcome {
  /** How many things of its kind there were: creates, live reads, producers. */
  examined: number
  findings: Finding[]
}

/** The same place and words once, in the order of files and lines. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const once = new Map(findings.map((finding) => [JSON.stringify(finding), finding]))
  return [...once.values()].toSorted(
    (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.rule, b.rule),
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
