/** What the rules found, as parts of rows. Pure. */
import type { RowId } from '../checklist.ts'
import type { AuditPart } from '../conclude.ts'
import { sortFindings, type Finding } from './finding.ts'
import type { Judged } from './rule.ts'

/** What the application's source was found to be; the file notes count for every rule. */
export interface SourceAudit {
  judged: Judged[]
  /** Of files that could not be read or parsed; none is an error. */
  notes: Finding[]
  /** How many files were judged. */
  files: number
  globs: string[]
}

/** What a configuration was found to be. */
export interface ConfigAudit {
  /** 'Caddyfile', 'VCL'. */
  word: string
  judged: Judged[]
  /** One command that repeats it. */
  reproduce: string
}

export function findingsOf({ judged, notes = [] }: { judged: readonly Judged[]; notes?: readonly Finding[] }): Finding[] {
  return sortFindings([...notes, ...judged.flatMap(({ outcome }) => outcome.findings)])
}

/** Without source each of its rules has no input. */
export function unreadParts(rows: readonly RowId[]): AuditPart[] {
  return rows.map((row) => ({ row, verdict: 'not-applicable', because: 'Your source was not given (--app), so nothing in it was looked at.', missing: 'app' }))
}

export function sourceParts(audit: SourceAudit): AuditPart[] {
  return audit.judged.map((judged) => sourcePart(judged, audit))
}

function sourcePart({ row, things, outcome }: Judged, { notes, files, globs }: SourceAudit): AuditPart {
  const { examined, findings } = outcome
  const reproduce = `npm run audit -- ${globs.map((glob) => `'${glob}'`).join(' ')}`
  const seen = `${count(examined, things)} in ${count(files, ['file', 'files'])}`
  const notRight = notRightBy([...findings, ...notes], 'Your source', ` (${seen})`)
  if (notRight) return { row, ...notRight, reproduce }
  if (examined === 0) return { row, verdict: 'not-applicable', because: `Your source has no ${things[0]} (${count(files, ['file', 'files'])} were read).`, reproduce }
  return { row, verdict: 'pass', because: `Your source keeps the rule: ${seen}.`, reproduce }
}

/**
 * A configuration runs: only that makes a row green, so its text is a part of a row where it is wrong, or
 * leaves something open. What yields to a measurement is a part of its own.
 */
export function configParts(audit: ConfigAudit): AuditPart[] {
  return audit.judged.flatMap(({ row, outcome: { findings } }) => {
    const yielding = findings.filter((one) => one.yieldsToMeasurement)
    const firm = findings.filter((one) => !one.yieldsToMeasurement)
    return [
      ...configPart(row, firm, audit),
      ...configPart(row, yielding, audit).map((part): AuditPart => ({ ...part, yieldsToMeasurement: true })),
    ]
  })
}

function configPart(row: RowId, findings: readonly Finding[], { word, reproduce }: ConfigAudit): AuditPart[] {
  const notRight = notRightBy(findings, `The ${word}`)
  return notRight ? [{ row, ...notRight, reproduce }] : []
}

/** What is wrong, or else what is left open; null where there is neither. `seen` says how much was looked at. */
function notRightBy(findings: readonly Finding[], who: string, seen = ''): Pick<AuditPart, 'verdict' | 'because' | 'fix'> | null {
  const errors = findings.filter((one) => one.severity === 'error')
  if (errors.length > 0) return { verdict: 'fail', because: `${who} breaks the rule at ${count(errors.length, places)}${seen}, first at ${told(errors[0]!)}`, fix: errors[0]!.fix }
  const open = findings.filter((one) => one.undecided)
  if (open.length > 0) return { verdict: 'unknown', because: `${who} leaves ${count(open.length, places)} for you to judge${seen}, first ${told(open[0]!)}`, fix: open[0]!.fix }
  return null
}

const places = ['place', 'places'] as const

function told({ file, line, column, message }: Finding): string {
  return `${file}:${line}:${column}: ${message}`
}

function count(n: number, [one, several]: readonly [string, string]): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : several}`
}
