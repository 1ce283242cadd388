/**
 * What a step is given to act with. A step is a plain value with a `kind`; its interpreter acts on
 * the world and writes the history. It judges nothing.
 */
import type { Operations, KnownStream } from './operations.ts'
import type { Recorder } from './recorder.ts'
import type { World } from './world.ts'

export interface AnyStep {
  kind: string
}

/** A number that differs by profile. Profiles differ in repetitions, never in rows. */
export type Sized = number | { quick: Sized; full: Sized } | { option: 'readers' | 'streams' | 'forMs'; max?: number; share?: number }

export interface StepContext {
  readonly world: World
  readonly recorder: Recorder
  readonly operations: Operations
  readonly seed: number
  /** How old an answer without a lifetime may be behind the cache. */
  readonly staleMs: number
  /** Streams made so far in this scenario, by name. */
  readonly streams: Map<string, KnownStream>
  /** The run is ending: give up at once. */
  readonly signal: AbortSignal
  /** For a step that goes on in the background of others: finish the operation in hand, then return. */
  readonly stopping: AbortSignal
  /** Where a step may leave files of its own (crowds' columns). */
  readonly folder: string
  /** Turns a Sized into the number of this run. */
  size(sized: Sized): number
  /** Interprets further steps, in order. */
  run(steps: readonly AnyStep[]): Promise<void>
  /** The same context with another `stopping`. */
  until(stopping: AbortSignal): StepContext
  progress(text: string): void
}

export type Interpreter<S extends AnyStep> = (step: S, context: StepContext) => Promise<void>

/**
 * The world cannot go on (a server that will not start). What it was is in the history already;
 * the scenario's remaining steps are not run and its checks judge what was seen until then.
 */
export class WorldBroken extends Error {
  override readonly name = 'WorldBroken'
}

/** Waits for this many further events before the step acts. Triggers count events, not seconds. */
export interface Trigger {
  event: string
  n: number
  /** Up to this many events more, drawn from the seed: so that repeated faults hit other moments. */
  upToMore?: number
}

/**
 * What is to be judged cannot do what a step asks of it. The scenario ends, and what it did not see
 * go wrong is not applicable.
 */
export class CapabilityMissing extends Error {
  override readonly name = 'CapabilityMissing'
}
