/** The columns of a finished run in a few numbers. */
import type { Crowd } from './crowd.ts'
import { noValue } from './distinct.ts'
import type { Counted, Distribution, FleetSummary } from './events.ts'
import { outcomes } from './outcomes.ts'

const topMax = 100

type CrowdSummary = Omit<
  FleetSummary,
  'memory' | 'cpuSeconds' | 'durationMs' | 'clock' | 'columnsFile'
>

export function summarize(crowd: Crowd): CrowdSummary {
  const from = (start: Float64Array, end: Float64Array) =>
    distributionOf(end.map((time, i) => time - start[i]!))
  const headers = crowd.headerNames.map((name, i): [string, Counted] => [
    name,
    countedBy(crowd.headers[i]!, crowd.headerValues[i]!.distinct.values),
  ])
  return {
    readers: crowd.readers,
    outcomes: countNumbers(crowd.outcome, (code) => outcomes[code]!),
    statuses: countNumbers(crowd.status, String),
    errors: countedBy(
      Uint32Array.from(crowd.error, (error) => (error === 0 ? noValue : error - 1)),
      crowd.errors.values,
    ),
    bodies: countedBy(crowd.bodyHash, crowd.bodies.hashes.values),
    headers: Object.fromEntries(headers),
    bodyBytes: crowd.bodies.bytes.reduce((sum, bytes) => sum + bytes, 0),
    dataEvents: crowd.dataEvents.reduce((sum, events) => sum + events, 0),
    connectMs: from(crowd.connectStartMs, crowd.connectedMs),
    firstByteMs: from(crowd.sentMs, crowd.firstByteMs),
    lastByteMs: from(crowd.sentMs, crowd.lastByteMs),
    connectedAtMs: distributionOf(crowd.connectedMs),
    sentAtMs: distributionOf(crowd.sentMs),
    firstByteAtMs: distributionOf(crowd.firstByteMs),
    lastByteAtMs: distributionOf(crowd.lastByteMs),
    arrivalDelayMs: from(crowd.dueMs, crowd.connectStartMs),
  }
}

/** Quantiles by the nearest rank over the numbers that are there; null when there are none. */
export function distributionOf(values: Float64Array): Distribution {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  if (sorted.length === 0) return null
  const rank = (p: number) => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!
  return { min: sorted[0]!, p50: rank(0.5), p99: rank(0.99), max: sorted.at(-1)! }
}

function countNumbers(
  column: Uint8Array | Uint16Array,
  name: (value: number) => string,
): Record<string, number> {
  const counts = new Map<number, number>()
  for (const value of column) counts.set(value, (counts.get(value) ?? 0) + 1)
  return Object.fromEntries([...counts].map(([value, count]) => [name(value), count]))
}

function countedBy(column: Uint32Array, values: readonly string[]): Counted {
  const counts = new Uint32Array(values.length)
  let absent = 0
  for (const index of column) {
    if (index === noValue) absent++
    else counts[index]!++
  }
  const all = values.map((value, i) => ({ value, count: counts[i]! })).filter((v) => v.count > 0)
  all.sort((a, b) => b.count - a.count)
  return { distinct: all.length, absent, top: all.slice(0, topMax) }
}
