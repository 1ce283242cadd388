/**
 * A scenario over time: its steps and faults as bars, and beneath them the operations, with the
 * faults shaded. Both share one axis.
 */
import { duration, number, plural } from '../figures.ts'
import type { ScenarioResult, TimelineMark } from '../result.ts'
import { html, type Content, type Markup } from './markup.ts'
import { drawing, legend, type Series } from './plot.ts'

const lanesMax = 18
const barsMax = 150
const bucketsMax = 240

interface Lane {
  kind: TimelineMark['kind']
  label: string
  spans: { fromMs: number; toMs: number }[]
}

export function timeline(scenario: ScenarioResult): Content {
  const lanes = lanesOf(scenario.timeline)
  if (lanes.length === 0 && scenario.throughput.length < 2) return ''
  const endMs = Math.max(1, scenario.durationMs, ...lanes.flatMap((lane) => lane.spans.map((span) => span.toMs)))
  const shown = mostTelling(lanes)
  return html`<figure class="timeline">
    <figcaption>Timeline of ${duration(scenario.durationMs)}</figcaption>
    <ol class="lanes">${shown.map((lane) => laneRow(lane, endMs))}</ol>
    ${lanes.length > shown.length ? html`<p class="quiet">and ${lanes.length - shown.length} more in result.json</p>` : ''}
    ${throughput(scenario, lanes, endMs)}
  </figure>`
}

/** Where there are too many lanes, steps are left out, never faults. */
function mostTelling(lanes: readonly Lane[]): Lane[] {
  const faults = lanes.filter((lane) => lane.kind === 'fault').slice(0, lanesMax)
  return [...lanes.filter((lane) => lane.kind !== 'fault').slice(0, lanesMax - faults.length), ...faults]
}

/** Marks of one label share a lane; steps come before the faults, each in order of time. */
function lanesOf(marks: readonly TimelineMark[]): Lane[] {
  const lanes = new Map<string, Lane>()
  for (const { kind, label, fromMs, toMs } of marks) {
    const key = `${kind} ${label}`
    const lane = lanes.get(key) ?? { kind, label, spans: [] }
    lane.spans.push({ fromMs, toMs: Math.max(fromMs, toMs) })
    lanes.set(key, lane)
  }
  const order = { step: 0, moment: 1, fault: 2 }
  return [...lanes.values()].toSorted((a, b) => order[a.kind] - order[b.kind])
}

function laneRow({ kind, label, spans }: Lane, endMs: number): Markup {
  const total = spans.reduce((sum, span) => sum + span.toMs - span.fromMs, 0)
  const first = spans[0]!.fromMs
  const times = spans.length > 1 ? ` × ${number(spans.length)}` : ''
  const isMoment = kind === 'moment' && total === 0
  const words = isMoment ? `at ${duration(first)}` : `from ${duration(first)}, ${duration(total)}`
  return html`<li class="lane-${kind}"><span class="lane-label">${label}<span class="quiet">${times}<span class="unseen">, ${kind}, ${words}${spans.length > 1 ? ' together' : ''}</span></span></span>
    <svg class="lane" aria-hidden="true">${spans.slice(0, barsMax).map((span) => bar(kind, span, endMs))}</svg>
    <span class="lane-time" aria-hidden="true">${isMoment ? '' : duration(total)}</span></li>`
}

function bar(kind: TimelineMark['kind'], { fromMs, toMs }: Lane['spans'][number], endMs: number): Markup {
  const x = Math.max(0, Math.min(100, (fromMs / endMs) * 100))
  const width = Math.max(0.35, Math.min(100 - x, ((toMs - fromMs) / endMs) * 100))
  return html`<rect class="bar-${kind}" x="${Math.min(x, 99.65).toFixed(2)}%" width="${width.toFixed(2)}%" y="3" height="10" rx="2"><title>${duration(fromMs)} to ${duration(toMs)}</title></rect>`
}

/** Fewer operations are no load: a scenario of crowds has a writer of a few appends. */
const operationsMin = 100

function throughput(scenario: ScenarioResult, lanes: readonly Lane[], endMs: number): Content {
  const total = Object.values(scenario.operations).reduce((sum, count) => sum + count, 0)
  if (scenario.throughput.length < 2 || total < operationsMin) return ''
  const faults = lanes.filter((lane) => lane.kind === 'fault').flatMap((lane) => lane.spans)
  const all = throughputSeries(scenario.throughput)
  const series = drawn(all)
  const dwarfing = all.filter((one) => !series.includes(one)).map((one) => one.name)
  const hidden = dwarfing.length === 0 ? '' : `; ${dwarfing.join(' and ')} tries are not drawn, they would dwarf the others`
  const { ok, failed, unanswered } = scenario.operations
  const counted = `${plural(ok, 'operation')} succeeded, ${number(failed)} ${failed === 1 ? 'was' : 'were'} refused, ${number(unanswered)} ${unanswered === 1 ? 'was' : 'were'} not answered`
  return html`<div class="lined-up">${drawing({
    title: 'Operations a second over time',
    summary: `${counted}${faults.length > 0 ? `; ${plural(faults.length, 'fault')} shaded` : ''}.`,
    x: { label: 'time in the scenario', scale: 'linear', include: [0, endMs], format: duration, exact: true },
    y: { label: 'operations/s', scale: 'linear', include: [0], format: number, ticksMax: 5 },
    series,
    shades: faults.slice(0, barsMax).map((span) => ({ from: span.fromMs, to: span.toMs })),
  })}</div>
  ${legend(series)}
  <p class="quiet">${counted}${faults.length > 0 ? '; faults are shaded' : ''}${hidden}.</p>`
}

/** Tries at a hop that is down come fast: drawn, they would leave nothing to see of the others. */
function drawn(series: readonly Series[]): Series[] {
  const most = (one: Series) => Math.max(1, ...one.points.map(([, rate]) => rate))
  return series.filter((one) => most(one) <= 4 * most(series[0]!))
}

/** A history's outcomes as words: `fail` is what certainly did not happen, answered or not let in. */
const names = ['succeeded', 'refused', 'unanswered'] as const
const colours = { succeeded: 1, refused: 5, unanswered: 2 }

/** Operations a second, in at most 240 buckets; kinds that never occurred are left out. */
function throughputSeries(rows: ScenarioResult['throughput']): Series[] {
  const bucketMs = Math.max(1, rows[1]![0] - rows[0]![0])
  const merged = Math.ceil(rows.length / bucketsMax)
  const perSecond = 1_000 / (bucketMs * merged)
  const chunks = Array.from({ length: Math.ceil(rows.length / merged) }, (_, index) =>
    rows.slice(index * merged, (index + 1) * merged),
  )
  return names.flatMap((name, index): Series[] => {
    const points = chunks.map((chunk): [number, number] => [
      chunk[0]![0],
      chunk.reduce((sum, row) => sum + row[index + 1]!, 0) * perSecond,
    ])
    if (index > 0 && points.every(([, rate]) => rate === 0)) return []
    return [{ name, points, shape: index === 0 ? 'area' : 'line', colour: colours[name], dash: index }]
  })
}
