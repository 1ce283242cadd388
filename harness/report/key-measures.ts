/** The few figures of a scenario that a reader wants beside its verdict: one sentence each. */
import { amount, bytes, duration, number, percent, plural } from './figures.ts'
import { modeWords } from '../crowd-words.ts'
import { stockSentences } from './stock-cache.ts'
import type { FanOutMeasurement, Measurements, ScenarioResult } from './result.ts'

/** Of a scenario the part that its figures come from. */
export type Measured = Pick<ScenarioResult, 'measurements' | 'checks'>

export function keyMeasures({ measurements, checks }: Measured): string[] {
  return [
    ...durability(measurements, checks),
    ...fanOut(measurements.fanOut ?? []),
    ...stockSentences(measurements.stockCache?.modes ?? []),
    ...fileHandles(measurements),
    ...passage(measurements),
    ...expiry(measurements),
    ...readiness(measurements),
    ...disk(measurements),
    ...drift(measurements),
  ]
}

export interface Harm {
  word: string
  count: number
  /** Whether streams were read back and looked at: only then does a zero mean anything. */
  judged: boolean
}

/** What became of acknowledged appends, each with whether anybody looked. */
export function harmOf(seen: NonNullable<Measurements['durability']>, checks: Measured['checks']): Harm[] {
  const judged = (id: string) => checks.some((check) => check.id === id && (check.verdict === 'pass' || check.verdict === 'fail'))
  return [
    { word: 'lost', count: seen.lost, judged: judged('nothing-acknowledged-is-lost') },
    { word: 'doubled', count: seen.doubled, judged: judged('nothing-is-twice') },
    { word: 'reordered', count: seen.reordered, judged: judged('order-is-kept') },
    { word: 'torn', count: seen.torn, judged: judged('nothing-is-torn') },
  ].map((harm) => ({ ...harm, judged: harm.judged || harm.count > 0 }))
}

/** What clean kills leave possible; null where they were not all clean, or nobody looked. */
export function cleanBound(seen: NonNullable<Measurements['durability']>, checks: Measured['checks']): number | null {
  return harmOf(seen, checks).every(({ judged, count }) => judged && count === 0) ? seen.failureRateBound : null
}

function durability({ durability: seen }: Measurements, checks: Measured['checks']): string[] {
  if (!seen) return []
  const harm = harmOf(seen, checks).filter(({ judged }) => judged).map(({ word, count }) => `${number(count)} ${word}`)
  const counted = `${plural(seen.kills, 'kill')} under load (${number(seen.killsVoid)} void), ${plural(seen.restarts, 'start')}`
  const appends = `${plural(seen.appendsAcknowledged, 'acknowledged append')}`
  const what = harm.length === 0 ? `${appends}, not judged` : `of ${appends} ${harm.join(', ')}`
  const sentences = [`${counted}: ${what}; slowest start ${duration(seen.readyMsMax)}.`]
  const bound = cleanBound(seen, checks)
  if (bound !== null) sentences.push(boundSentence(seen.kills, bound))
  return sentences
}

function boundSentence(kills: number, bound: number): string {
  if (bound >= 1) return `${plural(kills, 'clean kill')}: too few to bound the failure rate.`
  return `After ${plural(kills, 'clean kill')} a failure rate of up to ${percent(bound)} a kill is still possible (95 %).`
}

/** One sentence for each read mode behind the cache, and one for the control without it. */
function fanOut(seen: readonly FanOutMeasurement[]): string[] {
  const modes = [...new Set(seen.map((one) => one.mode))]
  const cached = modes.map((mode) => seen.filter((one) => one.mode === mode && one.path !== 'direct'))
  const control = seen.filter((one) => one.path === 'direct')
  const sentences = cached.filter((crowds) => crowds.length > 0).map(crowdsOfMode)
  if (control.length === 0) return sentences
  const requests = sum(control.map((one) => one.upstreamRequests))
  return [...sentences, `Without the cache ${plural(sum(control.map((one) => one.readers)), 'reader')} were ${plural(requests, 'upstream request')}: the control.`]
}

function crowdsOfMode(crowds: readonly FanOutMeasurement[]): string {
  const worst = crowds.reduce((most, one) => (excess(one) > excess(most) ? one : most))
  const requests = `${plural(worst.upstreamRequests, 'upstream request')} (${number(worst.upstreamRequestsMax)} allowed)${probesOf(worst)}`
  const p99 = Math.max(...crowds.map((one) => one.spreadP99Ms))
  const right = `${number(sum(crowds.map((one) => one.identical)))} of ${number(sum(crowds.map((one) => one.readers)))} answers right`
  return `${modeWords[crowds[0]!.mode]}: ${plural(crowds.length, 'crowd')}, ${right}, at worst ${requests}, p99 at most ${duration(p99)}.`
}

function probesOf(one: FanOutMeasurement): string {
  if (one.probeRequests === 0) return ''
  const allowed = one.probeRequestsMax === undefined ? '' : ` (${number(one.probeRequestsMax)} allowed)`
  return `, ${plural(one.probeRequests, 'probe')}${allowed}`
}

