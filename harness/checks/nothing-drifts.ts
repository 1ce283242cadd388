/**
 * Over hours nothing grows that should not: what is sampled once a second, and what each operation
 * takes, has no slope that would reach its limit within a week. Growth between restarts counts, and
 * growth that no restart takes back.
 */
import { build, type Histogram } from 'hdr-histogram-js'
import { limitsOf, type Check } from '../check.ts'
import type { HistoryEvent, Outcome } from '../history.ts'
import { amount, duration, plural } from '../report/figures.ts'
import type { Measurements } from '../report/result.ts'
import { fail, notApplicable, pass, unknown, type Verdict } from '../verdict.ts'
import { DriftSeries, driftOf, hourMs, type Drift } from './drift.ts'
import { diskShareKept, leastGrowthOf, settlesMs, watchedBy, type Concern, type Watched } from './soak-series.ts'

interface Limits {
  of: Concern
  /** How long it must last until a limit is reached. */
  lastsDays: number
  /** In place of the usual limit, by the series' name. */
  limits: Record<string, number>
}

interface Series {
  name: string
  watched: Watched
  values: DriftSeries
  restartsMs: number[]
}

interface State {
  limits: Limits
  startMs: number | null
  samples: number
  series: Map<string, Series>
  /** What each operation took since the last sample. */
  recent: Map<string, number[]>
  histograms: Map<string, Histogram>
  errors: number
  /** The origin's setting, and the most data files that it was seen to have open. */
  maxFileHandles: number | null
  dataFilesMax: number
}

type DriftMeasurement = NonNullable<Measurements['drift']>[number]

/** No more kinds of operations than a mix has. */
const latenciesMax = 24
/** An operation that is not seen in one of three seconds says little of how long it takes. */
const latencyShareMin = 1 / 3
/** Of a second; more say nothing more about the middle one. */
const recentMax = 500
const restartsShownMax = 200

export const nothingDriftsCheck: Check<State, Partial<Limits>> = {
  id: 'nothing-drifts',
  title: 'Nothing grows that should not',
  init: (limits) => ({
    limits: limitsOf({ of: 'memory', lastsDays: 7, limits: {} }, limits),
    startMs: null,
    samples: 0,
    series: new Map(),
    recent: new Map(),
    histograms: new Map(),
    errors: 0,
    maxFileHandles: null,
    dataFilesMax: 0,
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    if (event.kind === 'lifecycle') restart(state, event)
    if (state.limits.of === 'latency') keepOperation(state, event)
    if (event.kind === 'sample' && event.name === 'max-file-handles') state.maxFileHandles = event.value
    if (event.kind !== 'samples') return
    state.dataFilesMax = Math.max(state.dataFilesMax, event.values['origin.dataFiles'] ?? 0)
    state.samples += 1
    for (const [name, value] of Object.entries(event.values)) push(state, name, event.atMs, value)
    if (state.limits.of === 'latency') pushRecent(state, event.atMs)
  },
  finish: verdictOf,
  measure(state) {
    const drift = [...state.series.values()].map((series) => measured(state, series))
    return { ...(drift.length > 0 ? { drift } : {}), ...(state.histograms.size > 0 ? { latency: latencies(state) } : {}) }
  },
}

function push(state: State, name: string, atMs: number, value: number): void {
  const series = state.series.get(name) ?? begin(state, name)
  series?.values.push(atMs, value)
}

function begin(state: State, name: string): Series | undefined {
  const watched = watchedBy(name)
  if (watched?.concern !== state.limits.of) return undefined
  const series = { name, watched, values: new DriftSeries(), restartsMs: [] }
  state.series.set(name, series)
  return series
}

function restart({ series }: State, event: HistoryEvent & { kind: 'lifecycle' }): void {
  for (const one of series.values()) {
    const isReset = event.what === 'started' ? one.watched.resetBy.includes(event.hop) : event.what === 'replaced' && one.watched.concern === 'disk'
    if (!isReset) continue
    one.values.restart()
    if (one.restartsMs.length < restartsShownMax) one.restartsMs.push(event.atMs)
  }
}

/** A live read takes as long as its stream is silent. */
function keepOperation(state: State, event: HistoryEvent): void {
  if (event.kind === 'fail' || event.kind === 'info') state.errors += 1
  if (event.kind !== 'ok' || event.op === 'live') return
  const name = `latency.${event.op}.${event.via}`
  const tookMs = tookOf(event)
  const recent = state.recent.get(name)
  if (recent === undefined && state.recent.size >= latenciesMax) return
  if (recent === undefined) state.recent.set(name, [tookMs])
  else if (recent.length < recentMax) recent.push(tookMs)
  histogramOf(state, name).recordValue(Math.max(1, Math.round(tookMs * 1_000)))
}

function tookOf(event: Outcome & { atMs: number }): number {
  return event.atMs - event.invokedAtMs
}

function histogramOf({ histograms }: State, name: string): Histogram {
  const known = histograms.get(name)
  if (known) return known
  const made = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 2, useWebAssembly: false })
  histograms.set(name, made)
  return made
}

