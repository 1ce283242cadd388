/** Runs one scenario in a world of its own: steps, then healing, then the judge's answer. */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Assertions } from './check-spec.ts'
import { HarnessError } from './errors.ts'
import type { Subject } from './gather.ts'
import type { Ending } from './judge.ts'
import { whatIsLacking } from './needed-abilities.ts'
import { openWorld, type OpenedWorld } from './open-world.ts'
import type { FileChange } from './prepare-origin.ts'
import { Operations, type KnownStream } from './operations.ts'
import { pauseBy, type Pause, type Perturbation } from './perturbation.ts'
import { Recorder, type Sequence, type Sink } from './recorder.ts'
import type { HopIdentity, ScenarioResult } from './report/result.ts'
import type { RunJudge } from './run-judge.ts'
import type { Runtime } from './runtime/runtime.ts'
import type { Scenario } from './scenario.ts'
import { CapabilityMissing, WorldBroken, type AnyStep, type Sized, type StepContext } from './step.ts'
import { stepWords } from './step-words.ts'
import { interpreterOf } from './steps.ts'
import { readCopiedStreams } from './steps/read-copied-streams.ts'
import { start } from './steps/start-stop.ts'
import { watchHops } from './watch-hops.ts'
import type { World } from './world.ts'

export interface Sizes {
  profile: 'quick' | 'full' | 'soak'
  readers: number
  streams: number
  /** How long a soak lasts. */
  forMs: number
  /** How old an answer without a lifetime may be; every check that allows for it is told. */
  staleMs: number
}

export interface ScenarioRun {
  scenario: Scenario
  subject: Subject
  runtime: Runtime
  /** Judges what is recorded. */
  judge: RunJudge
  sequence: Sequence
  /** The history file and whatever else wants every event. */
  sinks: Sink[]
  /** The run's folder. */
  folder: string
  seed: number
  sizes: Sizes
  /** Moves its timings on purpose. */
  perturbation?: Perturbation | null
  /** Names its world where several of the same scenario run at a time; its id otherwise. */
  worldName?: string
  /** Takes the world over when the scenario has ended, and closes it; without it the world is closed. */
  keep?(kept: KeptWorld): void
  signal: AbortSignal
  progress(text: string): void
}

/** A world whose scenario has ended, as that left it. */
export interface KeptWorld {
  world: World
  streams: readonly KnownStream[]
}

/**
 * How the steps came to their end: all done; the origin lacked an ability; the world could not go on; the
 * harness or a step failed; overdue; interrupted.
 */
export type HowItEnded = 'done' | 'lacking' | 'broken' | 'crashed' | 'overdue' | 'interrupted'

export interface ScenarioOutcome {
  result: ScenarioResult
  ended: HowItEnded
  identities: HopIdentity[]
  fileChanges: FileChange[]
}

const readyWithinMs = 10_000
/** At what each hop costs. */
const lookEveryMs = 500
/** A history of days is to stay small, and a soak has samples of its own. */
const lookEverySoakMs = 5_000
const graceAfterAbortMs = 2_000

/**
 * Never throws for what the subject does. A fault of the harness or host ends the scenario with
 * `unknown` and its reason.
 */
export async function runScenario(run: ScenarioRun): Promise<ScenarioOutcome> {
  const recorder = new Recorder(run.scenario.id, run.sequence, [run.judge, ...run.sinks])
  const folder = path.join(run.folder, 'crowds')
  await mkdir(folder, { recursive: true })
  const timeout = AbortSignal.timeout(timeoutMsOf(run.scenario, run.sizes))
  const signal = AbortSignal.any([run.signal, timeout])
  const seen: Pick<ScenarioOutcome, 'identities' | 'fileChanges'> = { identities: [], fileChanges: [] }
  const pause = pauseBy(run.perturbation ?? null)
  let context: StepContext | null = null
  let isHandedOver = false
  await using cleanUp = new AsyncDisposableStack()
  const steps = async () => {
    const lacking = await whatIsLacking(run.scenario, run.runtime)
    if (lacking !== null) {
      recorder.record({ kind: 'shortfall', what: 'faults', because: lacking })
      throw new WorldBroken(`its faults cannot be had: ${lacking}`)
    }
    const opened = await open(run)
    cleanUp.defer(async () => void (isHandedOver || (await opened.world[Symbol.asyncDispose]())))
    seen.identities = opened.world.identities
    seen.fileChanges = opened.fileChanges
    const operations = cleanUp.use(new Operations(recorder, run.seed, (via) => opened.world.endpoint(via), pause))
    context = contextOf(run, { world: opened.world, recorder, operations, signal, folder, pause })
    await using _watching = watchHops({ ...context, everyMs: run.sizes.profile === 'soak' ? lookEverySoakMs : lookEveryMs })
    await act(run, context)
  }
  recorder.record({ kind: 'scenario', phase: 'begin', asserts: assertionsOf(run.scenario, run.sizes.staleMs) })
  const { ended, ...ending } = await endingOf(steps, signal, timeout)
  recorder.record({ kind: 'scenario', phase: 'end', ...ending })
  const kept = context as StepContext | null
  if (run.keep && kept !== null && !run.signal.aborted) {
    isHandedOver = true
    run.keep({ world: kept.world, streams: [...kept.streams.values()] })
  }
  return { result: run.judge.resultOf(run.scenario.id), ended, ...seen }
}

/** A soak is as large as a full run. */
function sizeIn({ profile }: Sizes): 'quick' | 'full' {
  return profile === 'quick' ? 'quick' : 'full'
}

