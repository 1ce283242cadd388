/**
 * Timings moved on purpose, so that a race which is seldom lost is lost more often: each client waits a
 * little before it sends, and so does each step before it acts. What is waited for is drawn per actor, and
 * stands in the history as any other time does: what an operation is judged by begins when it was sent.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { randomFor, type Random } from './seed.ts'

export interface Perturbation {
  seed: number
  /** The longest pause. */
  upToMs: number
}

/** By how much the runs of a replay are moved: the first not at all, then from little to much, and again. */
const spreadsMs = [0, 2, 8, 20, 50]

/** Of run number `nth`, from 1; null where its timings stay as they are. */
export function perturbationOf(seed: number, nth: number): Perturbation | null {
  const upToMs = spreadsMs[(nth - 1) % spreadsMs.length]!
  return upToMs === 0 ? null : { seed: (seed + nth) % 2 ** 31, upToMs }
}

/** Waits, every other time and as drawn for this actor; does nothing without a perturbation. */
export type Pause = (actor: string) => Promise<void>

export function pauseBy(perturbation: Perturbation | null): Pause {
  if (perturbation === null) return async () => {}
  const { seed, upToMs } = perturbation
  const drawn = new Map<string, Random>()
  return async (actor) => {
    const random = drawn.get(actor) ?? randomFor(seed, 'perturbation', actor)
    drawn.set(actor, random)
    if (random.int(2) === 0) await delay(random.int(upToMs + 1))
  }
}
