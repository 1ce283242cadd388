/**
 * What several runs of the same scenarios say together: how often each scenario and each check ended
 * how. Timings differ from run to run; a verdict that does is what one looks for. Pure.
 */
import { exitCodes } from '../errors.ts'
import type { VerdictKind } from '../verdict.ts'
import { duration, plural } from './figures.ts'
import { neutralise } from './neutralise.ts'
import type { Result } from './result.ts'

export type Counts = Record<VerdictKind, number>

export interface Repeated {
  /** A scenario's id, or a scenario's and a check's: `restart-keeps-data/order-is-kept`. */
  id: string
  counts: Counts
  /** Of the first run in which it did not pass. */
  because?: string
  runId?: string
}

export interface Repetitions {
  runs: { runId: string; seed: number; verdict: Result['verdict']; exitCode: number; durationMs: number }[]
  scenarios: Repeated[]
  /** Only those that did not end the same way in every run. */
  unstable: Repeated[]
  /** The worst of the runs' own codes: not ready before unknown before ready; an interruption before all. */
  exitCode: number
}

/** Counts the verdicts of runs in the order in which they were made. */
export function repetitionsOf(results: readonly Result[]): Repetitions {
  const scenarios = new Map<string, Repeated>()
  const checks = new Map<string, Repeated>()
  for (const { runId, scenarios: ended } of results) {
    for (const scenario of ended) {
      count(scenarios, scenario.id, scenario, runId)
      for (const check of scenario.checks) count(checks, `${scenario.id}/${check.id}`, check, runId)
    }
  }
  return {
    runs: results.map(({ runId, seed, verdict, exitCode, durationMs }) => ({ runId, seed, verdict, exitCode, durationMs })),
    scenarios: [...scenarios.values()],
    unstable: [...checks.values()].filter(({ counts }) => Object.values(counts).filter((n) => n > 0).length > 1),
    exitCode: worstCode(results.map(({ exitCode }) => exitCode)),
  }
}

/** The scenarios of a result that did not pass: what `--last-failed` runs again. */
export function failedScenarios(result: Pick<Result, 'scenarios'>): string[] {
  return result.scenarios.filter(({ verdict }) => verdict === 'fail' || verdict === 'unknown').map(({ id }) => id)
}

/** A line for one run, while more are to come. */
export function repetitionLine(result: Result, nth: number, of: number): string {
  const bad = failedScenarios(result)
  const what = bad.length === 0 ? 'every scenario passed' : bad.join(', ')
  return neutralise(`Run ${nth} of ${of}, seed ${result.seed}, ${duration(result.durationMs)}: ${what}`)
}

/** The table at the end. Lines without a break at their end. */
export function repetitionTable({ runs, scenarios, unstable }: Repetitions): string[] {
  const wide = Math.max(8, ...scenarios.map(({ id }) => id.length))
  const row = (id: string, counts: readonly string[]) => `${id.padEnd(wide)} ${counts.map((text) => text.padStart(8)).join('')}`
  return [
    '',
    `${plural(runs.length, 'run')}: how often each scenario ended how`,
    row('', ['pass', 'fail', 'unknown', 'n/a']),
    ...scenarios.map(({ id, counts }) => row(id, kinds.map((kind) => (counts[kind] === 0 ? '·' : String(counts[kind]))))),
    '',
    ...(unstable.length === 0 ? ['Every check ended the same way in every run.'] : ['Not the same in every run:', ...unstable.map(unstableLine)]),
  ].map(neutralise)
}

const kinds = ['pass', 'fail', 'unknown', 'not-applicable'] as const

function count(counted: Map<string, Repeated>, id: string, { verdict, because }: { verdict: VerdictKind; because: string }, runId: string): void {
  const found = counted.get(id) ?? { id, counts: { pass: 0, fail: 0, unknown: 0, 'not-applicable': 0 } }
  found.counts[verdict] += 1
  if ((verdict === 'fail' || verdict === 'unknown') && found.because === undefined) Object.assign(found, { because, runId })
  counted.set(id, found)
}

function unstableLine({ id, counts, because, runId }: Repeated): string {
  const ended = kinds.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind]} ${kind}`).join(', ')
  return `  ${id}: ${ended}${because === undefined ? '' : `; first in ${runId}: ${because}`}`
}

/** What a run that came to its end ends with, the worst first. */
export const verdictCodes: readonly number[] = [exitCodes.notReady, exitCodes.unknown, exitCodes.ready]

/** What the machinery of a run ended with comes before its verdicts; 1 before 2 before 0. */
export function worstCode(codes: readonly number[]): number {
  return codes.find((code) => !verdictCodes.includes(code)) ?? verdictCodes.find((code) => codes.includes(code)) ?? exitCodes.unknown
}
