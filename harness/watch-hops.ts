/** Looks at what every hop costs while a scenario runs, and how well the machine keeps up, and writes it into the history. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { isSideBySide } from './twins.ts'
import type { Recorder } from './recorder.ts'
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
  const delays = monitorEventLoopDelay({ resolution: 20 })
  delays.enable()
  const look = async () => {
    const seen = await world.usages().catch(() => null)
    if (seen === null || signal.aborted) return
    const kept = isSideBySide() ? {} : { keptMs: Math.round(delays.max / 1e6) }
    // Not of a look that was left out: what was seen until then is told by the next.
    delays.reset()
    recorder.record({ kind: 'usage', ...seen, ...kept })
  }
  const watching = watch(look, everyMs, over)
  return {
    async [Symbol.asyncDispose]() {
      ended.abort()
      await watching
      await look()
      delays.disable()
    },
  }
}

async function watch(look: () => Promise<void>, everyMs: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await look()
    await delay(everyMs, undefined, { signal: over }).catch(() => {})
  }
}