function pushRecent(state: State, atMs: number): void {
  for (const [name, tookMs] of state.recent) {
    if (tookMs.length > 0) push(state, name, atMs, tookMs.toSorted((a, b) => a - b)[tookMs.length >> 1]!)
    tookMs.length = 0
  }
  push(state, 'errors', atMs, state.errors)
  state.errors = 0
}

interface Found {
  series: Series
  drift: Drift
}

function foundIn(state: State): Found[] {
  return [...state.series.values()].flatMap((series) => {
    const drift = driftIn(state, series)
    return drift === null ? [] : [{ series, drift }]
  })
}

function driftIn(state: State, { name, watched, values }: Series): Drift | null {
  const { limits, samples } = state
  const limit = limits.limits[name] ?? watched.limit
  const isSeldom = watched.concern === 'latency' && values.count < samples * latencyShareMin
  return limit === null || isSeldom ? null : driftOf(values.stretches, { limit, lastsMs: limits.lastsDays * 24 * hourMs, leastGrowth: leastGrowthOf(watched), settlesMs: settlesMs(name), ...allowedOf(state, name) })
}

/** How fast it was written tells how fast the disk may fill. */
function allowedOf({ series }: State, name: string): { allowed?: number } {
  const written = series.get('disk.writtenBytes')?.values.stretches.flat() ?? []
  const [first, last] = [written[0], written.at(-1)]
  if (name !== 'disk.beyondLiveBytes' || !first || !last || last[0] === first[0]) return {}
  return { allowed: (diskShareKept * (last[1] - first[1])) / (last[0] - first[0]) }
}

const concernWords: Record<Concern, string> = {
  memory: 'memory',
  handles: 'descriptors and threads',
  disk: 'disk in use',
  cache: 'the cache',
  latency: 'latency',
}

function verdictOf(state: State): Verdict {
  const { of, lastsDays } = state.limits
  if (state.samples === 0) return unknown('Nothing was sampled.')
  if (state.series.size === 0) return notApplicable(`Nothing here tells of ${concernWords[of]}.`)
  const found = foundIn(state)
  const evidence = found.map(lineOf)
  const growing = worst(found.filter(({ drift }) => drift.kind === 'grows'))
  if (growing) {
    const { series, drift } = growing
    const figures = { value: inUnits(drift.perHour, series.watched), unit: unitOf(series.watched), limit: inUnits(drift.allowedPerHour, series.watched) }
    const fingerprint = `nothing-drifts/${of}/${series.name.replaceAll('.', '-')}/none/${series.watched.resetBy[0] ?? 'origin'}`
    return fail(state.samples, `The ${lineOf(growing)}`, evidence, fingerprint, figures)
  }
  const pool = beyondPool(state)
  if (pool !== null) return fail(state.samples, pool, evidence, 'nothing-drifts/handles/origin-dataFiles/none/origin', { value: state.dataFilesMax, unit: 'files', limit: state.maxFileHandles! + poolSlack })
  const open = worst(found.filter(({ drift }) => drift.kind !== 'holds'))
  if (open) return unknown(`The ${lineOf(open)}`, evidence, state.samples)
  if (found.length === 0) return unknown(`${plural(state.samples, 'sample')} are too few to tell anything of ${concernWords[of]}.`, [], state.samples)
  const steepest = worst(found)!
  const because = `By ${plural(state.samples, 'sample')} no figure of ${concernWords[of]} grows so that a limit is reached within ${plural(lastsDays, 'day')} (95 %); nearest to it: ${lineOf(steepest)}`
  return pass(state.samples, because, { evidence })
}

/** Readers at work, one that is being swapped, the metadata store. */
const poolSlack = 24

