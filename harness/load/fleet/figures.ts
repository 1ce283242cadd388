/** A fleet's result as the history's record of a crowd wants it. */
import { HarnessError } from '../../errors.ts'
import type { CrowdFigures } from '../../world.ts'
import { noValue, type Columns } from './columns.ts'
import type { FleetSummary } from './events.ts'

const headerValuesMax = 1_000
/** Enough for a plot, with the tail in more detail. */
const quantiles = [...Array.from({ length: 100 }, (_, i) => i / 100), 0.995, 0.999, 1]

/** @throws HarnessError when no reader ever sent its request and there is nothing to tell */
export function crowdFigures(result: { summary: FleetSummary; columns: Columns }): CrowdFigures {
  const { summary, columns } = result
  const connectedAt = summary.connectedAtMs
  const sentAt = summary.sentAtMs
  if (!connectedAt || !sentAt) {
    const errors = summary.errors.top.map((error) => error.value).join(', ')
    throw new HarnessError(`No reader of the fleet got as far as its request: ${errors}.`)
  }
  return {
    outcomes: summary.outcomes,
    statuses: summary.statuses,
    hashes: countValues(columns, 'bodyHash', columns.bodyHashes),
    headers: Object.fromEntries(
      Object.keys(summary.headers).map((name) => [
        name,
        countValues(columns, `header:${name}`, columns.headerValues(name), headerValuesMax),
      ]),
    ),
    connectMs: connectedAt.max - least(columns.column('connectStartMs')),
    firstSentAtMs: sentAt.min,
    lastSentAtMs: sentAt.max,
    lastFirstByteAtMs: summary.firstByteAtMs?.max ?? sentAt.max,
    lastByteAtMs: quantilesOf(columns.column('lastByteMs')),
    columnsFile: summary.columnsFile,
    readerBytes: Math.round(summary.memory.kbPerReader * 1024),
  }
}

function least(times: ArrayLike<number>): number {
  let first = Number.POSITIVE_INFINITY
  for (let i = 0; i < times.length; i++) if (times[i]! < first) first = times[i]!
  return first
}

/** How many readers have each value, the most frequent first. */
function countValues(
  columns: Columns,
  name: string,
  values: readonly string[],
  valuesMax = Number.POSITIVE_INFINITY,
): Record<string, number> {
  const counts = new Map<number, number>()
  for (const index of columns.column(name)) {
    if (index !== noValue) counts.set(index, (counts.get(index) ?? 0) + 1)
  }
  const sorted = [...counts].toSorted((a, b) => b[1] - a[1]).slice(0, valuesMax)
  return Object.fromEntries(sorted.map(([index, count]) => [values[index]!, count]))
}

function quantilesOf(column: ArrayLike<number>): [number, number][] {
  const sorted = Float64Array.from(column).filter((time) => !Number.isNaN(time)).sort()
  if (sorted.length === 0) return []
  return quantiles.map((q) => [q, sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!])
}
