/** Answers, and what they are held against, in the words of the report's evidence. */
import type { Claim, ReadMode, Upstream } from '../../history.ts'
import { viaWords } from '../../hop-words.ts'
import { duration } from '../../report/figures.ts'
import type { Answered } from './episodes.ts'
import type { StreamModel } from './stream-model.ts'

export const readModeWords: Record<ReadMode, string> = {
  history: 'catch-up',
  tail: 'catch-up at the tail',
  'long-poll': 'long-poll',
  sse: 'SSE',
  head: 'HEAD',
  now: 'offset=now',
}

/** `GET /s?offset=-1 through the cache: 200, 3 records up to x/1.3, next 0_12, up to date, 40 ms after what it missed`. */
export function answerWords(answer: Answered, { claim, lateMs }: { claim: Claim | null; lateMs: number }): string {
  const method = answer.mode === 'head' ? 'HEAD' : 'GET'
  const late = lateMs > 0 ? `, ${duration(lateMs)} after what it missed` : ''
  return `${method} ${answer.target} through ${viaWords[answer.via] ?? answer.via}: ${answer.status}, ${claimWords(claim)}${late}`
}

export function claimWords(claim: Claim | null): string {
  if (claim === null) return 'no such stream'
  const last = claim.records.at(-1)
  const records = last === undefined ? 'no record' : `${claim.records.length} records up to ${last}`
  const damaged = claim.damaged > 0 ? `, ${claim.damaged} damaged` : ''
  const said = [claim.upToDate ? 'up to date' : '', claim.closed ? 'closed' : ''].filter(Boolean).join(', ')
  return `${records}${damaged}, next ${claim.nextOffset}${said === '' ? '' : `, ${said}`}`
}

/** `; the origin, asked 30 ms before this reader, had said 200, Cache-Control none`; nothing where it is not known. */
export function originWords(upstream: Upstream | undefined, answer: Answered): string {
  if (upstream === undefined) return ''
  const before = answer.invokedAtMs - upstream.askedAtMs
  const asked = before >= 0 ? `${duration(before)} before this reader` : 'for this reader'
  const etag = upstream.headers.etag ? `, ETag ${upstream.headers.etag}` : ''
  const ended = upstream.endedAtMs === null ? '' : `, ended ${duration(Math.abs(answer.invokedAtMs - upstream.endedAtMs))} ${upstream.endedAtMs < answer.invokedAtMs ? 'before' : 'after'} it asked`
  return `; the origin, asked ${asked}, had said ${upstream.status}, Cache-Control ${upstream.headers['cache-control'] ?? 'none'}${etag}${ended}`
}

/** What the stream was when the reader asked: the last change before, and the first one after. */
export function describe({ versions }: StreamModel, answer: Answered): string {
  const surely = versions.findLastIndex(({ latestMs }) => latestMs < answer.invokedAtMs)
  const version = versions[Math.max(0, surely)]!
  const state = version.exists ? `${version.records.length} records, next ${version.offsets.at(-1) ?? '?'}${version.closed ? ', closed' : ''}` : 'gone'
  if (version.by === 'nothing') return 'before it there was nothing'
  const through = version.by === 'expire' ? '' : version.throughEdge ? ' through the cache' : ' at the origin'
  return `before it, ${duration(answer.invokedAtMs - version.latestMs)} ago, ${version.by}${through}: ${state}`
}
