/**
 * Failures that are known of a server version: they tell a new failure from an old one, and say when
 * one is mended. An entry never turns anything green: what failed stays red, and keeps its weight. Pure.
 */
import type { Result, ScenarioResult } from './report/result.ts'

export interface ExpectedFailure {
  scenario: string
  /** `check/invariant/stream-kind/fault/hop`, as the failed check says it. */
  fingerprint: string
  origin: 'production' | 'reference'
  /** The server versions it was seen in, as the server says them; `devel` is an unreleased build. */
  versions: string[]
  /** Upstream's report of it; null where none is known. */
  issue: string | null
  why: string
}

type Known = Result['expectedFailures'][number]

/** Whose failures they are. Of a program that is broken on purpose, a planted twin, none is known. */
type Judged = Pick<Result['subject'], 'kind' | 'version'> & { twins: readonly string[] }

/**
 * What became of each entry that is about this subject: it `failed` as expected, it was `mended` (its
 * scenario ran, and every check of that name passed), or it was `not-judged`.
 */
export function expectedFailuresOf(
  ledger: readonly ExpectedFailure[],
  { kind, version, twins }: Judged,
  scenarios: readonly ScenarioResult[],
): Known[] {
  if (twins.length > 0) return []
  const about = ledger.filter((entry) => entry.origin === kind && entry.versions.includes(version))
  return about.map((entry) => ({ scenario: entry.scenario, fingerprint: entry.fingerprint, issue: entry.issue, why: entry.why, state: stateOf(entry, scenarios) }))
}

function stateOf({ scenario, fingerprint }: ExpectedFailure, scenarios: readonly ScenarioResult[]): Known['state'] {
  const id = fingerprint.split('/')[0]!
  const checks = scenarios.find((one) => one.id === scenario)?.checks.filter((check) => check.id === id) ?? []
  if (checks.some((check) => check.fingerprint === fingerprint)) return 'failed'
  return checks.length > 0 && checks.every((check) => check.verdict === 'pass') ? 'mended' : 'not-judged'
}

/** Loud, for each entry that can go. */
export function mendedBanners(known: readonly Known[]): string[] {
  return known
    .filter(({ state }) => state === 'mended')
    .map(({ fingerprint, scenario }) => `FIXED UPSTREAM: ${fingerprint} of ${scenario} passed; remove its entry from harness/expected-failures-ledger.ts.`)
}
