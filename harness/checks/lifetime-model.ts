/**
 * When a stream with a lifetime must be alive and when it must be gone, as far as a history can
 * tell. The server processed a request somewhere between its sending and its answer, so an expiry
 * is an interval: before it the stream must be there, after it (plus the bound) it must not.
 *
 * Stream-TTL slides with each read and write that reaches the origin, not with HEAD; a live read
 * renews when the server begins to process it, and may renew until it ends. Expires-At does not
 * move (PROTOCOL.md 5.1).
 */
import type { HistoryEvent, Outcome } from '../history.ts'
import { TraitsByWay } from './traits.ts'

export interface Lifetime {
  stream: string
  group: string
  incarnation: number
  ttlMs: number | null
  /** The stream cannot have expired before this. */
  aliveUntilMs: number
  /** The same, had nothing but its creation counted. */
  aliveUntilWithoutRenewalMs: number
  /** It must have expired after this. */
  deadAfterMs: number
}

export type Lifetimes = Map<string, Lifetime>

/** What a request's answer had to be. 'either' where its time and the expiry overlap. */
export type Expectation = 'alive' | 'dead' | 'either'

export function expectationFor(life: Lifetime, event: Outcome & { atMs: number }, allowanceMs: number): Expectation {
  if (event.atMs < life.aliveUntilMs) return 'alive'
  if (event.invokedAtMs > life.deadAfterMs + allowanceMs) return 'dead'
  return 'either'
}

/**
 * Brings the lifetimes up to date. Call it after judging the event, since a read renews only what
 * it found alive.
 */
export function keepLifetimes(lifetimes: Lifetimes, event: HistoryEvent): void {
  if (event.kind === 'retired') lifetimes.delete(event.stream)
  if (!('op' in event)) return
  // From the moment a delete is sent, the stream may be gone whatever its lifetime says.
  if (event.op === 'delete') lifetimes.delete(event.stream)
  if (event.kind === 'invoke') return
  if (event.op === 'create') return begin(lifetimes, event)
  const life = lifetimes.get(event.stream)
  if (!life || life.ttlMs === null || life.incarnation !== event.incarnation) return
  if (event.op === 'head') return
  renew(life, event, life.ttlMs)
}

function begin(lifetimes: Lifetimes, event: Outcome & { atMs: number }): void {
  const request = event.create
  if (event.kind !== 'ok' || !request) return
  const fixed = request.expiresAtMs
  const ttlMs = request.ttlSeconds === undefined ? null : request.ttlSeconds * 1000
  if (fixed === undefined && ttlMs === null) return
  const earliest = fixed ?? event.invokedAtMs + ttlMs!
  const latest = fixed ?? event.atMs + ttlMs!
  lifetimes.set(event.stream, {
    stream: event.stream,
    group: request.streamKind,
    incarnation: event.incarnation,
    ttlMs,
    aliveUntilMs: earliest,
    aliveUntilWithoutRenewalMs: earliest,
    deadAfterMs: latest,
  })
}

function renew(life: Lifetime, event: Outcome & { atMs: number }, ttlMs: number): void {
  const mayHave = event.invokedAtMs <= life.deadAfterMs && event.kind !== 'fail'
  if (!mayHave) return
  life.deadAfterMs = Math.max(life.deadAfterMs, event.atMs + ttlMs)
  // Behind the cache the origin may not have seen the read at all.
  const surelyDid = event.kind === 'ok' && (event.via === 'origin' || event.op === 'append')
  if (surelyDid) life.aliveUntilMs = Math.max(life.aliveUntilMs, event.invokedAtMs + ttlMs)
}

/**
 * What the findings of a check on lifetimes have in common. Which of many streams is looked at in time is chance:
 * the lifetime that did not count names the failure, and its group, where only one was hit.
 */
export class LifetimeTraits {
  #traits = new TraitsByWay<'lifetime' | 'group'>()

  note({ ttlMs, group }: Lifetime, via: string): void {
    this.#traits.note(via, { lifetime: ttlMs === null ? 'expires-at' : 'ttl', group })
  }

  /** The last three parts of a fingerprint: 'ttl/slides-by-append/origin'. */
  get parts(): string {
    return `${this.#traits.of('lifetime')}/${this.#traits.of('group')}/${this.#traits.way}`
  }
}
