/**
 * The distinct failures of a run, each by its fingerprint, and what became of one that an earlier run had.
 * What nightly issues and comparisons rest on. Pure.
 */
import { allWaived, waiverSentence } from './groups.ts'
import type { CheckResult, Result } from './result.ts'

export interface Failure {
  /** `check/invariant/stream-kind/fault/hop`; `audit/<row>` for a row that no run, but reading the files made red. */
  fingerprint: string
  /** Its scenario, or `audit`. */
  scenario: string
  check: string
  title: string
  severity: CheckResult['severity']
  because: string
  evidence: string[]
  rows: string[]
  /** One command that repeats it; empty where there is none. */
  reproduce: string
  /** The ledger has it: why, and upstream's report of it. */
  known: { why: string; issue: string | null } | null
  /** Its owner lets all of its rows be for a time: the sentence that says so. */
  waived: string | null
}

/** What a run says of a failure that an earlier run had. */
export type Seen = 'failed' | 'passed' | 'not-judged'

/** In place of a scenario, where a user's files were read. */
export const auditScenario = 'audit'

const severities = ['critical', 'high', 'medium'] as const

/** Each failure once, the severest first; what is known of the version after what is not, and what is waived last. */
export function failuresOf(result: Result): Failure[] {
  const found = new Map<string, Failure>()
  for (const failure of [...failedChecks(result), ...failedAudits(result)]) {
    const key = failureKey(failure)
    if (!found.has(key)) found.set(key, failure)
  }
  const rank = (failure: Failure) => (failure.waived === null ? 0 : 20) + (failure.known ? 10 : 0) + severities.indexOf(failure.severity)
  return [...found.values()].toSorted((a, b) => rank(a) - rank(b) || failureKey(a).localeCompare(failureKey(b)))
}

/** `fingerprint of scenario`, as the terminal and the ledger name it. */
export function failureKey({ fingerprint, scenario }: Pick<Failure, 'fingerprint' | 'scenario'>): string {
  return `${fingerprint} of ${scenario}`
}

function failedChecks(result: Result): Failure[] {
  return result.scenarios.flatMap((scenario) =>
    scenario.checks
      .filter((check) => check.verdict === 'fail')
      .map((check) => {
        const fingerprint = fingerprintOf(check)
        const entry = result.expectedFailures.find((one) => one.scenario === scenario.id && one.fingerprint === fingerprint && one.state === 'failed')
        return {
          fingerprint,
          scenario: scenario.id,
          check: check.id,
          title: check.title ?? check.id,
          severity: check.severity,
          because: check.because,
          evidence: check.evidence,
          rows: check.rows,
          reproduce: reproduceOf(result, check),
          known: entry ? { why: entry.why, issue: entry.issue } : null,
          waived: waiverOf(result, check.rows),
        }
      }),
  )
}

/** Every failed check has one; a result of another's making might not. */
export function fingerprintOf({ id, fingerprint }: CheckResult): string {
  return fingerprint || `${id}/no-fingerprint`
}

function reproduceOf({ checklist }: Result, check: CheckResult): string {
  return checklist.find((row) => row.verdict === 'fail' && row.reproduce !== '' && check.rows.includes(row.id))?.reproduce ?? ''
}

function waiverOf(result: Result, rows: readonly string[]): string | null {
  const [row] = allWaived(result, rows)
  return row === undefined ? null : waiverSentence(row, result)
}

/** Rows that are red though no check of theirs is: the user's files were read. */
function failedAudits(result: Result): Failure[] {
  const red = new Set(result.scenarios.flatMap(({ checks }) => checks.filter((check) => check.verdict === 'fail').flatMap((check) => check.rows)))
  return result.checklist
    .filter((row) => row.verdict === 'fail' && !red.has(row.id))
    .map((row) => ({
      fingerprint: `${auditScenario}/${row.id}`,
      scenario: auditScenario,
      check: row.id,
      title: row.title,
      severity: row.severity,
      because: row.because,
      evidence: placesOf(result, row.id),
      rows: [row.id],
      reproduce: row.reproduce,
      known: null,
      waived: waiverOf(result, [row.id]),
    }))
}

function placesOf({ findings = [] }: Result, row: string): string[] {
  return findings.filter(({ rule }) => rule === row).map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
}

/**
 * Whether a failure of an earlier run is there again. It passed only if its scenario ran and every check of
 * that name passed, as for the ledger's `mended`; a run that did not look says nothing.
 */
export function seenAgain(result: Result, { scenario, fingerprint }: Pick<Failure, 'scenario' | 'fingerprint'>): Seen {
  const [id = '', row = ''] = fingerprint.split('/')
  if (scenario === auditScenario) return seenInRow(result, row)
  const checks = result.scenarios.find((one) => one.id === scenario)?.checks.filter((check) => check.id === id) ?? []
  if (checks.some((check) => check.verdict === 'fail' && fingerprintOf(check) === fingerprint)) return 'failed'
  return checks.length > 0 && checks.every((check) => check.verdict === 'pass') ? 'passed' : 'not-judged'
}

function seenInRow(result: Result, id: string): Seen {
  const row = result.checklist.find((one) => one.id === id)
  if (row?.verdict === 'pass') return 'passed'
  return failedAudits(result).some(({ check }) => check === id) ? 'failed' : 'not-judged'
}