function beyondPool({ limits, maxFileHandles, dataFilesMax }: State): string | null {
  if (limits.of !== 'handles' || maxFileHandles === null || dataFilesMax <= maxFileHandles + poolSlack) return null
  return `The origin had ${plural(dataFilesMax, 'file')} of streams open at max_file_handles ${maxFileHandles}.`
}

/** The one that comes nearest to what it may, or is furthest beyond. */
function worst(found: Found[]): Found | undefined {
  return found.toSorted((a, b) => b.drift.highPerHour / b.drift.allowedPerHour - a.drift.highPerHour / a.drift.allowedPerHour)[0]
}

/** `memory of the origin grows by +61 MiB an hour (95 % between 52 MiB and 70 MiB): 15 h to the limit of 1 GiB.` */
function lineOf({ series, drift }: Found): string {
  const { title, unit } = series.watched
  const by = `${amount(drift.perHour, unit, true)} an hour (95 % between ${amount(drift.lowPerHour, unit)} and ${amount(drift.highPerHour, unit)})`
  const isDisk = series.name === 'disk.beyondLiveBytes'
  const allowed = `${amount(drift.allowedPerHour, unit)} is allowed${isDisk ? ', 2 % of what is written' : ''}`
  const needed = drift.neededMs === null ? '' : `; a run of about ${duration(roundedMs(drift.neededMs))} would tell`
  if (drift.kind === 'grows' && isDisk) return `${title} grows by ${by}; ${allowed}.`
  if (drift.kind === 'grows') return `${title} grows by ${by}: ${lasts(drift)} to the limit of ${amount(drift.limit, unit)}.`
  if (drift.kind === 'settles') return `${title} grew by ${by}, ever more slowly: it may end, and ${allowed}${needed}.`
  if (drift.kind === 'too-short') return `${title} cannot be told yet: ${by} at ${amount(drift.level, unit)}, ${allowed}${needed}.`
  return `${title} holds at ${amount(drift.level, unit)}: ${by}, ${allowed}.`
}

function lasts({ lastsMs }: Drift): string {
  const ms = lastsMs ?? 0
  return ms >= 48 * hourMs ? plural(Math.round(ms / hourMs / 24), 'day') : duration(ms)
}

function roundedMs(ms: number): number {
  const unit = ms > 2 * hourMs ? 600_000 : 60_000
  return Math.ceil(ms / unit) * unit
}

const MiB = 2 ** 20

function inUnits(perHour: number, { unit }: Watched): number {
  return Number((unit === 'bytes' ? perHour / MiB : perHour).toPrecision(3))
}

function unitOf({ unit }: Watched): string {
  return unit === 'bytes' ? 'MiB/h' : unit === 'ms' ? 'ms/h' : 'an hour'
}

function measured(state: State, series: Series): DriftMeasurement {
  const drift = driftIn(state, series)
  const startMs = state.startMs ?? 0
  const finite = (value: number) => (Number.isFinite(value) ? value : null)
  const points = series.values.stretches.flat().map(([at, value]): [number, number] => [Math.round(at - startMs), Number(value.toPrecision(6))])
  return {
    name: series.name,
    title: series.watched.title,
    concern: series.watched.concern,
    unit: series.watched.unit,
    trend: drift && {
      kind: drift.kind,
      perHour: drift.perHour,
      lowPerHour: finite(drift.lowPerHour),
      highPerHour: finite(drift.highPerHour),
      allowedPerHour: drift.allowedPerHour,
      level: drift.level,
      limit: drift.limit,
      lastsMs: drift.lastsMs,
      neededMs: drift.neededMs,
    },
    restartsMs: series.restartsMs.map((at) => Math.round(at - startMs)),
    points,
  }
}

function latencies({ histograms }: State): NonNullable<Measurements['latency']> {
  return [...histograms].map(([name, histogram]) => {
    const [, op = '', via = ''] = name.split('.')
    const at = (percentile: number) => Number((histogram.getValueAtPercentile(percentile) / 1_000).toPrecision(3))
    return { op, via, count: histogram.totalCount, p50Ms: at(50), p99Ms: at(99), maxMs: Number((histogram.maxValue / 1_000).toPrecision(3)) }
  })
}

/** Of one concern, in one line: for who watches the run. */
export function worstDrift(state: State): string | null {
  const found = worst(foundIn(state))
  return found === undefined ? null : lineOf(found)
}
