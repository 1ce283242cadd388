/**
 * The verdict on one answer: whether what it told was so, at a moment at which the reader may be told
 * it; and if not, whose doing it is.
 *
 * The rules are those of the checklist. An answer may be as old as the explicit freshness that it has
 * left (RFC 9111, section 4.2). Without any, a write that passed the cache is to be seen by every reader
 * that asks after its acknowledgement, one that went to the origin after `staleMs`. A live answer is
 * about its end, not its beginning: what was written is to reach a waiting reader within `deliveryMs`.
 */
import type { Claim, Upstream } from '../../history.ts'
import { isTrueOf, saysGone } from './claims.ts'
import type { Answered } from './episodes.ts'
import { mayTellOf, passesEdge, surelyKnownMs, type StreamModel, type Version } from './stream-model.ts'

export interface Bounds {
  staleMs: number
  deliveryMs: number
}

export type Judgement =
  | { verdict: 'right' }
  /** Old, and so by the lifetime that the origin gave it. */
  | { verdict: 'within-its-lifetime' }
  /** It says nothing that could be held against anyone: no answer, trouble, or a write in doubt. */
  | { verdict: 'void'; because: string }
  | { verdict: 'wrong'; invariant: string; hop: 'origin' | 'edge'; lateMs: number; claim: Claim | null }

/**
 * Judges an answer against what its path was. `upstream` is the origin's response it was made from;
 * `revalidates` says that the cache asked the origin again because of it, `endKnownMs` from when on the cache
 * knew that this event stream had ended (see event-stream-ends.ts).
 */
export function judgeAnswer(answer: Answered, model: StreamModel, upstream: Upstream | undefined, bounds: Bounds, { revalidates = false, endKnownMs = Infinity } = {}): Judgement {
  if (answer.status === null) return { verdict: 'void', because: answer.error ?? 'no answer' }
  if (!saysGone(answer.status) && answer.status >= 400) return { verdict: 'void', because: `status ${answer.status}` }
  if (answer.atMs >= model.knownUntilMs) return { verdict: 'void', because: 'a write got no answer' }
  const first = firstWrong(answer, model, bounds, upstream?.askedAtMs)
  if (first === null) return endedBefore(answer, upstream, endKnownMs)
  const wrong = { verdict: 'wrong' as const, ...first }
  if (!passesEdge(answer.via)) return { ...wrong, hop: 'origin' }
  if (first.invariant.startsWith('stale') && isWithinLifetime(answer, upstream, revalidates)) {
    return claimsNow(first.claim) ? { ...wrong, hop: 'origin' } : { verdict: 'within-its-lifetime' }
  }
  return { ...wrong, hop: upstream !== undefined && isTheOriginsDoing(answer, model, upstream, bounds) ? 'origin' : 'edge' }
}

interface Wrong {
  invariant: string
  lateMs: number
  claim: Claim | null
}

/** The moments that an answer's claim must be true at one of, and what of the same answer came before. */
interface Telling {
  claim: Claim | null
  before: string[]
  /** What happened before this must be in it, give or take the bound for writes that the cache did not see. */
  fromMs: number
  untilMs: number
}

/** `askedAtMs`: when the origin was asked for what this answer was made of. */
function firstWrong(answer: Answered, model: StreamModel, bounds: Bounds, askedAtMs = answer.invokedAtMs): Wrong | null {
  const staleMs = passesEdge(answer.via) ? bounds.staleMs : 0
  const began = { ...answer, beganMs: Math.min(askedAtMs, answer.invokedAtMs) }
  for (const telling of tellingsOf(answer, model, staleMs, bounds.deliveryMs)) {
    const wrong = wrongOf(began, telling, model, staleMs)
    if (wrong) return wrong
  }
  if (answer.mode !== 'sse') return null
  // An open event stream may be shared, and the origin has its time to end it.
  return formerLife(answer, model, staleMs === 0 ? 0 : Math.max(staleMs, bounds.deliveryMs))
}

function tellingsOf(answer: Answered, model: StreamModel, staleMs: number, deliveryMs: number): Telling[] {
  const { claims, invokedAtMs, atMs } = answer
  const isLive = answer.mode === 'long-poll' || answer.mode === 'sse'
  const fromMs = isLive ? Math.max(invokedAtMs, atMs - deliveryMs) : invokedAtMs
  if (saysGone(answer.status)) return [{ claim: null, before: [], fromMs: invokedAtMs, untilMs: atMs }]
  if (answer.mode !== 'sse') return claims.map((claim) => ({ claim, before: [], fromMs, untilMs: atMs }))
  // One that may have been open when the stream went has nothing to say of that; its end does.
  const wentMs = model.versions.find((version) => !version.exists && surelyKnownMs(version, staleMs) >= invokedAtMs)?.earliestMs ?? Infinity
  return claims.map((claim, n) => {
    const before = claims.slice(0, n).flatMap((earlier) => earlier.records)
    const isLast = n === claims.length - 1
    // An open event stream is replayed to a newcomer from its beginning: only its last word is about now.
    return { claim, before, fromMs: isLast ? Math.min(atMs - deliveryMs, wentMs) : -Infinity, untilMs: claim.atMs }
  })
}

