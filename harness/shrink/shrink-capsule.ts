/**
 * From a capsule to the smallest scenario that still fails in the same way: first whether it fails at all, and
 * how often; then, where it is a schedule on paths, the moves of one path; then everything else. What is best
 * so far is written as a file each time, so that nothing is lost when time, or the run, is over.
 */
import type { CheckSpec } from '../check-spec.ts'
import { monotonicMs } from '../clock.ts'
import type { Capsule } from '../incident/capsule.ts'
import type { Scenario } from '../scenario.ts'
import { pathsOf, type Move } from '../schedule/moves.ts'
import { shrink } from '../schedule/shrink.ts'
import type { Schedule } from '../steps/schedule.ts'
import { hasShown, type Bench, type Trial } from './bench.ts'
import { concrete } from './concrete.ts'
import { familiesFor, stepsIn } from './reductions.ts'
import { shrinkScenario } from './search.ts'

/** How often something failed. */
export interface Rate {
  failed: number
  of: number
}

export interface Shrunk {
  scenario: Scenario
  stepsBefore: number
  steps: number
  /** Of the whole scenario, at the beginning. */
  rateBefore: Rate
  /** Of the shrunk one, at the end; null where time was over before. */
  rate: Rate | null
  /** What its check said. */
  because: string
  trials: number
  tookMs: number
  /** Nothing more can go: the search came to its end. */
  isWhole: boolean
}

export interface ShrinkOptions {
  bench: Bench
  capsule: Capsule
  budgetMs: number
  /** Told of each smaller one. */
  onBetter(shrunk: Shrunk): Promise<void>
  say(line: string): void
}

const firstRuns = 3
/** Of one that fails seldom. */
const firstRoundsMax = 4
const lastRuns = 3
const timesMax = 8
const candidatesOfPathsMax = 12
/** Of the budget, for looking. What is left is for seeing the answer fail again. */
const searchShare = 0.85
/** One that takes so much longer than the smallest so far has shown nothing. */
const slowerMax = 2
const spareMs = 10_000
const timeoutMsMin = 30_000

/** Null where the failure could not be seen again, so that there is nothing to make smaller. */
export async function shrinkCapsule(options: ShrinkOptions): Promise<Shrunk | null> {
  const { bench, capsule, say } = options
  const beganAtMs = monotonicMs()
  const tookMs = () => monotonicMs() - beganAtMs
  const isOver = () => bench.options.signal.aborted || tookMs() > options.budgetMs * searchShare
  const whole = concrete(capsule.scenario, shrunkId(capsule.scenario.id), capsule.sizes, capsule.seed)
  const first = await failsAtAll(bench, whole, isOver)
  if (first.trial === null) return null
  const stepsBefore = stepsIn(whole)
  say(`${stepsBefore} steps fail in ${first.rate.failed} of ${first.rate.of} runs: ${first.trial.failed!.because}`)
  const state: Shrunk & Pace = { usualMs: first.trial.tookMs, scenario: onlyWhatFailed(whole, first.trial), stepsBefore, steps: stepsBefore, rateBefore: first.rate, rate: null, because: first.trial.failed!.because, trials: 0, tookMs: 0, isWhole: false }
  const trail = [state.scenario]
  const take = async (scenario: Scenario) => {
    trail.push(scenario)
    Object.assign(state, { scenario, steps: stepsIn(scenario), trials: bench.trials, tookMs: tookMs() })
    say(`${state.steps} steps still fail (trial ${bench.trials})`)
    await options.onBetter(state)
  }
  await options.onBetter(state)
  const times = timesFor(first.rate)
  const { scenario: onAllPaths } = state
  const onePath = await onOnePath(state.scenario, { bench, isOver, say, onBetter: take })
  // The check as a whole may see more in it, or less, than what it was found by.
  if (onePath !== null && (await stillFails(bench, [onePath], times, state))[0] === false) {
    trail.length = 1
    await take(onAllPaths)
  }
  await shrinkScenario(state.scenario, {
    families: familiesFor({ ...capsule.failure, evidence: first.trial.failed!.evidence }),
    candidatesMax: bench.beside,
    isOver,
    onBetter: take,
    fail: (candidates) => stillFails(bench, candidates, times, state),
  })
  Object.assign(state, { isWhole: !isOver(), trials: bench.trials, tookMs: tookMs() })
  const isTooLate = () => bench.options.signal.aborted || tookMs() > options.budgetMs
  const confirmed = await confirm(bench, trail, first.rate, isTooLate)
  if (confirmed) Object.assign(state, { scenario: confirmed.scenario, steps: stepsIn(confirmed.scenario), rate: confirmed.rate, trials: bench.trials, tookMs: tookMs() })
  await options.onBetter(state)
  const { usualMs: _pace, ...shrunk } = state
  return shrunk
}

function shrunkId(id: string): string {
  return id.endsWith('-shrunk') ? id : `${id}-shrunk`
}

/** As often as it takes to see it once, with timings that are moved from the second round on. */
async function failsAtAll(bench: Bench, scenario: Scenario, isOver: () => boolean): Promise<{ trial: Trial | null; rate: Rate }> {
  const rate: Rate = { failed: 0, of: 0 }
  let seen: Trial | null = null
  for (let round = 1; round <= firstRoundsMax && seen === null && !isOver(); round += 1) {
    const trials = (await bench.all(Array.from({ length: firstRuns }, () => ({ scenario, nth: round })))).filter(hasShown)
    rate.of += trials.length
    rate.failed += trials.filter(({ failed }) => failed !== null).length
    seen = trials.find(({ failed }) => failed !== null) ?? null
  }
  return { trial: seen, rate }
}

