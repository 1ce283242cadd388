/** Looks at what every hop costs while a scenario runs, and how well the machine keeps up, and writes it into the history. */
import { setTimeout as delay } from 'node:timers/promises'
import { LoopDelay } from './loop-delay.ts'
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
  const delayed = new LoopDelay()
  const look = async () => {
    const seen = await world.usages().catch(() => null)
    if (seen === null || signal.aborted) return
    // Not of a look that was left out: what was seen until then is told by the next.
    const keptMs = delayed.take()
    recorder.record({ kind: 'usage', ...seen, ...(isSideBySide() ? {} : { keptMs }) })
  }
  const watching = watch(look, everyMs, over)
  return {
    async [Symbol.asyncDispose]() {
      ended.abort()
      await watching
      await look()
      delayed.end()
    },
  }
}

async function watch(look: () => Promise<void>, everyMs: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await look()
    await delay(everyMs, undefined, { signal: over }).catch(() => {})
  }
}
