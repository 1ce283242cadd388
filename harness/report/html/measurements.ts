/** A scenario's figures, drawn and as tables. */
import { bytes, duration, number, percent, plural } from '../figures.ts'
import { modeWords } from '../../crowd-words.ts'
import { cleanBound, expiryByWay, harmOf, hopWords, type Expiry, type Measured } from '../key-measures.ts'
import type { Measurements } from '../result.ts'
import { drift } from './drift.ts'
import { fanOut } from './fan-out.ts'
import { html, type Content, type Markup } from './markup.ts'
import { plot, type Series } from './plot.ts'
import { table, type Column } from './table.ts'
import { usage } from './usage.ts'

type Durability = NonNullable<Measurements['durability']>
type Readiness = NonNullable<Measurements['readiness']>[number]
type FileHandles = NonNullable<Measurements['fileHandles']>[number]
type Passage = NonNullable<Measurements['passage']>[number]

export function measurementFigures({ measurements: seen, checks }: Measured): Content {
  return [
    seen.durability ? durability(seen.durability, checks) : '',
    fanOut(seen.fanOut),
    readiness(seen.readiness ?? []),
    fileHandles(seen),
    passage(seen.passage ?? []),
    expiry(seen.expiry ?? []),
    disk(seen.disk ?? []),
    drift(seen),
    usage(seen),
  ]
}

function durability(seen: Durability, checks: Measured['checks']): Markup {
  const bound = cleanBound(seen, checks)
  return html`<dl class="tiles">
    ${tile(number(seen.kills), 'kills under load', '')}
    ${tile(number(seen.killsVoid), 'kills that prove nothing', seen.killsVoid > 0 ? 'open' : '')}
    ${tile(number(seen.restarts), 'starts', '')}
    ${tile(number(seen.appendsAcknowledged), 'appends acknowledged', '')}
    ${harmOf(seen, checks).map(({ word, count, judged }) =>
      judged ? tile(number(count), word, count > 0 ? 'bad' : 'good') : tile('?', `${word}: not judged`, 'open'),
    )}
    ${tile(duration(seen.readyMsMax), 'slowest start', '')}
    ${bound === null ? '' : boundTile(bound)}
  </dl>`
}

function boundTile(bound: number): Markup {
  if (bound >= 1) return tile('no bound', 'on failures a kill: too few kills', 'open')
  return tile(`< ${percent(bound)}`, 'failures a kill still possible (95 %)', '')
}

function tile(figure: string, what: string, tone: string): Markup {
  return html`<div class="${tone}"><dt>${what}</dt><dd>${figure}</dd></div>`
}

function readiness(seen: readonly Readiness[]): Content {
  if (seen.length === 0) return ''
  const sorted = seen.toSorted((a, b) => a.streams - b.streams)
  const streams = { label: 'streams', scale: 'auto' as const, format: number }
  const words = sorted.map((one) => `${number(one.streams)}: ${duration(one.readyMs)}, ${bytes(one.rssBytes)}`)
  const columns: Column<Readiness>[] = [
    { head: 'Streams', figures: true, cell: (one) => number(one.streams) },
    { head: 'Start', cell: (one) => startWords(one) },
    { head: 'Ready after', figures: true, cell: (one) => duration(one.readyMs) },
    { head: 'Memory', figures: true, cell: (one) => bytes(one.rssBytes) },
  ]
  return html`<div class="plots">
    ${plot({
      title: 'Time until ready against the number of streams',
      summary: words.slice(0, 8).join('; '),
      x: streams,
      y: { label: 'ready after', scale: 'linear', include: [0], format: duration },
      series: byStart(sorted, (one) => one.readyMs),
    })}
    ${plot({
      title: 'The server\'s memory against the number of streams',
      summary: words.slice(0, 8).join('; '),
      x: streams,
      y: { label: 'memory', scale: 'linear', include: [0], format: bytes, base: 1_024 },
      series: byStart(sorted, (one) => one.rssBytes),
    })}
  </div>${table('Starts by number of streams', columns, sorted)}`
}

function startWords({ after }: Readiness): string {
  return after === undefined ? 'the first' : `after a ${after}`
}

/** A start after a clean stop and one after a kill do different work: each has a curve of its own. */
function byStart(starts: readonly Readiness[], of: (one: Readiness) => number): Series[] {
  const kinds = [...new Set(starts.map(startWords))]
  return kinds.map((kind, index) => {
    const points = starts.filter((one) => startWords(one) === kind).map((one): [number, number] => [one.streams, of(one)])
    return { ...marked(kind, points, 1 + (index % colours)), dash: index % 3 }
  })
}

function marked(name: string, points: [number, number][], colour: number): Series {
  // Several starts with as many streams: a line through them would mean nothing.
  const isFunction = new Set(points.map(([x]) => x)).size === points.length
  return { name, points, shape: isFunction ? 'line' : 'points', marked: true, colour }
}

