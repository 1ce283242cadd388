/**
 * Static plots as SVG without a script. Lines live in a stretched drawing, everything with a shape
 * or a letter is placed by percentages: so a plot is as wide as its column and its text never
 * shrinks, on a phone as on a desk.
 */
import { downsample, type Point } from './downsample.ts'
import { html, type Content, type Markup } from './markup.ts'
import { scaleFor, type Scale, type ScaleOptions } from './scale.ts'

export interface Series {
  name: string
  points: readonly Point[]
  /** 'step' keeps a value until the next point; 'area' fills down to the axis; 'points' draws no line. */
  shape: 'line' | 'step' | 'area' | 'points'
  /** Whether each point is marked: for few and precious ones. */
  marked?: boolean
  /** 1 to 6, a colour of the style sheet. */
  colour: number
  /** 0 solid, 1 dashed, 2 dotted: colour is never the only difference. */
  dash?: number
}

export interface Axis {
  label: string
  scale: ScaleOptions['kind']
  include?: readonly number[]
  format(value: number): string
  ticksMax?: number
  exact?: boolean
  base?: ScaleOptions['base']
}

export interface Plot {
  title: string
  /** What the plot shows, in a sentence, for who cannot see it. */
  summary: string
  x: Axis
  y: Axis
  series: readonly Series[]
  /** Spans of x that are shaded: faults. */
  shades?: readonly { from: number; to: number }[]
  /** Places on x with a vertical line. */
  marks?: readonly number[]
}

const pointsMax = 200

export function plot(options: Plot): Markup {
  const thinned = options.series.map((one) => ({ ...one, points: downsample(one.points, pointsMax) }))
  return html`<figure class="plot">
    <figcaption>${options.title}</figcaption>
    ${thinned.length > 1 ? legend(thinned) : ''}
    ${drawing({ ...options, series: thinned })}
  </figure>`
}

/** The plot alone, for a figure that brings its own caption. */
export function drawing(options: Plot): Markup {
  const points = options.series.flatMap((one) => one.points)
  const x = axisScale(options.x, points.map((point) => point[0]), 6)
  const y = axisScale(options.y, points.map((point) => point[1]), 6)
  return html`<div class="drawing" role="img" aria-label="${`${options.title}. ${options.summary}`}">
    <p class="y-label">${axisLabel(options.y, y)}</p>
    ${yAxis(options.y, y)}
    <svg class="field" aria-hidden="true">
      ${(options.shades ?? []).map((shade) => shading(shade, x))}
      ${y.ticks.map((tick) => html`<line class="grid" x1="0" x2="100%" y1="${across(1 - y.at(tick))}" y2="${across(1 - y.at(tick))}"/>`)}
      ${x.ticks.map((tick) => html`<line class="grid" x1="${across(x.at(tick))}" x2="${across(x.at(tick))}" y1="0" y2="100%"/>`)}
      ${(options.marks ?? []).map((mark) => html`<line class="mark" x1="${across(x.at(mark))}" x2="${across(x.at(mark))}" y1="0" y2="100%"/>`)}
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%">
        ${options.series.map((one) => curve(one, x, y))}
      </svg>
      ${options.series.filter((one) => one.marked || one.shape === 'points' || one.points.length === 1).map((one) => dots(one, x, y))}
    </svg>
    ${xAxis(options.x, x)}
    <p class="x-label">${axisLabel(options.x, x)}</p>
  </div>`
}

function axisScale(axis: Axis, values: number[], ticksMax: number): Scale {
  const { scale: kind, include = [], exact = false, base = 1_000 } = axis
  return scaleFor(values, { kind, include, exact, base, ticksMax: axis.ticksMax ?? ticksMax })
}

function axisLabel(axis: Axis, scale: Scale): string {
  return scale.note === '' ? axis.label : `${axis.label} (${scale.note})`
}

function across(share: number): string {
  return `${(share * 100).toFixed(2)}%`
}

function yAxis(axis: Axis, scale: Scale): Markup {
  return html`<svg class="y-axis" aria-hidden="true">${scale.ticks.map(
    (tick) => html`<text x="100%" y="${across(1 - scale.at(tick))}" dy="0.32em">${axis.format(tick)}</text>`,
  )}</svg>`
}

function xAxis(axis: Axis, scale: Scale): Markup {
  return html`<svg class="x-axis" aria-hidden="true">${scale.ticks.map((tick) => {
    const at = scale.at(tick)
    const anchor = at < 0.02 ? 'start' : at > 0.98 ? 'end' : 'middle'
    return html`<text x="${across(at)}" y="1.1em" text-anchor="${anchor}">${axis.format(tick)}</text>`
  })}</svg>`
}

function shading({ from, to }: { from: number; to: number }, x: Scale): Markup {
  const start = Math.max(0, x.at(from))
  const width = Math.max(0.002, Math.min(1, x.at(to)) - start)
  return html`<rect class="fault" x="${across(start)}" y="0" width="${across(width)}" height="100%"/>`
}

function curve(series: Series, x: Scale, y: Scale): Content {
  if (series.points.length < 2 || series.shape === 'points') return ''
  const places = series.points.map(([px, py]) => [x.at(px) * 1000, (1 - y.at(py)) * 1000] as const)
  const line = pathOf(places, series.shape === 'step')
  const look = `s${series.colour} dash${series.dash ?? 0}`
  if (series.shape !== 'area') return html`<path class="line ${look}" d="${line}"/>`
  const [first, last] = [places[0]!, places.at(-1)!]
  const closed = `${line}L${tenth(last[0])} 1000L${tenth(first[0])} 1000Z`
  return html`<path class="fill ${look}" d="${closed}"/><path class="line ${look}" d="${line}"/>`
}

function pathOf(places: readonly (readonly [number, number])[], stepped: boolean): string {
  const parts = places.map(([px, py], index) => {
    if (index === 0) return `M${tenth(px)} ${tenth(py)}`
    return stepped ? `H${tenth(px)}V${tenth(py)}` : `L${tenth(px)} ${tenth(py)}`
  })
  return parts.join('')
}

function tenth(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '')
}

function dots(series: Series, x: Scale, y: Scale): Content {
  return series.points.map(
    ([px, py]) => html`<circle class="dot s${series.colour}" cx="${across(x.at(px))}" cy="${across(1 - y.at(py))}" r="4"/>`,
  )
}

export function legend(series: readonly Series[]): Markup {
  return html`<ul class="legend">${series.map(
    (one) => html`<li><svg aria-hidden="true" width="26" height="10">${legendMark(one)}</svg>${one.name}</li>`,
  )}</ul>`
}

function legendMark({ shape, colour, dash = 0 }: Series): Markup {
  if (shape === 'points') return html`<circle class="dot s${colour}" cx="13" cy="5" r="4"/>`
  return html`<line class="line s${colour} dash${dash}" x1="1" x2="25" y1="5" y2="5"/>`
}
