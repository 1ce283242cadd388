/** Starts, stops and kills hops, each with its proof in the history. */
import { monotonicMs } from '../clock.ts'
import type { HopId } from '../history.ts'
import type { StopSignal } from '../runtime/runtime.ts'
import { WorldBroken, type Interpreter, type StepContext, type Trigger } from '../step.ts'
import { logEssence } from '../log-essence.ts'
import { duration } from '../report/figures.ts'
import { randomFor } from '../seed.ts'
import type { OriginSettings } from '../world.ts'

export interface Start {
  kind: 'start'
  hop: HopId
  settings?: OriginSettings
  label?: string
  /** The origin gets another data_dir: for scenarios that leave nothing in the one before which a check would miss. */
  onEmptyDataDir?: true
}
export interface Stop {
  kind: 'stop'
  hop: HopId
  signal: StopSignal
  graceMs: number
  after?: Trigger
}
export interface Kill {
  kind: 'kill'
  hop: HopId
  after?: Trigger
}

/** Starts the hop and waits until it is ready. One that never becomes ready ends the scenario. */
export function start(hop: HopId, options: { settings?: OriginSettings; label?: string; onEmptyDataDir?: true } = {}): Start {
  return { kind: 'start', hop, ...options }
}

/** Asks the hop to stop, as a deploy does, and waits until it is gone. */
export function stop(hop: HopId, options: { signal?: StopSignal; graceMs?: number; after?: Trigger } = {}): Stop {
  return { kind: 'stop', hop, signal: 'SIGTERM', graceMs: 10_000, ...options }
}

/** Ends the hop without a word, as a power cut, an out-of-memory kill or `kill -9` does. */
export function kill(hop: HopId, options: { after?: Trigger } = {}): Kill {
  return { kind: 'kill', hop, ...options }
}

const triggerTimeoutMs = 30_000

export const startInterpreter: Interpreter<Start> = async (step, context) => {
  if (step.onEmptyDataDir) {
    context.world.replaceDataDir()
    context.recorder.record({ kind: 'lifecycle', hop: step.hop, what: 'replaced', because: 'the next subject is to know nothing of the one before' })
  }
  const outcome = await context.world.start(step.hop, step.settings)
  const label = step.label === undefined ? {} : { label: step.label }
  if (outcome.ready) {
    const own = context.world.capabilities.maxFileHandles
    if (own !== null) context.recorder.record({ kind: 'sample', name: 'max-file-handles', value: step.settings?.maxFileHandles ?? own })
    const usage = await context.world.usage(step.hop)
    context.recorder.record({
      kind: 'lifecycle',
      hop: step.hop,
      what: 'started',
      tookMs: outcome.readyMs,
      streams: liveStreams(context),
      ...(usage ? { rssBytes: usage.rssBytes } : {}),
      ...label,
    })
    return
  }
  if (outcome.reason === 'port-taken') {
    context.recorder.record({ kind: 'shortfall', what: `start of ${step.hop}`, because: outcome.because })
  } else {
    context.recorder.record({
      kind: 'lifecycle',
      hop: step.hop,
      what: 'not-ready',
      tookMs: outcome.waitedMs,
      because: outcome.because,
      reason: outcome.reason,
      logLines: logEssence(outcome.lastLogLines),
      ...label,
    })
  }
  throw new WorldBroken(`the ${step.hop} ${howItFailed[outcome.reason](outcome.waitedMs, outcome.because)}`)
}

const howItFailed = {
  deadline: (waitedMs: number) => `was not ready ${duration(waitedMs)} after its start`,
  exited: (waitedMs: number) => `ended by itself ${duration(waitedMs)} after its start`,
  // Who has it can only be told by this, and is the user's to end.
  'port-taken': (_waitedMs: number, because: string) => `found its port taken (${because.replace(/\.$/, '')})`,
  'not-started': () => 'could not be started',
}

function liveStreams(context: StepContext): number {
  let count = context.world.storedStreams.length
  for (const stream of context.streams.values()) if (!stream.deleted) count += 1
  return count
}

export const stopInterpreter: Interpreter<Stop> = async (step, context) => {
  await trigger(step.after, context)
  const before = load(context)
  context.recorder.record({ kind: 'lifecycle', hop: step.hop, what: 'stopping' })
  const stopped = await context.world.stop(step.hop, { signal: step.signal, graceMs: step.graceMs })
  context.recorder.record({
    kind: 'lifecycle',
    hop: step.hop,
    what: stopped.killed ? 'killed' : 'stopped',
    tookMs: stopped.tookMs,
    ...before,
    ...(stopped.killed ? { because: `did not stop within ${step.graceMs} ms of ${step.signal}` } : {}),
  })
}

export const killInterpreter: Interpreter<Kill> = async (step, context) => {
  await trigger(step.after, context)
  const before = load(context)
  const sentAtMs = monotonicMs()
  await context.world.kill(step.hop)
  const tookMs = monotonicMs() - sentAtMs
  const proof = `the ${step.hop}'s processes were gone, with ${before.inFlight} appends in flight and ${before.acknowledgedSinceStart} acknowledged since its start`
  context.recorder.record({ kind: 'fault', fault: 'kill', phase: 'injected', proof, proven: true })
  context.recorder.record({ kind: 'lifecycle', hop: step.hop, what: 'killed', tookMs, ...before })
}

/** What proves that a kill hit a working server: appends on their way, and some done before. */
function load(context: StepContext): { inFlight: number; acknowledgedSinceStart: number } {
  return {
    inFlight: context.recorder.appendsInFlight(),
    acknowledgedSinceStart: context.recorder.acknowledgedSinceStart,
  }
}

/** Waits for a trigger's events, if there is one. */
export async function trigger(after: Trigger | undefined, context: StepContext): Promise<void> {
  if (!after) return
  const seen = context.recorder.countOf(after.event)
  const more = after.upToMore
    ? randomFor(context.seed, context.recorder.scenario, 'trigger', seen).int(after.upToMore)
    : 0
  await context.recorder.waitFor(after.event, after.n + more, triggerTimeoutMs)
}