function fileHandles({ fileHandles: seen = [], fileHandlesRecommended: advice }: Measurements): Content {
  if (seen.length === 0) return ''
  const sorted = seen.toSorted((a, b) => a.maxFileHandles - b.maxFileHandles)
  const settings = { label: 'max_file_handles', scale: 'auto' as const, format: number }
  const words = sorted.map((one) => `${number(one.maxFileHandles)}: ${number(one.appendsPerSecond)} appends/s, p99 ${duration(one.p99Ms)}`)
  return html`${advice ? html`<p class="advice"><strong>max_file_handles ${number(advice.maxFileHandles)}</strong> is recommended for ${plural(advice.streams, 'stream')}: ${advice.because}.</p>` : ''}
  <div class="plots">
    ${plot({
      title: 'Throughput against max_file_handles',
      summary: words.slice(0, 8).join('; '),
      x: settings,
      y: { label: 'appends/s', scale: 'linear', include: [0], format: number },
      series: [marked('appends/s', sorted.map((one) => [one.maxFileHandles, one.appendsPerSecond]), 1)],
    })}
    ${plot({
      title: 'Latency of appends against max_file_handles',
      summary: words.slice(0, 8).join('; '),
      x: settings,
      y: { label: 'p99', scale: 'linear', include: [0], format: duration },
      series: [marked('p99', sorted.map((one) => [one.maxFileHandles, one.p99Ms]), 2)],
    })}
  </div>${table('File handles', fileHandleColumns, sorted)}`
}

const fileHandleColumns: Column<FileHandles>[] = [
  { head: 'max_file_handles', figures: true, cell: (one) => number(one.maxFileHandles) },
  { head: 'Streams', figures: true, cell: (one) => number(one.streams) },
  { head: 'Errors', figures: true, cell: (one) => harmful(one.errors) },
  { head: 'Lost', figures: true, cell: (one) => harmful(one.lost) },
  { head: 'Open files, at most', figures: true, cell: (one) => number(one.openFilesMax) },
  { head: 'Appends/s', figures: true, cell: (one) => number(one.appendsPerSecond) },
  { head: 'p99', figures: true, cell: (one) => duration(one.p99Ms) },
]

function harmful(count: number): Content {
  return count > 0 ? html`<strong class="bad">${number(count)}</strong>` : '0'
}

function passage(seen: readonly Passage[]): Content {
  if (seen.length === 0) return ''
  const columns: Column<Passage>[] = [
    { head: 'Read mode', cell: (one) => modeWords[one.mode] },
    { head: 'Through', cell: (one) => hopWords[one.via] },
    { head: 'Events', figures: true, cell: (one) => number(one.events) },
    { head: 'p50', figures: true, cell: (one) => duration(one.p50Ms) },
    { head: 'At most', figures: true, cell: (one) => duration(one.maxMs) },
  ]
  return table('From the append\'s acknowledgement to the event at the reader', columns, seen)
}

function expiry(seen: readonly Expiry[]): Content {
  if (seen.length === 0) return ''
  const columns: Column<Expiry>[] = [
    { head: 'How', cell: (one) => modeWords[one.mode as keyof typeof modeWords] ?? one.mode },
    { head: 'Through', cell: (one) => hopWords[one.via as keyof typeof hopWords] ?? one.via },
    { head: 'Last seen after expiry', figures: true, cell: (one) => lastSeen(one) },
    { head: 'Looks', figures: true, cell: (one) => number(one.probes) },
  ]
  return table('How long an expired stream could still be seen', columns, expiryByWay(seen))
}

function lastSeen({ probes, lateByMsMax }: Expiry): string {
  if (probes === 0) return 'not looked'
  return lateByMsMax > 0 ? duration(lateByMsMax) : 'never seen'
}

type DiskSample = NonNullable<Measurements['disk']>[number]

const colours = 6

function disk(samples: readonly DiskSample[]): Content {
  if (samples.length === 0) return ''
  const seen = samples.toSorted((a, b) => a.atMs - b.atMs)
  const names = [...new Set(seen.map((one) => one.what))]
  const series = areMoments(seen, names.length)
    ? [diskSeries('disk in use', seen, 0)]
    : names.slice(0, colours).map((what, index) => diskSeries(what, seen.filter((one) => one.what === what), index))
  const ends = names.slice(0, colours).map((what) => `${what}: ${bytes(seen.findLast((one) => one.what === what)!.bytes)}`)
  return html`${plot({
    title: 'Disk below data_dir around the expiry',
    summary: `${ends.join('; ')}.`,
    x: { label: 'since the expiry', scale: 'linear', include: [0], format: duration, exact: true },
    y: { label: 'disk in use', scale: 'linear', include: [0], format: bytes, base: 1_024 },
    series,
    marks: [0],
  })}<p class="quiet">${ends.join('; ')}. The vertical line is the expiry.</p>`
}

/** Names that follow each other in time are moments of one measurement, not several of them. */
function areMoments(seen: readonly DiskSample[], names: number): boolean {
  const changes = seen.filter((one, index) => index > 0 && one.what !== seen[index - 1]!.what)
  return changes.length === names - 1
}

function diskSeries(name: string, samples: readonly DiskSample[], index: number): Series {
  const points = samples.map((one): [number, number] => [one.atMs, one.bytes])
  return { name, points, shape: 'step', marked: points.length <= 12, colour: index + 1, dash: index % 3 }
}
