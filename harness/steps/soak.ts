/**
 * A mix that goes on for hours: streams that are born and end, writers, readers of every mode, crowds,
 * clients that stall, and now and then what an operator does or an accident. Meanwhile everything is
 * sampled once a second. What goes wrong stops nothing: it is in the history, and the night goes on.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../clock.ts'
import type { HopId } from '../history.ts'
import { duration, number, plural } from '../report/figures.ts'
import { randomFor } from '../seed.ts'
import { CapabilityMissing, WorldBroken, type AnyStep, type Interpreter, type Sized, type StepContext } from '../step.ts'
import { gathering, live, stall, type Gathering, type Life, type Nursery, type Stall } from './soak/lives.ts'
import { Sampler } from './soak/sampler.ts'
import { start } from './start-stop.ts'

/** What an operator does now and then, or an accident. */
export interface Upset {
  name: string
  steps: AnyStep[]
}

export interface Soak {
  kind: 'soak'
  forMs: Sized
  lives: Life[]
  gatherings: Gathering[]
  stalls: Stall[]
  /** One after another, in this order, again and again, spread over the time. */
  upsets: Upset[]
}

/** Goes on for `forMs`, and then until the streams that are alive have ended. */
export function soak(options: Omit<Soak, 'kind' | 'forMs'> & { forMs?: Sized }): Soak {
  return { kind: 'soak', forMs: { option: 'forMs' }, ...options }
}

/** An origin whose folder it cannot be started on again gets an empty one; not without end. */
const replacedMax = 8
const drainMs = 90_000
const lookEveryMs = 1_000
const tellEveryMs = 5_000
/** Between two upsets at most. */
const upsetEveryMsMax = 2_400_000
const upsetEveryMsMin = 300_000

/** About so long between two upsets: in ten minutes there is one, in a night one in 40 minutes. */
export function upsetEveryMs(forMs: number): number {
  return Math.min(upsetEveryMsMax, Math.max(forMs / 3, Math.min(forMs / 2, upsetEveryMsMin)))
}

interface Night {
  step: Soak
  context: StepContext
  untilMs: number
  beganMs: number
  nursery: Nursery
  sampler: Sampler
  replaced: number
  /** For whoever watches. */
  lastUpset: { name: string; atMs: number; over: boolean } | null
  work: Set<Promise<unknown>>
  failure: unknown
}

export const soakInterpreter: Interpreter<Soak> = async (step, context) => {
  const beganMs = monotonicMs()
  const forMs = context.size(step.forMs)
  const nursery: Nursery = { ended: new AbortController(), ending: new AbortController(), alive: new Set(), liveBytes: new Map(), operations: 0, writtenBytes: 0 }
  const sampler = new Sampler(context, nursery)
  const night: Night = { step, context, beganMs, untilMs: beganMs + forMs, nursery, sampler, replaced: 0, lastUpset: null, work: new Set(), failure: null }
  const background = [sampler.run(), ...step.lives.map((life) => births(night, life)), ...step.gatherings.map((one) => again(night, one.everyMs, (n) => gathering(context, night.nursery, one, n))), ...step.stalls.map((one) => again(night, one.everyMs, () => stall(context, night.nursery, one)))]
  try {
    await watch(night, upsetEveryMs(forMs))
  } finally {
    await end(night, background)
  }
  if (night.failure !== null) throw night.failure
}

/** Births stop, what lives is read back and ends; then the sampler. */
async function end(night: Night, background: Promise<void>[]): Promise<void> {
  const { nursery, sampler, context } = night
  // With less and less going on, everything holds.
  sampler.stop()
  nursery.ending.abort()
  const lives = Promise.allSettled([...background.slice(1), ...night.work, ...nursery.alive])
  const overdue = delay(drainMs, undefined, { signal: context.signal }).catch(() => {})
  await Promise.race([lives, overdue])
  nursery.ended.abort()
  await Promise.allSettled([...background, ...night.work, ...nursery.alive])
}

/** The clock of the night: upsets in their turn, an origin that died by itself, and what is told. */
async function watch(night: Night, everyMs: number): Promise<void> {
  const { context, step } = night
  let turn = 0
  let upsetAtMs = night.beganMs + jittered(night, everyMs, turn)
  let toldAtMs = -Infinity
  while (monotonicMs() < night.untilMs && !context.signal.aborted && night.failure === null) {
    if (monotonicMs() - toldAtMs > tellEveryMs) {
      toldAtMs = monotonicMs()
      tell(night)
    }
    if (await diedByItself(night)) await act(night, { name: 'crash', steps: [start('origin')] })
    // Not just before the end: nothing would be seen of what comes after.
    else if (monotonicMs() >= upsetAtMs && night.untilMs - upsetAtMs > everyMs / 4 && step.upsets.length > 0) {
      await act(night, step.upsets[turn % step.upsets.length]!)
      turn += 1
      upsetAtMs += jittered(night, everyMs, turn)
    }
    await delay(Math.min(lookEveryMs, Math.max(0, night.untilMs - monotonicMs())), undefined, { signal: context.signal }).catch(() => {})
  }
}

