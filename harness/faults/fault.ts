/**
 * A fault: what it needs of the runtime, how it is injected, what proves that it happened, how it
 * heals. One file a fault beside this one; docs/adding-a-fault.md shows how.
 */
import type { HopId } from '../history.ts'
import type { Ability } from '../runtime/runtime.ts'
import type { World } from '../world.ts'

/** Stands in scenarios: survives JSON. */
export interface AnyFault {
  fault: string
}

export interface Proof {
  /** False where the counters do not show that it happened: then nothing is concluded from it. */
  proven: boolean
  /** The counters, before and after, in one sentence without a full stop. */
  proof: string
}

export interface Injected {
  /** Asked while the fault lasts, right before it heals. */
  proof(): Promise<Proof>
  heal(): Promise<void>
}

export interface FaultKind<F extends AnyFault> {
  needs(fault: F): readonly Ability[]
  /** The hop whose ways do not work as usual meanwhile: clients that pass it are asked nothing of time. */
  hop(fault: F): HopId
  /** As the timeline and the report call it: 'the link between cache and origin is cut'. */
  words(fault: F): string
  inject(fault: F, world: World): Promise<Injected>
}
