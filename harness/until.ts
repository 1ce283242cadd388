/** Waiting for a condition: with a deadline, and an error that names what was awaited. */
import { setTimeout as delay } from 'node:timers/promises'

export class AwaitedTooLong extends Error {
  override readonly name = 'AwaitedTooLong'
}

export interface Waiting {
  /** What is awaited, as it shall stand in the error: 'the origin to answer'. */
  for: string
  timeoutMs: number
  /** Between two looks. */
  everyMs?: number
  signal?: AbortSignal
}

/**
 * Looks until `condition` returns something other than null, undefined or false, and returns it.
 * Throws AwaitedTooLong after `timeoutMs`, and the signal's reason when it is aborted.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  waiting: Waiting,
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = performance.now() + waiting.timeoutMs
  for (;;) {
    waiting.signal?.throwIfAborted()
    const value = await condition()
    if (value !== null && value !== undefined && value !== false) {
      return value as Exclude<T, null | undefined | false>
    }
    if (performance.now() > deadline) {
      throw new AwaitedTooLong(`Waited ${waiting.timeoutMs} ms for ${waiting.for}.`)
    }
    await delay(waiting.everyMs ?? 10)
  }
}

/** Races a promise against a deadline; the timer keeps the process alive and is always cleared. */
export async function within<T>(promise: Promise<T>, waiting: { for: string; timeoutMs: number }): Promise<T> {
  const { promise: expiry, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new AwaitedTooLong(`Waited ${waiting.timeoutMs} ms for ${waiting.for}.`)),
    waiting.timeoutMs,
  )
  try {
    return await Promise.race([promise, expiry])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether a promise is fulfilled in time, where being late is an answer and no error. */
export async function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const { promise: expiry, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), timeoutMs)
  try {
    return await Promise.race([expiry, promise.then(() => true)])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves when the signal is aborted, at once where it is already. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
