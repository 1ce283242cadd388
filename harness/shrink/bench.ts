/**
 * Tries scenarios on the real world, each in a world of its own and several beside each other, and says
 * which of them fail as the first one did. One that crashed, was refused or ran out of time has shown nothing.
 */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { CheckSpec } from '../check-spec.ts'
import { checkById } from '../checks.ts'
import type { Subject } from '../gather.ts'
import { HistoryFile } from '../history-file.ts'
import { HostLateness } from '../host-lateness.ts'
import { perturbationOf } from '../perturbation.ts'
import { Sequence, type Sink } from '../recorder.ts'
import type { CheckResult } from '../report/result.ts'
import { isSameFailure } from '../report/same-failure.ts'
import { RunJudge } from '../run-judge.ts'
import { runScenario, type HowItEnded, type Sizes } from '../run-scenario.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Scenario } from '../scenario.ts'
import type { Move } from '../schedule/moves.ts'
import { failingPaths } from './failing-paths.ts'

export interface BenchOptions {
  subject: Subject
  runtime: Runtime
  sizes: Sizes
  seed: number
  fingerprint: string
  /** Each trial has a folder below it, which is removed again. */
  folder: string
  signal: AbortSignal
}

/** One run of a scenario. */
export interface Trial {
  /** The check that failed as it was to; null where none did. */
  failed: CheckResult | null
  /** By its place among the scenario's checks. */
  failedAt: number[]
  ended: HowItEnded
  /** It hangs on time, and this machine could not keep up. */
  wasTooBusy: boolean
  tookMs: number
}

/** What trying a scenario has shown: that it fails, nothing, or that another one was done before it. */
export type Shown = Trial | 'nothing' | 'not-told'

/** Whether its checks say something: of one that crashed, ran out of time or was kept waiting they do not. */
export function hasShown({ failed, ended, wasTooBusy }: Trial): boolean {
  return failed !== null || (isWhole(ended) && !wasTooBusy)
}

function isWhole(ended: HowItEnded): boolean {
  return ended === 'done' || ended === 'broken'
}

interface OneRun {
  scenario: Scenario
  folder: string
  nth: number
  sinks: Sink[]
  ended?: AbortSignal | undefined
}

/** Copies of a schedule's path that are played beside each other: a race is not lost each time. */
const copies = 4
const trialPrefix = 'trial'

export class Bench {
  readonly options: BenchOptions
  /** How many runs it took so far. */
  trials = 0
  /** In how many of them this machine could not keep up, so that they have shown nothing. */
  tooBusy = 0
  #beside: number
  #hangsOnTime: boolean

  /** `beside`: so many worlds at a time. */
  constructor(options: BenchOptions, beside: number) {
    this.options = options
    this.#beside = beside
    this.#hangsOnTime = checkById(options.fingerprint.split('/')[0]!).hangsOnTime === true
  }

  get beside(): number {
    return this.#beside
  }

  /**
   * Each of them up to `times` times, the second time and later with moved timings, until one fails: those behind
   * it, which leave less out, are not waited for.
   */
  async untilOneFails(scenarios: readonly Scenario[], times: number): Promise<Shown[]> {
    for (let nth = 1; nth <= times && !this.options.signal.aborted; nth += 1) {
      const trials = await this.#untilFirst(scenarios.map((scenario) => ({ scenario, nth })))
      const isFound = trials.some((trial) => trial?.failed)
      if (isFound) return trials.map((trial) => (trial?.failed ? trial : trial && nth === times ? 'nothing' : 'not-told'))
    }
    return scenarios.map(() => (this.options.signal.aborted ? 'not-told' : 'nothing'))
  }