/** Requests or probes beyond their limit, whichever is more. */
function excess(one: FanOutMeasurement): number {
  const probes = one.probeRequests - (one.probeRequestsMax ?? Infinity)
  return Math.max(one.upstreamRequests - one.upstreamRequestsMax, probes)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function fileHandles({ fileHandles: seen, fileHandlesRecommended: advice }: Measurements): string[] {
  const sentences = (seen ?? []).toSorted((a, b) => a.maxFileHandles - b.maxFileHandles).map(
    (one) =>
      `max_file_handles ${number(one.maxFileHandles)} with ${plural(one.streams, 'stream')}: ${plural(one.errors, 'error')}, ` +
      `${number(one.lost)} lost, at most ${plural(one.openFilesMax, 'file')} open, ` +
      `${number(one.appendsPerSecond)} appends/s, p99 ${duration(one.p99Ms)}.`,
  )
  if (!advice) return sentences
  return [
    `max_file_handles ${number(advice.maxFileHandles)} is recommended for ${plural(advice.streams, 'stream')}: ${advice.because}.`,
    ...sentences,
  ]
}

/** By which way an event came. */
export const hopWords = { origin: 'origin alone', edge: 'cache', tls: 'TLS and cache' } as const

/** One sentence for all modes: most scenarios with an operator at work have these. */
function passage({ passage: seen = [] }: Measurements): string[] {
  if (seen.length === 0) return []
  const modes = [...new Set(seen.map(({ mode }) => mode))].map((mode) => {
    const hops = seen.filter((one) => one.mode === mode)
    return `${modeWords[mode]} ${hops.map(({ via, maxMs }) => `${duration(maxMs)} (${hopWords[via]})`).join(', ')}`
  })
  return [`Events behind their append, at most: ${modes.join('; ')}.`]
}

/** Ways of reading in which an expired stream was seen are named; the others are counted. */
function expiry({ expiry: seen = [] }: Measurements): string[] {
  const ways = expiryByWay(seen)
  const probed = ways.filter((one) => one.probes > 0)
  const late = probed.filter((one) => one.lateByMsMax > 0)
  if (probed.length === 0) return []
  const probes = sum(probed.map((one) => one.probes))
  const counted = `${plural(probes, 'look')} at expired streams in ${plural(probed.length, 'way')}`
  if (late.length === 0) return [`${counted} found nothing.`]
  const words = late.map((one) => `${one.mode} through ${one.via} ${duration(one.lateByMsMax)}`)
  return [`${counted}; last seen after the expiry by ${words.join(', ')}.`]
}

export type Expiry = NonNullable<Measurements['expiry']>[number]

/** Several checks may have looked in the same way: one entry each, with the latest sight of all. */
export function expiryByWay(seen: readonly Expiry[]): Expiry[] {
  const ways = new Map<string, Expiry>()
  for (const one of seen) {
    const key = JSON.stringify([one.mode, one.via])
    const before = ways.get(key) ?? { ...one, lateByMsMax: -Infinity, probes: 0 }
    const lateByMsMax = one.probes > 0 ? Math.max(before.lateByMsMax, one.lateByMsMax) : before.lateByMsMax
    ways.set(key, { ...before, lateByMsMax, probes: before.probes + one.probes })
  }
  return [...ways.values()].toSorted((a, b) => a.mode.localeCompare(b.mode) || b.via.localeCompare(a.via))
}

/** An empty server alone is measured for nobody. */
function readiness({ readiness: seen = [] }: Measurements): string[] {
  if (seen.every(({ streams }) => streams === 0)) return []
  return seen.map((one) => {
    const after = one.after === undefined ? '' : ` after a ${one.after.replace('-', ' ')}`
    return `With ${plural(one.streams, 'stream')} ready ${duration(one.readyMs)}${after}, using ${bytes(one.rssBytes)}.`
  })
}

function disk({ disk: seen }: Measurements): string[] {
  if (!seen || seen.length === 0) return []
  const peak = seen.reduce((most, one) => (one.bytes > most ? one.bytes : most), 0)
  const last = seen.reduce((latest, one) => (one.atMs >= latest.atMs ? one : latest))
  return [`Disk below data_dir: at most ${bytes(peak)}, ${bytes(last.bytes)} at the end.`]
}

/** What grows, or may; of the rest how much was watched. */
function drift({ drift: seen = [] }: Measurements): string[] {
  const judged = seen.flatMap((one) => (one.trend === null ? [] : [{ ...one, trend: one.trend }]))
  if (judged.length === 0) return []
  const holding = judged.filter(({ trend }) => trend.kind === 'holds').length
  const telling = judged.filter(({ trend }) => trend.kind === 'grows' || trend.kind === 'settles')
  const lines = telling.map(({ title, unit, trend }) => `The ${title} ${trend.kind === 'grows' ? 'grows' : 'grew, ever more slowly,'} by ${amount(trend.perHour, unit, true)} an hour.`)
  return [...lines, `${number(holding)} of ${plural(judged.length, 'figure')} watched once a second ${holding === 1 ? 'holds' : 'hold'} (95 %).`]
}