function timeoutMsOf({ timeoutMs, asks }: Scenario, sizes: Sizes): number {
  const own = timeoutMs[sizeIn(sizes)]
  return asks === 'profile soak' ? own + sizes.forMs : own
}

/** What the scenario asserts in this run: checks that allow for old answers are told how old. */
function assertionsOf({ id, title, why, proves, incidents, checks }: Scenario, staleMs: number): Assertions {
  return { id, title, why, proves, ...(incidents ? { incidents } : {}), checks: checks.map((spec) => ({ ...spec, limits: { staleMs, ...spec.limits } })) }
}

async function open(run: ScenarioRun): Promise<OpenedWorld> {
  const { runtime, subject, scenario } = run
  const folder = path.join(run.folder, 'config', scenario.id)
  await mkdir(folder, { recursive: true })
  const needs = scenario.world
  return openWorld({ runtime, subject, needs, folder, name: run.worldName ?? scenario.id, readyWithinMs })
}

async function act({ scenario, subject }: ScenarioRun, context: StepContext): Promise<void> {
  // What the files hold is known also of a server that does not start on them.
  if (scenario.world.copiedDataDir) await context.run([readCopiedStreams({ served: false })])
  await context.run([start('origin')])
  noteSettings(context)
  noteStockEdge(scenario, subject, context)
  await context.run(scenario.steps)
  await context.run(scenario.healed)
}

/** What checks must know of the origin stands in the history, so that they can be run again on it. */
function noteSettings({ world, recorder }: StepContext): void {
  const { maxFileHandles, longPollTimeoutMs, sseReconnectMs } = world.capabilities
  recorder.record({ kind: 'sample', name: 'long-poll-timeout-ms', value: longPollTimeoutMs })
  recorder.record({ kind: 'sample', name: 'sse-reconnect-ms', value: sseReconnectMs })
  if (maxFileHandles === null) recorder.record({ kind: 'sample', name: 'no-file-handle-pool', value: 1 })
  else recorder.record({ kind: 'sample', name: 'max-file-handles', value: maxFileHandles })
}

/** That the cache is not the judged one, and where its configuration stands. */
function noteStockEdge({ world }: Scenario, { edge }: Subject, { recorder }: StepContext): void {
  if (world.edge === 'stock') recorder.record({ kind: 'sample', name: 'stock-configuration', value: 1, label: edge.kind.config.stock })
}

/** Turns how the steps ended into what the judge must know of it. */
async function endingOf(steps: () => Promise<void>, signal: AbortSignal, timeout: AbortSignal): Promise<Ending & { ended: HowItEnded }> {
  try {
    await Promise.race([steps(), overdue(signal)])
    if (!signal.aborted) return { ended: 'done', stoppedBecause: null }
  } catch (error) {
    if (error instanceof CapabilityMissing) return { ended: 'lacking', stoppedBecause: null, lacks: error.message }
    if (error instanceof WorldBroken) return { ended: 'broken', stoppedBecause: error.message }
    if (!signal.aborted) return { ended: 'crashed', stoppedBecause: reasonOf(error) }
  }
  return timeout.aborted ? { ended: 'overdue', stoppedBecause: 'its time limit passed' } : { ended: 'interrupted', stoppedBecause: 'the run was interrupted' }
}

/** Steps give up by themselves when the signal comes; one that does not is left behind. */
async function overdue(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const leave = () => setTimeout(resolve, graceAfterAbortMs).unref()
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
  return promise
}

function reasonOf(error: unknown): string {
  const real = error instanceof SuppressedError ? error.suppressed : error
  const message = real instanceof Error ? real.message : String(real)
  if (real instanceof HarnessError) return message
  return `the harness failed: ${message} ${real instanceof Error ? (real.stack?.split('\n')[1]?.trim() ?? '') : ''}`
}

interface Parts {
  world: World
  recorder: Recorder
  operations: Operations
  signal: AbortSignal
  folder: string
  pause: Pause
}

function contextOf(run: ScenarioRun, { pause, ...parts }: Parts): StepContext {
  const streams = new Map()
  const never = new AbortController().signal
  const make = (stopping: AbortSignal, depth: string): StepContext => ({
    ...parts,
    seed: run.seed,
    staleMs: run.sizes.staleMs,
    streams,
    stopping,
    size: (sized) => resolveSize(sized, run.sizes),
    run: (steps) => interpret(steps, make(stopping, depth), pause),
    until: (next) => make(next, `${depth}+`),
    progress: run.progress,
  })
  return make(never, '')
}

let stepMarks = 0

async function interpret(steps: readonly AnyStep[], context: StepContext, pause: Pause): Promise<void> {
  for (const step of steps) {
    await pause(step.kind)
    context.signal.throwIfAborted()
    await marked(step, context, () => interpreterOf(step)(step, context))
  }
}

/** Puts a step's begin and end into the history; not of one that only holds others. */
async function marked(step: AnyStep, { recorder, size }: StepContext, act: () => Promise<void>): Promise<void> {
  const label = stepWords(step, size)
  if (label === null) return act()
  const mark = { kind: 'step' as const, step: `${step.kind}-${(stepMarks += 1)}`, label }
  recorder.record({ ...mark, phase: 'begin' })
  try {
    await act()
  } finally {
    recorder.record({ ...mark, phase: 'end' })
  }
}

/** A Sized as the number of this run. */
export function resolveSize(sized: Sized, sizes: Sizes): number {
  if (typeof sized === 'number') return sized
  if ('quick' in sized) return resolveSize(sized[sizeIn(sizes)], sizes)
  const wanted = Math.round(sizes[sized.option] * (sized.share ?? 1))
  return Math.max(1, Math.min(wanted, sized.max ?? wanted))
}
