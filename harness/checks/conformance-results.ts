/**
 * What the checks of conformance share: how each test ended, by each way. A test that failed was
 * run again, and:
 * - failed in each try: it fails;
 * - passed in one: it is unstable. That is no pass, for a server that is right only
 *   sometimes is not right; and no failure of the server's, for a few tries cannot tell it from a
 *   host that was too busy for a test about one second. It is `unknown`, by its name.
 * Some tests fail by chance behind any cache: the suite takes what one request is answered for the whole
 * stream, and an answer that the origin gave while it was written to may be a part, and be kept.
 */
import type { ConformanceTest, HistoryEvent } from '../history.ts'
import { suiteName } from '../conformance/suite-plan.ts'
import { evidenceMax } from '../verdict.ts'

export interface SuiteLimits {
  /** How many tests the suite holds; a run of another number proves nothing. */
  tests: number
}

export type Outcome = 'passed' | 'failed' | 'unstable' | 'skipped'

export interface TestResult {
  outcome: Outcome
  /** Of the last failure. */
  error: string
}

/** By its full name, how each test ended; and what kept the suite from its end. */
export interface SuiteRun {
  results: Map<string, TestResult>
  shortfall: string | null
}

export const emptyRun = (): SuiteRun => ({ results: new Map(), shortfall: null })

/** Takes what this event says of the suite by this way, on this subject where there are several. */
export function follow(run: SuiteRun, via: string, event: HistoryEvent, subject?: string): void {
  if (event.kind === 'shortfall' && event.what === suiteName({ via, subject })) run.shortfall = event.because
  if (event.kind === 'conformance' && event.via === via && event.subject === subject) run.results.set(event.test, resultOf(event, run.results.get(event.test)))
}

function resultOf({ state, attempt, error }: ConformanceTest, before: TestResult | undefined): TestResult {
  if (attempt > 1 && state === 'passed') return { outcome: 'unstable', error: before?.error ?? '' }
  return { outcome: state, error: error ?? '' }
}

/** Why this run proves nothing; null for a whole one. */
export function doubtOf({ results, shortfall }: SuiteRun, { tests }: SuiteLimits, where: string): string | null {
  if (shortfall !== null) return `The suite was not run to its end ${where}: ${shortfall}`
  if (results.size !== tests) return `${results.size} tests of the suite were run ${where}; it holds ${tests}.`
  return null
}

/** The names of the tests that ended like this. */
export function testsWith({ results }: SuiteRun, outcome: Outcome): string[] {
  return [...results].filter(([, result]) => result.outcome === outcome).map(([test]) => test)
}

/** Each test in a line while there is room; the last line names all others. */
export function listed(tests: string[], line: (test: string) => string): string[] {
  if (tests.length <= evidenceMax) return tests.map(line)
  const shown = tests.slice(0, evidenceMax - 1)
  return [...shown.map(line), `and ${tests.slice(shown.length).join('; ')}`]
}

/** The groups of the suite that these tests stand in, for a fingerprint: 'ttl-expiration-behavior'. */
export function groupsOf(tests: string[]): string {
  const groups = new Set(tests.map((test) => test.split(' > ')[0]!.toLowerCase().replaceAll(/[^a-z]+/g, '-').replaceAll(/^-|-$/g, '')))
  return groups.size > 3 ? 'many-groups' : [...groups].toSorted().join('+')
}
