/** What hops cost, added up from looks at them: over restarts, over moments without them, and through the judge. */
import { describe, expect, test } from 'vitest'
import type { EventBody, HistoryEvent, HopUsage, UsageLook } from '../harness/history.ts'
import { HopCosts } from '../harness/hop-usage.ts'
import { Judge } from '../harness/judge.ts'

const used = (start: number, of: Partial<HopUsage>): HopUsage => ({ start, rssBytes: 0, openFiles: 0, threads: 1, processes: 1, cpuMs: 0, diskReadBytes: 0, diskWrittenBytes: 0, readBytes: 0, writtenBytes: 0, ...of })
const at = (atMs: number, hops: UsageLook['hops'], loopbackBytes: number | null = null): HistoryEvent => event(atMs, { kind: 'usage', hops, loopbackBytes })
const event = (atMs: number, body: EventBody): HistoryEvent => ({ ...body, seq: 0, atMs, scenario: 'a' })

function costs(...events: HistoryEvent[]): HopCosts {
  const costs = new HopCosts()
  for (const one of events) costs.write(one)
  return costs
}

describe('the cost of a hop', () => {
  test('is what it counts at the last look, and the most of what it holds', () => {
    const { hops } = costs(
      at(0, { origin: used(1, { cpuMs: 100, rssBytes: 50, threads: 4, writtenBytes: 10 }) }),
      at(1_000, { origin: used(1, { cpuMs: 900, rssBytes: 70, threads: 9, writtenBytes: 30 }) }),
      at(2_000, { origin: used(1, { cpuMs: 1_000, rssBytes: 60, threads: 8, writtenBytes: 40 }) }),
    )
    expect(hops).toEqual([expect.objectContaining({ hop: 'origin', looks: 3, cpuMs: 1_000, cpuShareMax: 0.8, memoryBytesMax: 70, threadsMax: 9, writtenBytes: 40 })])
  })

  test('adds up over its starts, whatever the new one has counted already', () => {
    const { hops } = costs(
      at(0, { origin: used(1, { cpuMs: 300 }) }),
      at(500, {}),
      at(1_000, { origin: used(2, { cpuMs: 500 }) }),
      at(1_500, { origin: used(2, { cpuMs: 700 }) }),
    )
    expect(hops[0]).toMatchObject({ cpuMs: 1_000, cpuShareMax: 0.4, looks: 3 })
  })

  test('is told for each hop, in the order of a request, and for none that was not seen', () => {
    const { hops } = costs(at(0, { origin: used(1, {}), tap: used(1, {}), tls: used(1, {}) }))
    expect(hops.map(({ hop }) => hop)).toEqual(['tls', 'tap', 'origin'])
    expect(costs().hops).toEqual([])
  })

  test('does not shrink with a process that ends, and takes no share from a moment', () => {
    const { hops } = costs(at(0, { edge: used(1, { cpuMs: 500 }) }), at(1_000, { edge: used(1, { cpuMs: 400 }) }), at(1_010, { edge: used(1, { cpuMs: 420 }) }))
    expect(hops[0]).toMatchObject({ cpuMs: 520, cpuShareMax: 0 })
  })
})

test('what passed the loopback device is told between the first look and the last', () => {
  expect(costs(at(0, {}, 5_000), at(1, {}, null), at(2, {}, 9_000)).loopbackBytes).toBe(4_000)
  expect(costs(at(0, {}, null)).loopbackBytes).toBeNull()
})

test('a scenario shows them, and one that nobody looked at shows nothing', () => {
  const judge = (...events: HistoryEvent[]) => {
    const judge = new Judge({ id: 'a', title: 'A', why: '', proves: [], checks: [] })
    for (const one of events) judge.write(one)
    return judge.finish({ stoppedBecause: null }).measurements
  }
  expect(judge(at(0, { edge: used(1, { cpuMs: 20 }) }, 7)).usage).toMatchObject({ hops: [{ hop: 'edge', cpuMs: 20 }], loopbackBytes: 0 })
  expect(judge()).toEqual({})
})
