/** What clients do all night: one stream from its birth to its end, a crowd around one, a client that stalls. */
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { monotonicMs } from '../../clock.ts'
import type { FollowMode, Via } from '../../history.ts'
import { Follower } from '../../load/follower.ts'
import { unverified, type KnownStream } from '../../operations.ts'
import type { Outcome } from '../../history.ts'
import { randomFor } from '../../seed.ts'
import type { StepContext } from '../../step.ts'
import type { StreamKind } from '../../streams.ts'
import { aborted, settlesWithin, until } from '../../until.ts'
import { createRequest, newStream, nextProducer, recordId } from '../create-streams.ts'

/** Streams of one kind: how often one is born, what is written and read, and how it ends. */
export interface Life {
  name: string
  perMinute: number
  contentType: string
  ttlSeconds?: number
  expiresInSeconds?: number
  /** Written by an idempotent producer, which tries again until it is answered. */
  producer?: boolean
  records: number
  payloadBytes: number
  appendEveryMs: number
  writesVia: Via
  readers: { mode: FollowMode; via: Via }[]
  /** By which ways it is read from its start when its last record is written. */
  readBackVia: Via[]
  ends: 'expires' | 'deleted' | 'closed-and-deleted'
}

/** Readers that arrive, wait for one record and leave; some leave before it comes. */
export interface Gathering {
  everyMs: number
  readers: number
  leaveEarly: number
  via: Via
}

/** A client that asks for an event stream and never reads it. */
export interface Stall {
  everyMs: number
  holdMs: number
  via: Via
}

/** What all of them share. */
export interface Nursery {
  /** Aborted where nothing that lives has a future: the end, or a folder that was given up. */
  ended: AbortController
  /** Nothing more is born or written. */
  ending: AbortController
  alive: Set<Promise<unknown>>
  /** Acknowledged and not yet to be gone, by stream. */
  liveBytes: Map<string, number>
  operations: number
  /** Acknowledged so far. */
  writtenBytes: number
}

/** Over a restart, and a start that hangs. */
const triesMax = 60
const tryAgainMs = 300
const drainMs = 10_000
/** What a read takes at most until it is there. */
const safelyMs = 6_000
const liveReadsMsMax = 15_000
/** After its lifetime: the server's bound, and the cache's. */
const goneAfterMs = 2_500

interface Living {
  context: StepContext
  nursery: Nursery
  life: Pick<Life, 'name' | 'payloadBytes' | 'writesVia'>
  stream: KnownStream
  /** Of the folder that it was born in. */
  ended: AbortSignal
  /** It is there for certain until then, if the origin keeps its word. */
  thereUntilMs: number
}

export async function live(context: StepContext, nursery: Nursery, life: Life, n: number): Promise<void> {
  const kind = kindOf(life)
  const stream = newStream(context, kind, `${life.name}-${n}`)
  const ended = AbortSignal.any([nursery.ended.signal, context.signal])
  const living: Living = { context, nursery, life, stream, ended, thereUntilMs: monotonicMs() + lifetimeMs(life) }
  const followers: Follower[] = []
  try {
    const created = await context.operations.create('creator', stream, life.writesVia, createRequest(kind))
    nursery.operations += 1
    if (created.kind !== 'ok') return
    followers.push(...life.readers.filter(({ via }) => context.world.reaches(via)).map((reader) => followerOf(living, reader)))
    await write(living, life)
    await finish(living, life, followers)
  } finally {
    await retire(living, followers)
  }
}

function lifetimeMs({ ttlSeconds, expiresInSeconds }: Life): number {
  return 1_000 * (ttlSeconds ?? expiresInSeconds ?? Infinity)
}

function kindOf({ name, contentType, records, payloadBytes, ttlSeconds, expiresInSeconds, producer }: Life): StreamKind {
  return {
    id: name,
    contentType,
    records,
    payloadBytes,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
    ...(producer === undefined ? {} : { producer }),
  }
}

/** `name` goes behind the reader's own, where several are alike. */
function followerOf({ context, stream, ended }: Living, { mode, via }: Life['readers'][number], name = ''): Follower {
  return new Follower({
    reader: `${mode}-${via}-${stream.name}${name}`,
    mode,
    via,
    stream: { ...stream },
    endpoint: context.world.endpoint(via),
    note: (event) => {
      // Who is torn away has not come to an end.
      if (!ended.aborted) context.recorder.record(event)
    },
    signal: ended,
  })
}