function wrongOf(answer: Began, { claim, before, fromMs, untilMs }: Telling, model: StreamModel, staleMs: number): Wrong | null {
  const { first, last } = mayTellOf(model, fromMs, untilMs, staleMs)
  const accounts = (version: Version) => accountsFor(version, answer, claim, before, model)
  if (model.versions.some((version, index) => index >= first && index <= last && accounts(version))) return null
  const latest = model.versions.findLastIndex((version, index) => index < first && accounts(version))
  if (latest < 0) {
    const ahead = model.versions.some((version, index) => index > last && accounts(version))
    return { invariant: ahead ? 'ahead-of-its-time' : 'never-so', lateMs: 0, claim }
  }
  const missed = model.versions[latest + 1]!
  return { invariant: `stale-after-${missed.by}`, lateMs: fromMs - missed.latestMs, claim }
}

/** `beganMs`: when the origin was asked, or this reader asked, whichever was earlier. */
type Began = Answered & { beganMs: number }

function accountsFor(version: Version, answer: Began, claim: Claim | null, before: string[], model: StreamModel): boolean {
  if (claim === null) return !version.exists
  return isTrueOf(version, { mode: answer.mode, fromOffset: answer.fromOffset, isForeign: isForeign(version, answer, model), before }, claim)
}

/** Whether this life of the path may not have come to the offset yet when a live answer began. */
function isForeign(version: Version, { mode, fromOffset, beganMs }: Began, { versions }: StreamModel): boolean {
  if (mode !== 'sse' && mode !== 'long-poll') return false
  const given = versions.find(({ incarnation, offsets }) => incarnation === version.incarnation && offsets.includes(fromOffset))
  return given !== undefined && given.latestMs > beganMs
}

/** A newcomer gets no record of a life of the path that had ended when it came, not even in passing. */
function formerLife(answer: Answered, model: StreamModel, staleMs: number): Wrong | null {
  const { first } = mayTellOf(model, answer.invokedAtMs, answer.atMs, staleMs)
  const begun = model.versions.findLastIndex((version, index) => index <= first && version.by !== 'append' && version.by !== 'close')
  if (begun < 1) return null
  const later = model.versions.slice(begun).flatMap((version) => version.records)
  const ended = model.versions[begun]!
  const claim = answer.claims.find(({ records }) => records.some((record) => !later.includes(record)))
  return claim ? { invariant: `stale-after-${ended.by}`, lateMs: answer.invokedAtMs - ended.latestMs, claim } : null
}

/** An event stream may be shared while it is open; once the origin has ended it, it is history. */
function endedBefore(answer: Answered, upstream: Upstream | undefined, endKnownMs: number): Judgement {
  const endedAtMs = upstream?.endedAtMs ?? null
  if (answer.mode !== 'sse' || saysGone(answer.status) || endedAtMs === null || endKnownMs >= answer.invokedAtMs) return { verdict: 'right' }
  const lateMs = answer.invokedAtMs - endedAtMs
  return { verdict: 'wrong', invariant: 'ended-event-stream', hop: 'edge', lateMs, claim: answer.claims.at(-1) ?? null }
}

/** A claim that is about this very moment, not about a piece of history. */
function claimsNow(claim: Claim | null): boolean {
  return claim === null || claim.upToDate || claim.closed
}

/** Whether the origin gave this response a lifetime that had not ended; stale-while-revalidate is for one answer. */
function isWithinLifetime(answer: Answered, upstream: Upstream | undefined, revalidates: boolean): boolean {
  const cacheControl = upstream?.headers['cache-control'] ?? answer.headers['cache-control']
  const maxAgeMs = maxAgeMsOf(cacheControl)
  if (maxAgeMs === null) return false
  const lifetimeMs = maxAgeMs + (revalidates ? secondsOf('stale-while-revalidate', cacheControl!) * 1_000 : 0)
  if (upstream !== undefined) return answer.invokedAtMs < upstream.headAtMs + lifetimeMs
  return Number(answer.headers.age ?? 0) * 1_000 < lifetimeMs
}

/** The lifetime for a shared cache; null where none is given (RFC 9111, section 5.2.2). */
export function maxAgeMsOf(cacheControl: string | undefined): number | null {
  if (cacheControl === undefined || /\b(no-store|no-cache|private)\b/i.test(cacheControl)) return null
  const name = /\bs-maxage=/i.test(cacheControl) ? 's-maxage' : 'max-age'
  return new RegExp(`\\b${name}=\\d`, 'i').test(cacheControl) ? secondsOf(name, cacheControl) * 1_000 : null
}

function secondsOf(name: string, cacheControl: string): number {
  return Number(new RegExp(`\\b${name}=(\\d+)`, 'i').exec(cacheControl)?.[1] ?? 0)
}

/** Whether the same answer was not right at the origin either, while it was being made. */
function isTheOriginsDoing(answer: Answered, model: StreamModel, upstream: Upstream, bounds: Bounds): boolean {
  const endedAtMs = upstream.endedAtMs ?? Infinity
  const made: Answered = { ...answer, via: 'origin', invokedAtMs: upstream.askedAtMs, atMs: Math.min(endedAtMs, answer.atMs) }
  if (firstWrong(made, model, bounds) !== null) return true
  // It kept the event stream of a former life open, and the cache did not see that life end.
  const { first } = mayTellOf(model, answer.invokedAtMs, answer.atMs, 0)
  return answer.mode === 'sse' && endedAtMs > answer.invokedAtMs && model.versions.slice(0, first + 1).findLast((version) => version.by !== 'append' && version.by !== 'close')?.throughEdge === false
}

/**
 * Whether a response was made before something that a reader asking now is to know of: then what is
 * wrong with an answer made of it, a 304 too, is its age.
 */
export function isOutdated(upstream: Upstream, answer: Answered, model: StreamModel, staleMs: number): boolean {
  return model.versions.some((version) => version.latestMs > upstream.askedAtMs && surelyKnownMs(version, staleMs) < answer.invokedAtMs)
}
