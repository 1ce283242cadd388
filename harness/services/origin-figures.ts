/** What a Caddy origin tells of itself by its admin API: Go's own figures, in Prometheus' text form. */
import { Client } from 'undici'
import type { OriginFigures } from '../world.ts'

const timeoutMs = 2_000
/** By default Go collects garbage when the heap has doubled: the mark is twice what was in use last. */
const heapAtNextCollection = 2

/** Null where nobody answers, or the answer does not hold them. */
export async function askFigures(socketPath: string): Promise<OriginFigures | null> {
  const client = new Client('http://localhost', { socketPath })
  try {
    const response = await client.request({ path: '/metrics', method: 'GET', headersTimeout: timeoutMs, bodyTimeout: timeoutMs })
    return figuresIn(await response.body.text())
  } catch {
    return null
  } finally {
    await client.destroy()
  }
}

/** Null where one of them is missing. */
export function figuresIn(metrics: string): OriginFigures | null {
  const value = (name: string) => {
    const line = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)
    return line === null ? Number.NaN : Number(line[1])
  }
  const figures = { heapBytes: value('go_memstats_next_gc_bytes') / heapAtNextCollection, goroutines: value('go_goroutines') }
  return Object.values(figures).every(Number.isFinite) ? figures : null
}
