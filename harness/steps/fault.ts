/** Injects a fault, lets it last, asks for its proof and heals it. */
import { setTimeout as delay } from 'node:timers/promises'
import { faultKind, type Fault as AnyFault } from '../faults/faults.ts'
import { WorldBroken, type AnyStep, type Interpreter, type StepContext, type Trigger } from '../step.ts'
import { trigger } from './start-stop.ts'

export interface Fault {
  kind: 'fault'
  what: AnyFault
  /** What the fault is, in words. */
  words: string
  after?: Trigger
  /** It lasts for so long, and until these events have happened since, and until these steps are done. */
  lastsMs: number
  until?: Trigger
  steps: AnyStep[]
  /** Once it has healed: waits for so many events, and goes on without them when they do not come. */
  thenAwait?: Settling
}

export interface Settling {
  event: string
  n: number
  withinMs: number
}

/** How long an outage lasts is a subject of its own, so here it is a time; or it is what has to happen meanwhile. */
export function fault(what: AnyFault, options: { after?: Trigger; lastsMs?: number; until?: Trigger; steps?: AnyStep[]; thenAwait?: Settling } = {}): Fault {
  return { kind: 'fault', what, words: faultKind(what).words(what), lastsMs: 0, steps: [], ...options }
}

export const faultInterpreter: Interpreter<Fault> = async (step, context) => {
  await trigger(step.after, context)
  const kind = faultKind(step.what)
  const event = { kind: 'fault', fault: step.words.replaceAll(/[^\w.]+/g, '-'), what: step.what.fault, hop: kind.hop(step.what) } as const
  // Told before it is there: what clients see of it must not come first.
  context.recorder.record({ ...event, phase: 'injected' })
  const injected = await kind.inject(step.what, context.world)
  let shown: { proven: boolean; proof: string } | null = null
  try {
    await last(step, context)
    shown = await injected.proof()
  } finally {
    await injected.heal()
    context.recorder.record({ ...event, phase: 'healed', proven: shown?.proven ?? false, proof: shown?.proof ?? 'it ended before it could be proven' })
  }
  if (!shown.proven) throw new WorldBroken(`${step.words}, but that did not show (${shown.proof})`)
  // Whether they came is for a check to say.
  if (step.thenAwait) await context.recorder.waitFor(step.thenAwait.event, step.thenAwait.n, step.thenAwait.withinMs).catch(() => {})
}

/** Counted from here: what happened before the fault says nothing of it. */
async function last(step: Fault, context: StepContext): Promise<void> {
  const waited = step.until === undefined ? null : trigger(step.until, context)
  // Awaited below, after what may take longer.
  waited?.catch(() => {})
  await delay(step.lastsMs, undefined, { signal: context.signal })
  await context.run(step.steps)
  await waited
}
