/**
 * A reader that follows one stream as a correct client does (PROTOCOL.md 5.6-5.8, 8): it reads from
 * the offset it was told last, sends the last cursor, comes back after an end, and backs off when it
 * is cut or refused. What it takes for received is what a whole answer, or a data event with its
 * control event, has brought: half an answer is read anew.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request, type Dispatcher } from 'undici'
import type { Follow, FollowMode, Via } from '../history.ts'
import { unverified, type Endpoint, type KnownStream } from '../operations.ts'
import { decodedBody, wholeBody } from './decoded-body.ts'
import { findRecords, isJson } from '../record.ts'
import { SseParser } from './fleet/sse-parser.ts'

export interface FollowerOptions {
  reader: string
  mode: FollowMode
  via: Via
  stream: Pick<KnownStream, 'name' | 'path' | 'contentType' | 'incarnation'>
  endpoint: Endpoint
  /** As browsers and Node's fetch ask by themselves; left out, a client that cannot decompress. */
  acceptEncoding?: 'gzip'
  note(event: Follow): void
  /** The run is ending. */
  signal: AbortSignal
}

/** A catch-up reader at the tail looks again this often. */
const pollMs = 250
const backOffFirstMs = 50
const backOffMaxMs = 1_000
/** So many refusals in a row, a second and a half by the back-off, are no accident. */
const refusalsMax = 5
/** Longer than any server holds a live read without a word. */
const silenceMaxMs = 70_000
/** A record is never cut into more than this; what is longer is no record. */
const restBytesMax = 1 << 20

export class Follower {
  readonly done: Promise<void>
  #options: FollowerOptions
  #agent: Agent
  #stop = new AbortController()
  #offset = '-1'
  #cursor: string | null = null
  #closed = false
  /** The offset at which it may leave: the tail, once nobody writes any more. */
  #leaveAt: string | null = null
  #attached = false
  /** Since it was attached. */
  #refusals = 0
  /** The beginning of a record whose end has not come yet; of streams of bytes only. */
  #rest = Buffer.alloc(0)

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#agent = new Agent({
      connections: 1,
      connectTimeout: 5_000,
      keepAliveTimeout: 4_000,
      ...unverified(options.endpoint),
    })
    this.done = this.#run()
  }

  /** It was answered again and again, and never as a reader of a living stream should be. */
  get isTurnedAway(): boolean {
    return !this.#attached && this.#refusals >= refusalsMax
  }

  get isAttached(): boolean {
    return this.#attached
  }

  /** Lets it end once it has been told this offset, the stream's tail. */
  leaveAt(tail: string): void {
    this.#leaveAt = tail
    this.#leaveIfThere()
  }

  /** Ends it where it is. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.done
  }

  async #run(): Promise<void> {
    this.#note({ what: 'begun' })
    let failures = 0
    while (!this.#isOver()) {
      try {
        await this.#readOnce()
        failures = 0
      } catch (error) {
        if (this.#isOver()) break
        this.#setBack(error)
        const backOffMs = Math.min(backOffMaxMs, backOffFirstMs * 2 ** failures)
        failures += 1
        await this.#pause(backOffMs)
      }
    }
    const left = this.#rest.length > 0 ? { damaged: [`${this.#rest.length} bytes without an end`] } : {}
    const at = this.#closed ? 'closed' : this.#leaveAt !== null && this.#leaveAt === this.#offset ? 'tail' : 'behind'
    this.#note({ what: 'ended', at, ...left })
    await this.#agent.destroy()
  }

  #isOver(): boolean {
    return this.#closed || this.#stop.signal.aborted || this.#options.signal.aborted
  }

  #pause(ms: number): Promise<unknown> {
    return delay(ms, undefined, { signal: AbortSignal.any([this.#stop.signal, this.#options.signal]) }).catch(() => {})
  }

  #leaveIfThere(): void {
    if (this.#leaveAt !== null && this.#leaveAt === this.#offset && this.#rest.length === 0) this.#stop.abort()
  }

  #setBack(error: unknown): void {
    this.#attached = false
    if (error instanceof Refused) {
      this.#refusals += 1
      this.#note({ what: 'refused', ...error.facts })
    }
    else this.#note({ what: 'cut', error: reasonOf(error) })
  }

  #note(what: Partial<Follow> & Pick<Follow, 'what'>): void {
    const { reader, mode, via, stream } = this.#options
    this.#options.note({ kind: 'follow', reader, mode, via, stream: stream.name, incarnation: stream.incarnation, ...what })
  }

  #attach(): void {
    if (this.#attached) return
    this.#attached = true
    this.#refusals = 0
    this.#note({ what: 'attached' })
  }

  async #readOnce(): Promise<void> {
    const { mode } = this.#options
    const response = await this.#ask()
    if (mode === 'sse') return this.#followEvents(response)
    const body = await wholeBody(response)
    const lacks = lackedBy(response, body, this.#options)
    if (lacks.length > 0) throw new Refused({ status: response.statusCode, lacks })
    this.#attach()
    this.#take(response.statusCode === 204 ? [] : [body], {
      nextOffset: headerOf(response, 'stream-next-offset'),
      cursor: headerOf(response, 'stream-cursor'),
      closed: headerOf(response, 'stream-closed') === 'true',
    })
    const atTail = headerOf(response, 'stream-up-to-date') === 'true'
    if (mode === 'catch-up' && atTail && !this.#isOver()) await this.#pause(pollMs)
  }

  async #ask(): Promise<Dispatcher.ResponseData> {
    const { endpoint, stream, mode, acceptEncoding } = this.#options
    const cursor = this.#cursor === null || mode === 'catch-up' ? '' : `&cursor=${encodeURIComponent(this.#cursor)}`
    const live = mode === 'catch-up' ? '' : `&live=${mode}`
    const response = await request(`${endpoint.url}${stream.path}?offset=${encodeURIComponent(this.#offset)}${live}${cursor}`, {
      dispatcher: this.#agent,
      headers: { host: endpoint.authority, ...endpoint.headers, ...(acceptEncoding ? { 'accept-encoding': acceptEncoding } : {}) },
      signal: AbortSignal.any([this.#stop.signal, this.#options.signal]),
      headersTimeout: silenceMaxMs,
      bodyTimeout: silenceMaxMs,
    })
    if (response.statusCode === 200 || (response.statusCode === 204 && mode === 'long-poll')) return response
    await response.body.dump().catch(() => {})
    throw new Refused({ status: response.statusCode })
  }

  /** One connection, until the server or somebody between ends it. */
  async #followEvents(response: Dispatcher.ResponseData): Promise<void> {
    const lacks = lackedBy(response, null, this.#options)
    if (lacks.length > 0) {
      response.body.destroy()
      throw new Refused({ status: 200, lacks })
    }
    const isBase64 = headerOf(response, 'stream-sse-data-encoding') === 'base64'
    let pending: Buffer[] = []
    const parser = new SseParser(1, {
      event: (_reader, type, data) => {
        if (type === 'data') pending.push(isBase64 ? Buffer.from(data.toString('latin1').replaceAll(/[\r\n]/g, ''), 'base64') : Buffer.from(data))
        if (type !== 'control') return
        this.#attach()
        this.#takeControl(data, pending)
        pending = []
      },
      malformed: (_reader, because) => {
        throw new Error(`the event stream is malformed: ${because}`)
      },
    })
    for await (const chunk of decodedBody(response)) parser.push(0, chunk, 0, chunk.length)
    // An end without a word is how servers let readers collapse anew.
  }

  #takeControl(data: Buffer, bodies: Buffer[]): void {
    const control = JSON.parse(data.toString('utf8')) as { streamNextOffset?: string; streamCursor?: string; streamClosed?: boolean }
    const closed = control.streamClosed === true
    const lacks = [
      ...(control.streamNextOffset === undefined ? ['streamNextOffset'] : []),
      ...(control.streamCursor === undefined && !closed ? ['streamCursor'] : []),
    ]
    if (lacks.length > 0) throw new Refused({ status: 200, lacks })
    this.#take(bodies, { nextOffset: control.streamNextOffset, cursor: control.streamCursor, closed })
  }

  #take(bodies: Buffer[], told: { nextOffset: string | undefined; cursor: string | undefined; closed: boolean }): void {
    const found = bodies.map((body) => this.#recordsIn(body))
    const records = found.flatMap((one) => one.records)
    const damaged = found.flatMap((one) => one.damaged)
    if (records.length > 0 || damaged.length > 0) {
      this.#note({ what: 'received', records, ...(damaged.length > 0 ? { damaged } : {}) })
    }
    this.#offset = told.nextOffset ?? this.#offset
    this.#cursor = told.cursor ?? this.#cursor
    this.#closed = told.closed
    this.#leaveIfThere()
  }

  /** A stream of bytes may be cut anywhere: the beginning of a record waits for its end. */
  #recordsIn(body: Buffer): { records: string[]; damaged: string[] } {
    const { contentType } = this.#options.stream
    const whole = Buffer.concat([this.#rest, body])
    this.#rest = Buffer.alloc(0)
    const found = findRecords(whole, contentType)
    const last = found.damaged.at(-1)
    if (!isJson(contentType) && last && last.at + last.bytes === whole.length && last.bytes < restBytesMax) {
      this.#rest = whole.subarray(last.at)
      found.damaged.pop()
    }
    return { records: found.records, damaged: found.damaged.map((damage) => `${damage.bytes} bytes: ${damage.what}`) }
  }
}

