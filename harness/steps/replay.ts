/** Replays a recording: the requests of an access log, with their spacing and concurrency. */
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { monotonicMs } from '../clock.ts'
import { readRecording, type RecordedRequest, type RecordedStream } from '../incident/recording.ts'
import type { Via } from '../history.ts'
import { encodeRecord, isJson } from '../record.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { settlesWithin } from '../until.ts'

export interface Replay {
  kind: 'replay'
  /** From the project's root, or a whole path. */
  recording: string
  via: Via
  /** 10 sends in a tenth of the time. Polls that were parked are given up as much earlier. */
  speed: number
}

/**
 * Creates the streams that were there before the recording begins, then sends each request when it was
 * sent then. Offsets are opaque and differ today: each is replaced by that which today's server gave where
 * the recorded server gave the recorded one, and where none is known by the end of the stream.
 */
export function replay(options: { recording: string; via?: Via; speed?: number }): Replay {
  return { kind: 'replay', via: 'edge', speed: 1, ...options }
}

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..')
const inFlightMax = 5_000
/** The recorded time of a live answer, and as much again as a slower machine may need. */
const patienceMs = 10_000
const payloadBytesMax = 16 * 1024 ** 2

/** What today's offsets are of a stream: by the recorded ones, and its end. */
class Offsets {
  readonly #today = new Map<string, string>()
  tail = '-1'