function jittered({ context }: Night, everyMs: number, turn: number): number {
  return everyMs * (0.9 + randomFor(context.seed, context.recorder.scenario, 'upset', turn).int(200) / 1_000)
}

async function diedByItself({ context }: Night): Promise<boolean> {
  if ((await context.world.usage('origin')) !== null) return false
  const logLines = await context.world.lastLogLines('origin', 8)
  context.recorder.record({ kind: 'lifecycle', hop: 'origin', what: 'crashed', because: 'it ended by itself', logLines })
  return true
}

/** An origin that does not start is a finding; the night goes on with an empty folder. */
async function act(night: Night, upset: Upset): Promise<void> {
  const { context } = night
  night.lastUpset = { name: upset.name, atMs: monotonicMs(), over: false }
  tell(night)
  try {
    await context.run(upset.steps)
  } catch (error) {
    // A cache that knows no flush while it runs is spared it.
    if (error instanceof CapabilityMissing) context.progress(error.message)
    else if (!(error instanceof WorldBroken) || isOfAnotherHop(upset)) throw error
    else await replace(night, error)
  }
  for (const hop of hopsStarted(upset)) night.sampler.restarted(hop)
  night.lastUpset = { name: upset.name, atMs: monotonicMs(), over: true }
}

function hopsStarted({ steps }: Upset): HopId[] {
  return steps.flatMap((step) => (step.kind === 'start' ? [(step as ReturnType<typeof start>).hop] : []))
}

function isOfAnotherHop(upset: Upset): boolean {
  return !hopsStarted(upset).includes('origin')
}

/** The streams in the folder that is given up are judged no further: nobody can ask for them. */
async function replace(night: Night, because: WorldBroken): Promise<void> {
  const { context, nursery } = night
  if (night.replaced >= replacedMax) throw new WorldBroken(`${because.message}; it had got an empty folder ${plural(replacedMax, 'time')} before`)
  night.replaced += 1
  nursery.ended.abort()
  await Promise.allSettled(nursery.alive)
  nursery.ended = new AbortController()
  nursery.liveBytes.clear()
  context.world.replaceDataDir()
  context.recorder.record({ kind: 'lifecycle', hop: 'origin', what: 'replaced', because: because.message })
  night.sampler.replaced()
  try {
    await context.run([start('origin')])
  } catch (error) {
    if (!(error instanceof WorldBroken)) throw error
    await replace(night, error)
  }
}

/** Streams of one kind are born all along, as seldom or often as it says. */
async function births(night: Night, life: Life): Promise<void> {
  await again(night, 60_000 / life.perMinute, (n) => {
    const lived = live(night.context, night.nursery, life, n)
    night.nursery.alive.add(lived)
    void lived.catch((error: unknown) => void (night.failure ??= error)).finally(() => night.nursery.alive.delete(lived))
    return Promise.resolve()
  })
}

/** Waits for each: two of a kind never overlap, but births, which return at once. */
async function again(night: Night, everyMs: number, what: (n: number) => Promise<unknown>): Promise<void> {
  const signal = AbortSignal.any([night.context.signal, night.nursery.ending.signal])
  for (let n = 1; !signal.aborted && night.failure === null; n += 1) {
    const job = what(n).catch((error: unknown) => {
      if (!signal.aborted) night.failure ??= error
    })
    night.work.add(job)
    await job
    night.work.delete(job)
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

function tell(night: Night): void {
  const { context, beganMs, untilMs, nursery, lastUpset, sampler } = night
  const now = monotonicMs()
  const upset = lastUpset === null ? '' : lastUpset.over ? `; after a ${lastUpset.name} ${duration(Math.round((now - lastUpset.atMs) / 1000) * 1000)} ago` : `; ${lastUpset.name} now`
  const given = night.replaced === 0 ? '' : `; ${plural(night.replaced, 'empty folder')} given`
  const drift = sampler.worstDrift()
  const rounded = (ms: number) => duration(Math.max(1, Math.round(ms / 1000)) * 1000)
  context.progress(
    `${rounded(now - beganMs)}, ${rounded(Math.max(0, untilMs - now))} left; ${number(nursery.operations)} operations, ${plural(nursery.alive.size, 'stream')} alive${upset}${given}${drift === null ? '' : `; worst drift: ${drift}`}`,
  )
}