async function write(living: Living, life: Life): Promise<void> {
  const { context, nursery, stream, ended } = living
  const random = randomFor(context.seed, context.recorder.scenario, 'life', stream.name)
  const pausing = AbortSignal.any([ended, nursery.ending.signal])
  for (let n = 0; n < life.records && !pausing.aborted; n += 1) {
    const outcome = await append(living)
    // A stream that is gone before its time is the checks' finding; there is nothing left to write to.
    if (outcome.status === 404 || outcome.status === 410) return
    const pauseMs = outcome.kind === 'ok' ? life.appendEveryMs * (0.5 + random.int(1_000) / 1_000) : tryAgainMs
    await delay(pauseMs, undefined, { signal: pausing }).catch(() => {})
  }
}

async function append(living: Living): Promise<Outcome> {
  const { context, nursery, life, stream, ended } = living
  const record = recordId(stream)
  const producer = nextProducer(stream)
  for (let attempt = 1; ; attempt += 1) {
    const more = producer === null ? {} : { producer, ...(attempt > 1 ? { retry: true } : {}) }
    const outcome = await context.operations.append(`writer-${life.name}`, stream, life.writesVia, record, life.payloadBytes, more)
    nursery.operations += 1
    renew(living, outcome)
    if (outcome.kind === 'ok') {
      nursery.writtenBytes += outcome.append!.bytes
      nursery.liveBytes.set(stream.name, (nursery.liveBytes.get(stream.name) ?? 0) + outcome.append!.bytes)
    }
    // Only a producer may try again: the server drops what it has already.
    if (producer === null || !isUnanswered(outcome) || ended.aborted || attempt >= triesMax) return outcome
    await delay(tryAgainMs, undefined, { signal: ended }).catch(() => {})
  }
}

/** A TTL slides with what reached the origin. */
function renew(living: Living, outcome: Outcome): void {
  const { ttlSeconds } = living.stream
  if (ttlSeconds !== undefined && outcome.kind === 'ok') living.thereUntilMs = Math.max(living.thereUntilMs, outcome.invokedAtMs + 1_000 * ttlSeconds)
}

/** Not let in, cut off, or answered by a hop that misses the next one. */
function isUnanswered({ kind, status }: Outcome): boolean {
  return kind !== 'ok' && (status === undefined || status >= 500)
}

/** The stream is whole: its readers come to the end, it is read back, and ends as it is to. */
async function finish(living: Living, life: Life, followers: Follower[]): Promise<void> {
  const { context, stream, ended } = living
  const { operations } = context
  if (life.ends === 'closed-and-deleted') await whenUp(living, () => operations.close('creator', stream, 'origin'))
  const state = await whenUp(living, () => operations.head('reader', stream, 'origin'))
  const tail = state?.headers?.['stream-next-offset']
  if (tail !== undefined && life.ends !== 'closed-and-deleted') for (const follower of followers) follower.leaveAt(tail)
  await settlesWithin(Promise.race([Promise.all(followers.map(({ done }) => done)), aborted(ended)]), drainMs)
  if (ended.aborted) return
  await Promise.all(followers.map((follower) => follower.stop()))
  if (life.ends === 'expires') {
    await readBack(living, { readBackVia: ['origin'] })
    await liveReadsEnded(living)
  }
  await readBack(living, life)
  if (life.ends === 'expires') await expire(living, life)
  else await whenUp(living, () => operations.delete('creator', stream, 'origin'))
}

/** Not where its lifetime may be over, as the origin was down for long: nothing is owed then. */
async function readBack(living: Living, { readBackVia }: Pick<Life, 'readBackVia'>): Promise<void> {
  const { context, stream } = living
  for (const via of readBackVia.filter((one) => context.world.reaches(one))) {
    const outcome = await whenUp(living, () => (monotonicMs() > living.thereUntilMs - safelyMs ? null : context.operations.readAll('reader', stream, via)))
    if (outcome !== null && via === 'origin') renew(living, outcome)
  }
}

/** Readers have left, but a cache may still be asking for them, which makes a TTL slide. */
async function liveReadsEnded({ context, stream, ended }: Living): Promise<void> {
  const none = async () => (await context.world.tapInFlight(`${stream.path}?`)) === 0
  const { longPollTimeoutMs, sseReconnectMs } = context.world.capabilities
  const timeoutMs = Math.min(liveReadsMsMax, Math.max(longPollTimeoutMs, sseReconnectMs)) + tryAgainMs
  await until(none, { for: 'live reads behind the cache to end', timeoutMs, everyMs: tryAgainMs, signal: ended }).catch(() => {})
}