/** Only the checks that failed as they were to are asked, for their rows. */
function onlyWhatFailed(scenario: Scenario, { failedAt }: Trial): Scenario {
  const checks = failedAt.map((index) => scenario.checks[index]!)
  const rows = new Set(checks.flatMap((spec) => spec.rows ?? scenario.proves))
  return { ...scenario, checks, proves: scenario.proves.filter((row) => rows.has(row)) }
}

/** So often that one which fails as often as the whole is missed once in twenty times. */
function timesFor({ failed, of }: Rate): number {
  if (failed === of) return 1
  return Math.min(timesMax, Math.ceil(Math.log(0.05) / Math.log(1 - failed / of)))
}

/** Of each whether it fails; null where another one was found to fail before that was known. */
async function stillFails(bench: Bench, scenarios: Scenario[], times: number, state: Shrunk & Pace): Promise<(boolean | null)[]> {
  const shown = await bench.untilOneFails(scenarios.map((one) => hurried(one, state)), times)
  // The first is the one that is taken.
  const taken = shown.find((one) => typeof one === 'object')
  if (taken) Object.assign(state, { because: taken.failed!.because, usualMs: taken.tookMs })
  return shown.map((one) => (one === 'not-told' ? null : one !== 'nothing'))
}

interface Pace {
  /** What the smallest so far took. */
  usualMs: number
}

/** With a time limit from what is smallest so far: a candidate that hangs costs no more. */
function hurried(scenario: Scenario, { usualMs }: Pace): Scenario {
  const limitMs = Math.round(usualMs * slowerMax + spareMs)
  const { quick, full } = scenario.timeoutMs
  return { ...scenario, timeoutMs: { quick: Math.min(quick, limitMs), full: Math.min(full, limitMs) } }
}

interface PathSearch {
  bench: Bench
  isOver(): boolean
  say(line: string): void
  /** Told of each schedule that fails. */
  onBetter(scenario: Scenario): Promise<void>
}

/** The schedule of the one path that is enough, or null where it is no such scenario, or none is. */
async function onOnePath(scenario: Scenario, { bench, isOver, say, onBetter }: PathSearch): Promise<Scenario | null> {
  const [spec] = scenario.checks
  const step = scenario.steps.find((one): one is Schedule => one.kind === 'schedule')
  if (spec === undefined || step?.moves === undefined || isOver()) return null
  const failing = await bench.failingIn(scenario, spec)
  const paths = pathsOf(step.moves).filter(([name]) => failing.has(`${step.prefix}-${name}`)).map(([, moves]) => moves)
  const shortest = paths.toSorted((a, b) => a.length - b.length).slice(0, candidatesOfPathsMax)
  const again = shortest.length === 0 ? [] : await bench.paths(shortest, scenario, spec)
  const given = shortest.find((_, index) => again[index] !== null)
  if (given === undefined) return null
  say(`${given.length} moves of one path fail by themselves: ${again.find((reason) => reason !== null)}`)
  const played = (moves: readonly Move[]): Scenario => ({ ...scenario, steps: [{ ...step, moves: moves.map((move) => ({ ...move, stream: 'a' })), paths: 0 }], healed: [] })
  await onBetter(played(given))
  const moves = await shrink(given, {
    candidatesMax: candidatesOfPathsMax,
    guesses: guessesFor(spec),
    isOver,
    onBetter: (better) => onBetter(played(better)),
    fail: async (candidates) => (isOver() ? candidates.map(() => false) : (await bench.paths(candidates, scenario, spec)).map((reason) => reason !== null)),
  })
  return played(moves)
}

/** Most often the reads of the mode that is judged are enough, and those through the cache. */
function guessesFor({ limits }: CheckSpec): ((move: Move) => boolean)[] {
  const throughCache = (move: Move) => move.do !== 'read' || move.via !== 'origin'
  const ofMode = (move: Move) => move.do !== 'read' || limits.mode === undefined || move.mode === limits.mode
  return [throughCache, ofMode, (move) => throughCache(move) && ofMode(move), (move) => throughCache(move) && ofMode(move) && !(move.do === 'read' && move.credentials)]
}

/**
 * The smallest that fails about as often as the whole did: a candidate may have been lucky. Null where there
 * was no time to look.
 */
async function confirm(bench: Bench, trail: readonly Scenario[], before: Rate, isTooLate: () => boolean): Promise<{ scenario: Scenario; rate: Rate } | null> {
  for (const scenario of trail.toReversed()) {
    if (isTooLate()) return null
    const trials = (await bench.all(Array.from({ length: lastRuns }, (_, n) => ({ scenario, nth: n + 1 })))).filter(hasShown)
    const failed = trials.filter((trial) => trial.failed !== null).length
    const isAsSure = failed > 0 && (failed === trials.length || before.failed < before.of)
    if (isAsSure) return { scenario: withTime(scenario, trials), rate: { failed, of: trials.length } }
  }
  return null
}

function withTime(scenario: Scenario, trials: readonly Trial[]): Scenario {
  const limitMs = Math.max(timeoutMsMin, Math.ceil((Math.max(...trials.map(({ tookMs }) => tookMs)) * 4) / 10_000) * 10_000)
  return { ...scenario, timeoutMs: { quick: limitMs, full: limitMs } }
}
