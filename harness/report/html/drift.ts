/** What was watched for hours: a table of how each figure grew, and its curve. */
import { amount, duration, number, plural } from '../figures.ts'
import type { Measurements } from '../result.ts'
import { html, type Content, type Markup } from './markup.ts'
import { plot } from './plot.ts'
import { table, type Column } from './table.ts'

type Drift = NonNullable<Measurements['drift']>[number]
type Trend = NonNullable<Drift['trend']>
type Latency = NonNullable<Measurements['latency']>[number]

export function drift({ drift: seen = [], latency = [] }: Measurements): Content {
  if (seen.length === 0) return ''
  const judged = seen.flatMap((one) => (one.trend === null ? [] : [{ ...one, trend: one.trend }]))
  return html`${table('What grew, an hour, by samples of each second', columns, judged)}
  ${latency.length > 0 ? table('What operations took', latencyColumns, latency.toSorted((a, b) => b.count - a.count)) : ''}
  ${curves(seen.filter(({ points }) => points.length >= pointsMin))}`
}

function curves(drawable: readonly Drift[]): Content {
  if (drawable.length === 0) return ''
  return html`<details><summary>${plural(drawable.length, 'curve')} over time; vertical lines are restarts</summary>
  <div class="plots">${drawable.map(curve)}</div></details>`
}

const kindWords: Record<Trend['kind'], string> = {
  grows: 'grows',
  holds: 'holds',
  settles: 'settling: not told yet',
  'too-short': 'not told yet',
}

const columns: Column<Drift & { trend: Trend }>[] = [
  { head: 'What', cell: ({ title }) => title },
  { head: 'Verdict', cell: ({ trend }) => verdict(trend) },
  { head: 'Level', figures: true, cell: ({ trend, unit }) => amount(trend.level, unit) },
  { head: 'Growth an hour', figures: true, cell: ({ trend, unit }) => amount(trend.perHour, unit, true) },
  { head: '95 % between', figures: true, cell: ({ trend, unit }) => `${amount(trend.lowPerHour ?? -Infinity, unit)} and ${amount(trend.highPerHour ?? Infinity, unit)}` },
  { head: 'Allowed an hour', figures: true, cell: ({ trend, unit }) => amount(trend.allowedPerHour, unit) },
  { head: 'Limit', figures: true, cell: ({ trend, unit }) => amount(trend.limit, unit) },
  { head: 'Told by a run of', figures: true, cell: ({ trend }) => (trend.neededMs === null ? 'this one' : `about ${duration(Math.ceil(trend.neededMs / 60_000) * 60_000)}`) },
]

function verdict({ kind }: Trend): Content {
  return kind === 'grows' ? html`<strong class="bad">${kindWords[kind]}</strong>` : kindWords[kind]
}

const latencyColumns: Column<Latency>[] = [
  { head: 'Operation', cell: ({ op, via }) => `${op} by way of ${via}` },
  { head: 'How many', figures: true, cell: ({ count }) => number(count) },
  { head: 'p50', figures: true, cell: ({ p50Ms }) => duration(p50Ms) },
  { head: 'p99', figures: true, cell: ({ p99Ms }) => duration(p99Ms) },
  { head: 'At most', figures: true, cell: ({ maxMs }) => duration(maxMs) },
]

/** Enough to be a curve. */
const pointsMin = 8

function curve({ title, unit, trend, points, restartsMs }: Drift): Markup {
  const values = points.map(([, value]) => value)
  const [least, most] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  const growth = trend === null ? '' : `; ${kindWords[trend.kind]}: ${amount(trend.perHour, unit, true)} an hour`
  return plot({
    title: title.charAt(0).toUpperCase() + title.slice(1),
    summary: `Between ${amount(least, unit)} and ${amount(most, unit)}${growth}; ${plural(restartsMs.length, 'restart')}.`,
    x: { label: 'time in the scenario', scale: 'linear', include: [0], format: duration, exact: true, ticksMax: 4 },
    y: { label: unit === 'count' ? 'number' : unit === 'ms' ? 'time' : 'size', scale: 'linear', include: [0], format: (value) => amount(value, unit), ...(unit === 'bytes' ? { base: 1_024 as const } : {}) },
    series: [{ name: title, points, shape: 'line', colour: 1 }],
    marks: restartsMs,
  })
}