  /** All of them once; null for those behind the first that fails. */
  async #untilFirst(asked: readonly { scenario: Scenario; nth: number }[]): Promise<(Trial | null)[]> {
    const done = asked.map((): Trial | null => null)
    const ends = asked.map(() => new AbortController())
    await this.#each(asked, async ({ scenario, nth }, index) => {
      const { signal } = ends[index]!
      const trial = signal.aborted ? null : await this.once(scenario, nth, signal)
      if (signal.aborted) return
      done[index] = trial
      if (trial?.failed) for (const end of ends.slice(index + 1)) end.abort()
    })
    const first = done.findIndex((trial) => trial?.failed)
    return done.map((trial, index) => (first >= 0 && index > first ? null : trial))
  }

  /** All of them once. */
  async all(asked: readonly { scenario: Scenario; nth: number }[]): Promise<Trial[]> {
    const done: Trial[] = []
    await this.#each(asked, async ({ scenario, nth }, index) => void (done[index] = await this.once(scenario, nth)))
    return done
  }

  /** As many at a time as there is room for. */
  async #each<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
    let next = 0
    const worker = async () => {
      while (next < items.length) {
        const index = next
        next += 1
        await work(items[index]!, index)
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#beside, items.length) }, worker))
  }

  /**
   * `ended` cuts it short. Where the worlds beside each other were too much for this machine, it is made again, with
   * fewer of them from then on.
   */
  async once(scenario: Scenario, nth: number, ended?: AbortSignal): Promise<Trial> {
    const { beside } = this
    const trial = await this.played(scenario, nth, ended)
    if (!hasShown(trial) && trial.wasTooBusy) this.tooBusy += 1
    if (hasShown(trial) || !trial.wasTooBusy || beside === 1 || ended?.aborted || this.options.signal.aborted) return trial
    this.#beside = Math.min(this.#beside, beside - 1)
    return this.once(scenario, nth, ended)
  }

  /** One run of it in a world. */
  async played(scenario: Scenario, nth: number, ended?: AbortSignal): Promise<Trial> {
    return this.#inFolder(async (folder) => this.#run({ scenario, folder, nth, sinks: [], ended }))
  }

  /** Of schedules of one path each, why they fail; all are played in one world, on paths of their own. */
  async paths(candidates: readonly Move[][], scenario: Scenario, spec: CheckSpec): Promise<(string | null)[]> {
    const moves = candidates.flatMap((candidate, n) =>
      Array.from({ length: copies }, (_, copy) => candidate.map((move) => ({ ...move, stream: `${n}-${copy}` }))).flat(),
    )
    const step = { kind: 'schedule' as const, moves, paths: 0, atOnce: candidates.length * copies, endless: false, prefix: trialPrefix }
    const failing = await this.failingIn({ ...scenario, steps: [step], healed: [], checks: [spec] }, spec)
    return candidates.map((_, n) => [...failing].find(([stream]) => stream.startsWith(`${trialPrefix}-${n}-`))?.[1] ?? null)
  }

  /** The paths of its schedule on which it fails, with the reason. */
  async failingIn(scenario: Scenario, spec: CheckSpec): Promise<Map<string, string>> {
    return this.#inFolder(async (folder) => {
      const history = new HistoryFile(folder)
      const { ended } = await this.#run({ scenario, folder, nth: 1, sinks: [history] }).finally(() => history.close())
      const bound = { ...spec, limits: { staleMs: this.options.sizes.staleMs, ...spec.limits } }
      return ended === 'done' ? failingPaths(folder, scenario.id, bound, this.options.fingerprint) : new Map()
    })
  }

  async #run({ scenario, folder, nth, sinks, ended: cut }: OneRun): Promise<Trial> {
    const { subject, runtime, sizes, seed, fingerprint } = this.options
    const signal = cut === undefined ? this.options.signal : AbortSignal.any([this.options.signal, cut])
    const lateness = new HostLateness()
    // Short: the kernel allows the path of a socket 107 bytes.
    const worldName = path.basename(folder)
    const perturbation = perturbationOf(seed, nth)
    const { result, ended } = await runScenario({ scenario, subject, runtime, judge: new RunJudge(), sequence: new Sequence(), sinks: [...sinks, lateness], folder, seed, sizes, perturbation, worldName, signal, progress: () => {} })
    const failedAt = result.checks.flatMap((check, index) => (isWhole(ended) && check.verdict === 'fail' && isSameFailure(fingerprint, check.fingerprint) ? [index] : []))
    return { failed: result.checks[failedAt[0] ?? -1] ?? null, failedAt, ended, wasTooBusy: this.#hangsOnTime && lateness.doubt !== null, tookMs: result.durationMs }
  }

  async #inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    this.trials += 1
    const folder = path.join(this.options.folder, `trial-${this.trials}`)
    try {
      return await work(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
