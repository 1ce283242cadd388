/** From values to places on an axis, with ticks at round numbers. */

export interface Scale {
  ticks: number[]
  /** 0 at the axis's start, 1 at its end. */
  at(value: number): number
  /** For the axis's label: empty for a linear one. */
  note: '' | 'log scale' | 'symmetric log scale'
}

export interface ScaleOptions {
  /** 'auto' takes a logarithm where the values spread over more than 50 times. */
  kind: 'linear' | 'log' | 'auto'
  /** Values that must lie on the axis whatever the data. */
  include?: readonly number[]
  ticksMax: number
  /** The axis ends where the data ends, not at the next tick: for what must line up with something. */
  exact?: boolean
  /** What a step of the axis is a round number of: 1,024 for bytes, each 1,024 times as large. */
  base?: 1_000 | 1_024
}

/** No measured value is larger; beyond it a subtraction might overflow. */
const largest = 1e15
const spreadForLog = 50

export function scaleFor(values: readonly number[], options: ScaleOptions): Scale {
  const all = [...values, ...(options.include ?? [])].map(bounded)
  const low = all.reduce((least, value) => Math.min(least, value), Infinity)
  const high = all.reduce((most, value) => Math.max(most, value), -Infinity)
  if (all.length === 0) return linear(0, 1, options)
  if (options.kind === 'linear') return linear(low, high, options)
  if (low > 0 && (options.kind === 'log' || high / low >= spreadForLog)) {
    return logarithmic(low, high, options.ticksMax)
  }
  return isSkewed(all, high - low) ? symmetric(low, high, options.ticksMax) : linear(low, high, options)
}

function bounded(value: number): number {
  return Math.max(-largest, Math.min(largest, value))
}

/** Most values lie close together, and a few far away: a linear axis would show only these. */
function isSkewed(values: number[], span: number): boolean {
  const sizes = values.map(Math.abs).sort((a, b) => a - b)
  return span > spreadForLog * Math.max(sizes[Math.floor(sizes.length / 2)]!, 1)
}

function linear(low: number, high: number, options: Omit<ScaleOptions, 'kind'>): Scale {
  const [from, to] = isOne(low, high) ? [Math.min(low, 0), Math.max(high, isOne(low, 0) ? 1 : 0)] : [low, high]
  const step = roundStep((to - from) / Math.max(1, options.ticksMax - 1), options.base ?? 1_000)
  const start = Math.floor(from / step + 1e-9)
  const end = Math.max(start + 1, Math.ceil(to / step - 1e-9))
  const ticks = Array.from({ length: Math.min(end - start, 20) + 1 }, (_, index) => (start + index) * step)
  const [first, last] = options.exact ? [from, to] : [start * step, end * step]
  const at = (value: number) => (bounded(value) - first) / (last - first)
  return { ticks: ticks.filter((tick) => at(tick) > -1e-9 && at(tick) < 1 + 1e-9), at, note: '' }
}

/** Too close to each other to be told apart on an axis, or by floating point. */
function isOne(low: number, high: number): boolean {
  return high - low <= Math.max(Math.abs(low), Math.abs(high), 1e-3) * 1e-9
}

/** The next of 1, 2, 5, 10, 20, ... times a power of the base. */
function roundStep(raw: number, base: number): number {
  const unit = base === 1_000 || raw < 1 ? 1 : base ** Math.floor(Math.log(raw) / Math.log(base))
  const decade = 10 ** Math.floor(Math.log10(raw / unit))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * decade >= (raw / unit) * 0.999_999) ?? 10
  return factor * decade * unit
}

function logarithmic(low: number, high: number, ticksMax: number): Scale {
  const from = Math.max(Math.log10(low), -9)
  const to = Math.max(Math.log10(high), from)
  const start = roundDown(from)
  const end = Math.max(roundUp(to), start + Math.log10(2))
  const ticks = logTicks(start, end, ticksMax)
  const at = (value: number) => (Math.log10(Math.max(bounded(value), 1e-9)) - start) / (end - start)
  return { ticks, at, note: 'log scale' }
}

const fractions = [0, Math.log10(2), Math.log10(5), 1]

function roundDown(exponent: number): number {
  const decade = Math.floor(exponent + 1e-9)
  return decade + fractions.findLast((fraction) => decade + fraction <= exponent + 1e-9)!
}

function roundUp(exponent: number): number {
  const decade = Math.floor(exponent)
  return decade + fractions.find((fraction) => decade + fraction >= exponent - 1e-9)!
}

function logTicks(start: number, end: number, ticksMax: number): number[] {
  const decades = Math.floor(end) - Math.ceil(start)
  if (decades < 2) {
    const fine = range(Math.floor(start), Math.ceil(end)).flatMap((decade) => fractions.slice(0, 3).map((f) => decade + f))
    const within = fine.filter((tick) => tick >= start - 1e-9 && tick <= end + 1e-9).map(power)
    return within.filter((_, index) => index % Math.ceil(within.length / ticksMax) === 0)
  }
  const stride = Math.ceil((decades + 1) / ticksMax)
  return range(Math.ceil(start - 1e-9), Math.floor(end + 1e-9), stride).map(power)
}

function range(from: number, to: number, stride = 1): number[] {
  return Array.from({ length: Math.floor((to - from) / stride) + 1 }, (_, index) => from + index * stride)
}

/** 10 to the exponent, without the dust of floating point. */
function power(exponent: number): number {
  return Number((10 ** exponent).toPrecision(6))
}

/** Linear within one unit around zero, logarithmic beyond it: times may be negative. */
function symmetric(low: number, high: number, ticksMax: number): Scale {
  const bend = (value: number) => Math.sign(value) * Math.log10(1 + Math.abs(value))
  const from = bend(low)
  const to = bend(high)
  const decades = Math.ceil(Math.log10(1 + Math.max(Math.abs(low), Math.abs(high))))
  const stride = Math.ceil((2 * decades) / Math.max(1, ticksMax - 1))
  const sizes = range(1, decades, stride).map(power)
  const candidates = [...sizes.map((size) => -size).reverse(), 0, ...sizes]
  const ticks = candidates.filter((tick) => bend(tick) >= from - 1e-9 && bend(tick) <= to + 1e-9)
  return { ticks, at: (value) => (bend(bounded(value)) - from) / (to - from), note: 'symmetric log scale' }
}
