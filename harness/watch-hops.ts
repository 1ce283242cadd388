/** Looks at what every hop costs while a scenario runs, and how well the machine keeps up, and writes it into the history. */
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from './clock.ts'
import type { Recorder } from './recorder.ts'
import { isSideBySide } from './twins.ts'
import type { World } from './world.ts'

interface Watched {
  world: World
  recorder: Recorder
  signal: AbortSignal
  everyMs: number
}

/** From now on until it is disposed of, with a last look then. A look that fails is left out: it is nobody's verdict. */
export function watchHops({ world, recorder, signal, everyMs }: Watched): AsyncDisposable {
  const ended = new AbortController()
  const over = AbortSignal.any([ended.signal, signal])
  const kept = new Kept()
  const look = async () => {
    const seen = await world.usages().catch(() => null)
    if (seen === null || signal.aborted) return
    // Not of a look that was left out: what was seen until then is told by the next.
    const keptMs = kept.take()
    recorder.record({ kind: 'usage', ...seen, ...(isSideBySide() ? {} : { keptMs }) })
  }
  const watching = watch(look, everyMs, over)
  return {
    async [Symbol.asyncDispose]() {
      ended.abort()
      await watching
      await look()
      kept.end()
    },
  }
}

async function watch(look: () => Promise<void>, everyMs: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await look()
    await delay(everyMs, undefined, { signal: over }).catch(() => {})
  }
}

const tickMs = 50

/**
 * The longest that this process was kept from going on, in ms. Node's own monitor does not count the time
 * before it is reset, which is the very time that a look came late by.
 */
class Kept {
  #lastMs = monotonicMs()
  #longestMs = 0
  #ticking = setInterval(() => this.#tick(), tickMs).unref()

  /** Since the last time that it was asked. */
  take(): number {
    this.#tick()
    const longestMs = Math.round(this.#longestMs)
    this.#longestMs = 0
    return longestMs
  }

  end(): void {
    clearInterval(this.#ticking)
  }

  #tick(): void {
    const nowMs = monotonicMs()
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs - tickMs)
    this.#lastMs = nowMs
  }
}