  learn(recorded: string | undefined, today: string | undefined): void {
    if (today === undefined) return
    this.tail = today
    if (recorded === undefined) return
    this.#today.set(recorded, today)
    // Readers ask for what they were last told: what is long past is not asked for again.
    if (this.#today.size > 10_000) this.#today.delete(this.#today.keys().next().value!)
  }

  of(recorded: string): string {
    return recorded === '-1' || recorded === 'now' ? recorded : (this.#today.get(recorded) ?? this.tail)
  }
}

interface Replaying {
  step: Replay
  context: StepContext
  offsets: Map<string, Offsets>
  contentTypes: Map<string, string>
  /** Writes that are not answered yet, by stream. */
  writes: Map<string, Set<PendingWrite>>
  sent: number
}

interface PendingWrite {
  /** When it was answered in the recording. */
  answeredAtMs: number
  answered: Promise<void>
}

export const replayInterpreter: Interpreter<Replay> = async (step, context) => {
  const replaying: Replaying = { step, context, offsets: new Map(), contentTypes: new Map(), writes: new Map(), sent: 0 }
  const inFlight = new Set<Promise<void>>()
  let beginMs: number | null = null
  for await (const line of readRecording(path.resolve(root, step.recording))) {
    context.signal.throwIfAborted()
    if (context.stopping.aborted) break
    if ('stream' in line) {
      await bringToLife(replaying, line)
      continue
    }
    beginMs ??= monotonicMs()
    await untilDue(beginMs + line.atMs / step.speed, context.signal)
    if (inFlight.size >= inFlightMax) await Promise.race(inFlight)
    const sending: Promise<void> = sendInOrder(replaying, line).finally(() => inFlight.delete(sending))
    inFlight.add(sending)
  }
  await Promise.all(inFlight)
}

/** A stream that was there before: made, with something in it where it was not empty. */
async function bringToLife({ context, offsets, contentTypes }: Replaying, { stream, contentType, tail }: RecordedStream): Promise<void> {
  const { operations, seed } = context
  const own = new Offsets()
  offsets.set(stream, own)
  contentTypes.set(stream, contentType)
  const created = await operations.send('origin', 'PUT', stream, { 'content-type': contentType })
  own.learn(undefined, created.headers['stream-next-offset'])
  const filled = await operations.send('origin', 'POST', stream, { 'content-type': contentType }, encodeRecord(seed, 'before', contentType, 64))
  own.learn(tail ?? undefined, filled.headers['stream-next-offset'])
}

/** The schedule is the recording's own, not that of the answers: an open loop, but for what `sendInOrder` keeps. */
async function untilDue(dueMs: number, signal: AbortSignal): Promise<void> {
  const waitMs = dueMs - monotonicMs()
  if (waitMs > 1) await delay(waitMs, undefined, { signal }).catch(() => {})
}

/**
 * A request that was sent when a write to its stream had been answered waits for that write's answer
 * today, as long as a write may take: else a slow moment of this machine lets a read overtake the write
 * that it was to see, and the server is blamed for it.
 */
async function sendInOrder(replaying: Replaying, request: RecordedRequest): Promise<void> {
  const pending = replaying.writes.get(request.path) ?? new Set<PendingWrite>()
  const before = [...pending].filter(({ answeredAtMs }) => answeredAtMs < request.atMs)
  const answered = before.length === 0 ? send(replaying, request) : sendAfter(before, replaying, request)
  if (!isWrite(request)) return answered
  const write: PendingWrite = { answeredAtMs: request.atMs + request.tookMs, answered }
  replaying.writes.set(request.path, pending.add(write))
  try {
    await answered
  } finally {
    pending.delete(write)
    if (pending.size === 0) replaying.writes.delete(request.path)
  }
}

async function sendAfter(before: PendingWrite[], replaying: Replaying, request: RecordedRequest): Promise<void> {
  await settlesWithin(Promise.all(before.map(({ answered }) => answered)), patienceMs)
  await send(replaying, request)
}

function isWrite({ method }: RecordedRequest): boolean {
  return method === 'PUT' || method === 'POST' || method === 'DELETE'
}

async function send(replaying: Replaying, request: RecordedRequest): Promise<void> {
  const { context, step } = replaying
  replaying.sent += 1
  const base = {
    kind: 'replayed' as const,
    method: request.method,
    live: request.query.find(([name]) => name === 'live')?.[1] ?? null,
    stream: request.path,
    recordedStatus: request.status,
    recordedMs: request.tookMs,
  }
  const sentMs = monotonicMs()
  try {
    const answer = await context.operations.glance(step.via, request.method, targetOf(replaying, request), headersOf(replaying, request), bodyOf(replaying, request), {
      forMs: request.tookMs / step.speed + patienceMs,
      // A client that left then leaves now; an event stream has no end to wait for.
      leaveAfterMs: base.live === 'sse' || request.status === 0 || request.status === 499 ? Math.max(50, request.tookMs / step.speed) : null,
    })
    offsetsOf(replaying, request.path).learn(request.nextOffset, answer.headers['stream-next-offset'])
    context.recorder.record({ ...base, status: answer.status, tookMs: monotonicMs() - sentMs })
  } catch (error) {
    context.recorder.record({ ...base, status: null, tookMs: monotonicMs() - sentMs, error: error instanceof Error ? error.message : String(error) })
  }
}

function offsetsOf({ offsets }: Replaying, stream: string): Offsets {
  const known = offsets.get(stream) ?? new Offsets()
  offsets.set(stream, known)
  return known
}

function targetOf(replaying: Replaying, { path: stream, query }: RecordedRequest): string {
  const offsets = offsetsOf(replaying, stream)
  const parts = query.map(([name, value]) => `${name}=${encodeURIComponent(name === 'offset' ? offsets.of(value) : value)}`)
  return parts.length === 0 ? stream : `${stream}?${parts.join('&')}`
}

function headersOf(replaying: Replaying, { method, path: stream, headers }: RecordedRequest): Record<string, string> {
  const { 'stream-fork-offset': forkOffset, 'stream-forked-from': source, ...rest } = headers
  const fork = source === undefined ? {} : { 'stream-forked-from': source, ...(forkOffset === undefined ? {} : { 'stream-fork-offset': offsetsOf(replaying, source).of(forkOffset) }) }
  const contentType = contentTypeOf(replaying, method, stream, headers)
  return { ...rest, ...fork, ...(contentType === undefined ? {} : { 'content-type': contentType }) }
}

/** Writers of a log without headers write what their stream is of. */
function contentTypeOf({ contentTypes }: Replaying, method: string, stream: string, headers: Record<string, string>): string | undefined {
  if (method !== 'PUT' && method !== 'POST') return undefined
  const known = headers['content-type'] ?? contentTypes.get(stream) ?? 'application/octet-stream'
  if (method === 'PUT' && !contentTypes.has(stream)) contentTypes.set(stream, known)
  return known
}

/** As long as the recorded body was, as near as a record of its own comes to it. */
function bodyOf(replaying: Replaying, request: RecordedRequest): Buffer | undefined {
  const { method, path: stream, requestBytes, headers } = request
  const closesOnly = headers['stream-closed'] !== undefined && (requestBytes ?? 0) === 0
  if ((method !== 'POST' && method !== 'PUT') || closesOnly || requestBytes === 0 || (method === 'PUT' && requestBytes === null)) return undefined
  const contentType = contentTypeOf(replaying, method, stream, headers)!
  const overhead = isJson(contentType) ? 70 : 40
  const payload = Math.min(payloadBytesMax, Math.max(1, (requestBytes ?? 100) - overhead))
  return encodeRecord(replaying.context.seed, `replayed-${replaying.sent}`, contentType, payload)
}
