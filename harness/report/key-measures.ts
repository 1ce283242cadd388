/** The few figures of a scenario that a reader wants beside its verdict: one sentence each. */
import { bytes, duration, number, percent, plural } from './figures.ts'
import type { FanOutMeasurement, Measurements } from './result.ts'

export const modeWords: Record<FanOutMeasurement['mode'], string> = {
  'catch-up': 'catch-up',
  'catch-up-tail': 'catch-up at the tail',
  'long-poll': 'long-poll',
  sse: 'SSE',
}

export const pathWords: Record<FanOutMeasurement['path'], string> = {
  'edge-http1': 'cache, HTTP/1.1',
  'tls-h2': 'TLS and cache, h2',
  direct: 'without the cache',
}

/** A crowd's name: `crowd 1`, or what it was called (`late`). */
export function crowdWords(generation: string): string {
  return /^\d+$/.test(generation) ? `crowd ${generation}` : generation
}

export function keyMeasures(measurements: Measurements): string[] {
  return [
    ...durability(measurements),
    ...(measurements.fanOut ?? []).map(fanOut),
    ...fileHandles(measurements),
    ...passage(measurements),
    ...expiry(measurements),
    ...readiness(measurements),
    ...disk(measurements),
  ]
}

function durability({ durability: seen }: Measurements): string[] {
  if (!seen) return []
  const harm = [
    `${number(seen.lost)} lost`,
    `${number(seen.doubled)} doubled`,
    `${number(seen.reordered)} reordered`,
    `${number(seen.torn)} torn`,
  ].join(', ')
  const counted = `${plural(seen.kills, 'kill')} under load (${number(seen.killsVoid)} void), ${plural(seen.restarts, 'restart')}`
  const sentences = [
    `${counted}: of ${number(seen.appendsAcknowledged)} acknowledged appends ${harm}; ready within ${duration(seen.readyMsMax)}.`,
  ]
  if (seen.failureRateBound !== null) sentences.push(boundSentence(seen.kills, seen.failureRateBound))
  return sentences
}

function boundSentence(kills: number, bound: number): string {
  return `${plural(kills, 'clean kill')} leave a failure rate of up to ${percent(bound)} a kill possible (95 %).`
}

function fanOut(seen: FanOutMeasurement): string {
  const who = `${modeWords[seen.mode]}, ${pathWords[seen.path]}, ${crowdWords(seen.generation)}`
  const requests = `${plural(seen.upstreamRequests, 'upstream request')}`
  const probes = seen.probeRequests > 0 ? ` and ${plural(seen.probeRequests, 'probe')}` : ''
  const whole = `${number(seen.identical)} of ${number(seen.readers)} answers right`
  return `${who}: ${whole}, ${requests}${probes}, p99 ${duration(seen.spreadP99Ms)}.`
}

function fileHandles({ fileHandles: seen, fileHandlesRecommended: advice }: Measurements): string[] {
  const sentences = (seen ?? []).map(
    (one) =>
      `max_file_handles ${number(one.maxFileHandles)} with ${plural(one.streams, 'stream')}: ${plural(one.errors, 'error')}, ` +
      `${number(one.lost)} lost, at most ${plural(one.openFilesMax, 'file')} open, ` +
      `${number(one.appendsPerSecond)} appends/s, p99 ${duration(one.p99Ms)}.`,
  )
  if (!advice) return sentences
  return [
    ...sentences,
    `Recommended for ${plural(advice.streams, 'stream')}: max_file_handles ${number(advice.maxFileHandles)} (${advice.because}).`,
  ]
}

function passage({ passage: seen }: Measurements): string[] {
  return (seen ?? []).map(
    (one) =>
      `${modeWords[one.mode]} through ${one.via}: ${plural(one.events, 'event')}, ` +
      `p50 ${duration(one.p50Ms)}, at most ${duration(one.maxMs)} after the append.`,
  )
}

function expiry({ expiry: seen }: Measurements): string[] {
  return (seen ?? []).map((one) =>
    one.probes === 0
      ? `${one.mode} through ${one.via}: never probed after its expiry.`
      : `${one.mode} through ${one.via}: last seen ${duration(one.lateByMsMax)} after expiry (${plural(one.probes, 'probe')}).`,
  )
}

function readiness({ readiness: seen }: Measurements): string[] {
  return (seen ?? []).map(
    (one) =>
      `With ${plural(one.streams, 'stream')} ready in ${duration(one.readyMs)}, using ${bytes(one.rssBytes)}.`,
  )
}

function disk({ disk: seen }: Measurements): string[] {
  if (!seen || seen.length === 0) return []
  const peak = seen.reduce((most, one) => (one.bytes > most ? one.bytes : most), 0)
  const last = seen.reduce((latest, one) => (one.atMs >= latest.atMs ? one : latest))
  return [`Disk below data_dir: at most ${bytes(peak)}, ${bytes(last.bytes)} at the end.`]
}
