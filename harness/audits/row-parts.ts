/** What the rules found, as parts of rows. Pure. */
import type { AuditPart } from '../conclude.ts'
import { sortFindings, type Finding, type RuleOutcome } from './finding.ts'
import { sourceRules, type SourceRule } from './source-rule.ts'

/** What the source was found to be; the file notes count for every rule. */
export interface SourceAudit {
  outcomes: ReadonlyMap<SourceRule, RuleOutcome>
  /** Of files that could not be read or parsed. */
  notes: Finding[]
  /** How many files were judged. */
  files: number
  globs: string[]
}

export function findingsOf({ notes, outcomes }: SourceAudit): Finding[] {
  return sortFindings([...notes, ...[...outcomes.values()].flatMap((outcome) => outcome.findings)])
}

const things: Record<SourceRule, [one: string, several: string]> = {
  'server-production': ['source file', 'source files'],
  https: ['address of a stream', 'addresses of streams'],
  'lifecycle-set': ['create', 'creates'],
  'lifecycle-one': ['create with a lifetime', 'creates with a lifetime'],
  'cdn-urls': ['read', 'reads'],
  'client-errors': ['live read', 'live reads'],
  producers: ['producer', 'producers'],
}

/** Without source each of its rules has no input. */
export function unreadParts(): AuditPart[] {
  return sourceRules.map((row) => ({ row, verdict: 'not-applicable', because: 'Your source was not given (--app), so nothing in it was looked at.', missing: 'app' }))
}

export function sourceParts(audit: SourceAudit): AuditPart[] {
  return sourceRules.map((row) => partOf(row, audit.outcomes.get(row)!, audit))
}

function partOf(row: SourceRule, { examined, findings }: RuleOutcome, { notes, files, globs }: SourceAudit): AuditPart {
  const reproduce = `npm run audit -- ${globs.map((glob) => `'${glob}'`).join(' ')}`
  const seen = `${count(examined, things[row])} in ${count(files, ['file', 'files'])}`
  const errors = findings.filter((one) => one.severity === 'error')
  if (errors.length > 0) return { row, verdict: 'fail', because: `Your source breaks the rule at ${count(errors.length, ['place', 'places'])} (${seen}), first at ${told(errors[0]!)}`, fix: errors[0]!.fix, reproduce }
  const open = [...findings, ...notes].filter((one) => one.undecided)
  if (open.length > 0) return { row, verdict: 'unknown', because: `Your source leaves ${count(open.length, ['place', 'places'])} for you to judge (${seen}), first ${told(open[0]!)}`, fix: open[0]!.fix, reproduce }
  if (examined === 0) return { row, verdict: 'not-applicable', because: `Your source has no ${things[row][0]} (${count(files, ['file', 'files'])} were read).`, reproduce }
  return { row, verdict: 'pass', because: `Your source keeps the rule: ${seen}.`, reproduce }
}

function told({ file, line, column, message }: Finding): string {
  return `${file}:${line}:${column}: ${message}`
}

function count(n: number, [one, several]: readonly [string, string]): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : several}`
}