/** An answer that no reader of a living stream should get. */
class Refused extends Error {
  readonly facts: Pick<Follow, 'status' | 'lacks'>
  constructor(facts: Pick<Follow, 'status' | 'lacks'>) {
    super('refused')
    this.facts = facts
  }
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** What the protocol promises with such an answer and this one came without. */
function lackedBy(response: Dispatcher.ResponseData, body: Buffer | null, { mode, stream }: FollowerOptions): string[] {
  const has = (name: string) => headerOf(response, name) !== undefined
  const mediaType = (text: string | undefined) => text?.split(';')[0]!.trim().toLowerCase()
  const isOfType = (type: string) => mediaType(headerOf(response, 'content-type')) === mediaType(type)
  if (mode === 'sse') {
    const isText = stream.contentType.startsWith('text/') || isJson(stream.contentType)
    return [
      ...(isOfType('text/event-stream') ? [] : ['content-type']),
      ...(isText || has('stream-sse-data-encoding') ? [] : ['stream-sse-data-encoding']),
    ]
  }
  const isEmpty = body === null || body.length === 0
  return [
    ...(has('stream-next-offset') ? [] : ['stream-next-offset']),
    ...(response.statusCode === 204 || isOfType(stream.contentType) ? [] : ['content-type']),
    ...(isEmpty && !isJson(stream.contentType) && !has('stream-up-to-date') && !has('stream-closed') ? ['stream-up-to-date'] : []),
    ...(mode === 'long-poll' && !has('stream-cursor') && !has('stream-closed') ? ['stream-cursor'] : []),
  ]
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return code === undefined ? String(message ?? error) : `${code}: ${message}`
}
