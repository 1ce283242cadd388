import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { EventBody } from '../harness/history.ts'
import type { Recorder } from '../harness/recorder.ts'
import { watchHops } from '../harness/watch-hops.ts'
import type { World } from '../harness/world.ts'

afterEach(() => vi.unstubAllEnvs())

/** What is written of a scenario in which `work` is done, and whose first `failing` looks fail. */
async function watched(work: () => Promise<void>, failing = 0): Promise<EventBody[]> {
  const events: EventBody[] = []
  let looks = 0
  const usages = async () => {
    looks += 1
    if (looks <= failing) throw new Error('it has just ended')
    return { hops: {}, loopbackBytes: null }
  }
  const watching = watchHops({
    world: { usages } as unknown as World,
    recorder: { record: (event: EventBody) => void events.push(event) } as unknown as Recorder,
    signal: new AbortController().signal,
    everyMs: 20,
  })
  await work()
  await watching[Symbol.asyncDispose]()
  return events
}

/** Keeps the loop from going on, as a machine does that has no processor for it. */
async function keep(ms: number): Promise<void> {
  await delay(100)
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
  await delay(100)
}

const longestOf = (events: EventBody[]) => Math.max(...events.map((event) => (event.kind === 'usage' ? (event.keptMs ?? -1) : -1)))

describe('how long the harness was kept from going on', () => {
  it('stands in one look, and is told once', async () => {
    const events = await watched(() => keep(600))
    expect(longestOf(events)).toBeGreaterThanOrEqual(550)
    expect(events.filter((event) => event.kind === 'usage' && event.keptMs! >= 550)).toHaveLength(1)
  })

  it('is told by the next look where one fails', async () => {
    expect(longestOf(await watched(() => keep(600), 4))).toBeGreaterThanOrEqual(550)
    expect(longestOf(await watched(() => keep(600), 1_000))).toBe(-Infinity)
  })

  it('is not told where runs are made side by side on purpose', async () => {
    vi.stubEnv('DURABLE_STREAMS_TWIN_SIDE_BY_SIDE', '1')
    expect(longestOf(await watched(() => keep(600)))).toBe(-1)
  })
})
