/** What became of the crowds: upstream requests against readers, and when the answers arrived. */
import { bytes, duration, number, percent } from '../figures.ts'
import { crowdWords, modeWords, pathWords } from '../../crowd-words.ts'
import type { FanOutMeasurement } from '../result.ts'
import { html, type Content, type Markup } from './markup.ts'
import { plot, type Series } from './plot.ts'
import { table, type Column } from './table.ts'

const modes = Object.keys(modeWords) as FanOutMeasurement['mode'][]
const paths = Object.keys(pathWords) as FanOutMeasurement['path'][]

export function fanOut(measurements: readonly FanOutMeasurement[] | undefined): Content {
  if (!measurements || measurements.length === 0) return ''
  const sorted = measurements.toSorted(
    (a, b) =>
      modes.indexOf(a.mode) - modes.indexOf(b.mode) ||
      paths.indexOf(a.path) - paths.indexOf(b.path) ||
      a.generation.localeCompare(b.generation),
  )
  const byMode = modes.map((mode) => sorted.filter((one) => one.mode === mode && one.spread.length > 0))
  return html`${table('Upstream requests against readers', requestColumns, sorted)}
    <div class="plots">${byMode.filter((crowds) => crowds.length > 0).map(distribution)}</div>
    <details><summary>Distributions and costs as tables</summary>
      ${table('When a share of the readers had the whole answer', spreadColumns, sorted)}
      ${table('What the crowds cost', costColumns, sorted)}
    </details>`
}

const who: Column<FanOutMeasurement>[] = [
  {
    head: 'Read mode, path and crowd',
    cell: (one) => html`${modeWords[one.mode]}<span class="under">${pathWords[one.path]}, ${crowdWords(one.generation)}</span>`,
  },
]

const requestColumns: Column<FanOutMeasurement>[] = [
  ...who,
  { head: 'Readers', figures: true, cell: (one) => number(one.readers) },
  { head: 'Arrived over', figures: true, cell: (one) => duration(one.arrivalMs) },
  { head: 'Upstream requests', figures: true, cell: (one) => counted(one, one.upstreamRequests, one.upstreamRequestsMax) },
  { head: 'Upstream probes', figures: true, cell: (one) => counted(one, one.probeRequests, one.probeRequestsMax) },
  { head: 'Right answers', figures: true, cell: (one) => marked(number(one.identical), one.identical < one.readers) },
  { head: 'p50', figures: true, cell: (one) => duration(one.spreadP50Ms) },
  { head: 'p99', figures: true, cell: (one) => duration(one.spreadP99Ms) },
]

/** `2 of 1`, where one is allowed. Without the cache each reader is a request: that is the control, and right. */
function counted(one: FanOutMeasurement, requests: number, most: number | undefined): Content {
  if (one.path === 'direct') return html`${number(requests)}<span class="under">control</span>`
  if (most === undefined) return number(requests)
  return html`${marked(number(requests), requests > most)}<span class="under">${number(most)} allowed</span>`
}

function marked(text: string, bad: boolean): Content {
  return bad ? html`<strong class="bad">${text}<span class="unseen"> (beyond the limit)</span></strong>` : text
}

const quantiles = [0, 0.5, 0.9, 0.99, 0.999, 1]

const spreadColumns: Column<FanOutMeasurement>[] = [
  ...who,
  ...quantiles.map((quantile) => ({
    head: quantile === 0 ? 'first' : quantile === 1 ? 'last' : percent(quantile),
    figures: true,
    cell: (one: FanOutMeasurement) => {
      const ms = quantileOf(one.spread, quantile)
      return ms === null ? 'none' : duration(ms)
    },
  })),
]

const costColumns: Column<FanOutMeasurement>[] = [
  ...who,
  { head: 'Answered', figures: true, cell: (one) => number(one.answered) },
  { head: 'All connected after', figures: true, cell: (one) => duration(one.connectMs) },
  { head: 'Memory a reader', figures: true, cell: (one) => bytes(one.readerBytes) },
]

/** The first stored quantile at or above the wanted one: never better than what was measured. */
function quantileOf(spread: FanOutMeasurement['spread'], wanted: number): number | null {
  const found = spread.find(([quantile]) => quantile >= wanted - 1e-9) ?? spread.at(-1)
  return found ? found[1] : null
}

function distribution(crowds: readonly FanOutMeasurement[]): Markup {
  const mode = modeWords[crowds[0]!.mode]
  const p99 = crowds.map((one) => `${curveName(one)}: p99 ${duration(one.spreadP99Ms)}`)
  return plot({
    title: `${mode[0]!.toUpperCase()}${mode.slice(1)}: when the readers had the whole answer`,
    summary: `Cumulative distribution. ${p99.slice(0, 6).join('; ')}.`,
    x: { label: crowds[0]!.mode === 'catch-up' ? 'since the first reader asked' : 'after the append was acknowledged', scale: 'auto', format: duration, ticksMax: 6, exact: true },
    y: { label: 'share of readers', scale: 'linear', include: [0, 1], format: percent },
    series: crowds.map(curveOf),
  })
}

/** Those who come late ask for what was written long ago: their clock starts with their own first request. */
function curveName({ path, generation }: FanOutMeasurement): string {
  const since = generation === 'late' ? ', since its first request' : ''
  return `${pathWords[path]}, ${crowdWords(generation)}${since}`
}

function curveOf(one: FanOutMeasurement, _: number, crowds: readonly FanOutMeasurement[]): Series {
  const siblings = crowds.filter((other) => other.path === one.path)
  return {
    name: curveName(one),
    points: one.spread.map(([quantile, ms]) => [ms, quantile]),
    shape: 'line',
    colour: 1 + paths.indexOf(one.path),
    dash: siblings.indexOf(one) % 3,
  }
}