/** A minute is enough for any restart; what is refused with 4xx is an answer. */
async function whenUp({ nursery, ended }: Living, operation: () => Promise<Outcome> | null): Promise<Outcome | null> {
  for (let attempt = 1; attempt <= triesMax && !ended.aborted; attempt += 1) {
    const outcome = await operation()
    if (outcome === null) return null
    nursery.operations += 1
    if (!isUnanswered(outcome)) return outcome
    await delay(tryAgainMs, undefined, { signal: ended }).catch(() => {})
  }
  return null
}

/** Time is what it ends by. */
async function expire(living: Living, { ttlSeconds = 0, expiresInSeconds = 0 }: Life): Promise<void> {
  const { context, nursery, stream, ended } = living
  const waitMs = Math.max(ttlSeconds, expiresInSeconds) * 1_000 + goneAfterMs + context.staleMs
  const pausing = AbortSignal.any([ended, nursery.ending.signal])
  await delay(waitMs, undefined, { signal: pausing }).catch(() => {})
  // At the end of the night nobody waits for it.
  if (pausing.aborted) return
  for (const via of ['origin', 'edge'] as const) await whenUp(living, () => context.operations.head('reader', stream, via))
}

/** From now on nobody asks for it, and the harness forgets it. */
async function retire({ context, nursery, stream }: Living, followers: Follower[]): Promise<void> {
  await Promise.all(followers.map((follower) => follower.stop()))
  context.recorder.record({ kind: 'retired', stream: stream.name, incarnation: stream.incarnation })
  context.streams.delete(stream.name)
  nursery.liveBytes.delete(stream.name)
}

const gatheringRecords = 3
const gatheringBytes = 400

/** A crowd at the tail of one stream, small enough for one process. */
export async function gathering(context: StepContext, nursery: Nursery, one: Gathering, n: number): Promise<void> {
  if (!context.world.reaches(one.via)) return
  const kind = { id: 'gathering', contentType: 'text/plain', records: gatheringRecords, payloadBytes: gatheringBytes }
  const stream = newStream(context, kind, `gathering-${one.via}-${n}`)
  const ended = AbortSignal.any([nursery.ended.signal, context.signal])
  const living: Living = { context, nursery, stream, ended, thereUntilMs: Infinity, life: { name: 'gathering', payloadBytes: gatheringBytes, writesVia: 'origin' } }
  const followers: Follower[] = []
  try {
    const created = await context.operations.create('creator', stream, 'origin', createRequest(kind))
    if (created.kind !== 'ok') return
    await append(living)
    for (let reader = 0; reader < one.readers; reader += 1) followers.push(followerOf(living, { mode: 'long-poll', via: one.via }, `-${reader}`))
    const patience = Array.from({ length: one.leaveEarly }, () => hangUp(context, stream, one.via, 'long-poll', 1_000, ended))
    await delay(1_500, undefined, { signal: ended }).catch(() => {})
    for (let record = 1; record < gatheringRecords && !ended.aborted; record += 1) await append(living)
    await Promise.all(patience)
    await finish(living, { ...endOfGathering, name: kind.id }, followers)
  } finally {
    await retire(living, followers)
  }
}

const endOfGathering: Life = { name: '', perMinute: 1, contentType: '', records: 0, payloadBytes: 0, appendEveryMs: 0, writesVia: 'origin', readers: [], readBackVia: ['origin'], ends: 'deleted' }

/** Asks for events of some living stream and does not read them. */
export async function stall(context: StepContext, nursery: Nursery, one: Stall): Promise<void> {
  // Its read, of which the history does not tell, would make a TTL slide.
  const streams = [...context.streams.values()].filter(({ ttlSeconds }) => ttlSeconds === undefined)
  const stream = streams.at(-1)
  if (stream === undefined || !context.world.reaches(one.via)) return
  await hangUp(context, stream, one.via, 'sse', one.holdMs, AbortSignal.any([nursery.ended.signal, context.signal]))
  context.recorder.record({ kind: 'sample', name: 'client-stalled', value: one.holdMs, label: one.via })
}

/** Whatever it is answered, it leaves after a while without a word. */
async function hangUp(context: StepContext, stream: KnownStream, via: Via, live: FollowMode, afterMs: number, signal: AbortSignal): Promise<void> {
  const endpoint = context.world.endpoint(via)
  const agent = new Agent({ connections: 1, ...unverified(endpoint) })
  const answer = request(`${endpoint.url}${stream.path}?live=${live}&offset=now`, { dispatcher: agent, headers: { host: endpoint.authority, ...endpoint.headers } })
  answer.catch(() => {})
  try {
    await delay(afterMs, undefined, { signal }).catch(() => {})
  } finally {
    await agent.destroy()
  }
}
