/**
 * The protocol's operations as clients send them, each written into the history before it is sent
 * and settled when its answer (or none) is known. No retries here: what a client does about a
 * failure is the caller's business.
 *
 * What settles as what (PROTOCOL.md 5.1-5.5): 2xx `ok`; 4xx and a refused connection `fail`, it
 * certainly did not happen; 5xx, a reset, a time-out or a cut answer `info`, it may have happened.
 */
import { createHash } from 'node:crypto'
import { Pool, type Agent, type Dispatcher } from 'undici'
import { monotonicMs } from './clock.ts'
import { pauseBy, type Pause } from './perturbation.ts'
import type { Recorder } from './recorder.ts'
import type { CreateRequest, Operation, Outcome, ReadBack, Via } from './history.ts'
import { encodeRecord, findRecords } from './record.ts'

/** Where requests of one way go. */
export interface Endpoint {
  /** 'http://127.0.0.1:20001' */
  url: string
  /** Host header, as the user's clients would send it. */
  authority: string
  tls?: { caPem: string; servername: string }
  /** Sent with every request of the harness's own clients: who they are, where somebody asks. */
  headers?: Record<string, string>
}

/** The endpoint's URL by the name that requests shall say in `Host`: 'https://localhost:20001'. */
export function urlByName({ url, authority }: Endpoint): string {
  const { protocol, port } = new URL(url)
  return `${protocol}//${new URL(`${protocol}//${authority}`).hostname}:${port}`
}

/** For an agent whose requests are not about the chain: whether that verifies is for the handshakes to say. */
export function unverified({ tls }: Endpoint): Partial<Pick<Agent.Options, 'connect'>> {
  return tls ? { connect: { servername: tls.servername, rejectUnauthorized: false } } : {}
}

/** A stream as its writers know it. */
export interface KnownStream {
  /** Unique name in the history. */
  name: string
  /** Request target, percent-encoded, without query. */
  path: string
  kind: string
  contentType: string
  incarnation: number
  closed: boolean
  deleted: boolean
  recordsWritten: number
  /** `lastRecord` was sent with the sequence before `nextSeq`. */
  producer?: { id: string; epoch: number; nextSeq: number; lastRecord?: string }
  ttlSeconds?: number
}

const requestTimeoutMs = 20_000
const liveTimeoutMs = 70_000
const connectionsMax = 128
/** A read back follows at most this many chunks to the tail. */
const chunksMax = 10_000

const headersKept = [
  'content-type',
  'stream-next-offset',
  'stream-up-to-date',
  'stream-closed',
  'stream-cursor',
  'stream-ttl',
  'stream-expires-at',
  'cache-control',
  'etag',
  'age',
  'x-varnish',
  'location',
  'producer-epoch',
  'producer-seq',
  'producer-expected-seq',
  'producer-received-seq',
] as const

export interface Answer {
  status: number
  headers: Record<string, string>
  body: Buffer
}

export interface AppendOptions {
  producer?: { id: string; epoch: number; seq: number }
  /** The same record was sent before. */
  retry?: boolean
  /** Closes the stream with the same request. */
  closes?: boolean
  /** The server takes it, and its answer never reaches the writer. */
  loseAnswer?: boolean
  /** Sent beside those of the protocol. */
  headers?: Record<string, string>
}

export class Operations implements AsyncDisposable {
  readonly recorder: Recorder
  readonly seed: number
  #endpointOf: (via: Via) => Endpoint
  #pause: Pause
  #pools = new Map<string, Pool>()

  /** `pause` is waited for before an operation is sent. */
  constructor(recorder: Recorder, seed: number, endpointOf: (via: Via) => Endpoint, pause: Pause = pauseBy(null)) {
    this.#pause = pause
    this.recorder = recorder
    this.seed = seed
    this.#endpointOf = endpointOf
  }

  async create(
    actor: string,
    stream: KnownStream,
    via: Via,
    request: CreateRequest,
    more: { headers?: Record<string, string>; body?: Buffer; firstRecord?: string } = {},
  ): Promise<Outcome> {
    const headers: Record<string, string> = { 'content-type': request.contentType, ...more.headers }
    if (request.ttlSeconds !== undefined) headers['stream-ttl'] = String(request.ttlSeconds)
    if (request.expiresAt !== undefined) headers['stream-expires-at'] = request.expiresAt
    if (request.closed) headers['stream-closed'] = 'true'
    const operation = { ...target('create', actor, stream, via), create: request }
    if (more.firstRecord !== undefined) {
      Object.assign(operation, { append: { record: more.firstRecord, bytes: more.body?.length ?? 0 } })
    }
    return this.#write(operation, 'PUT', stream, headers, more.body)
  }

  /** Appends record `record`; with `close`, the stream is closed by the same request. */
  async append(
    actor: string,
    stream: KnownStream,
    via: Via,
    record: string,
    payloadBytes: number,
    more: AppendOptions = {},
  ): Promise<Outcome> {
    const { loseAnswer = false, headers: given = {}, ...told } = more
    const body = encodeRecord(this.seed, record, stream.contentType, payloadBytes)
    const headers: Record<string, string> = { 'content-type': stream.contentType, ...given }
    if (more.producer) {
      headers['producer-id'] = more.producer.id
      headers['producer-epoch'] = String(more.producer.epoch)
      headers['producer-seq'] = String(more.producer.seq)
    }
    if (more.closes) headers['stream-closed'] = 'true'
    const operation = { ...target('append', actor, stream, via), append: { record, bytes: body.length, ...told } }
    return this.#write(operation, 'POST', stream, headers, body, loseAnswer)
  }

  async close(actor: string, stream: KnownStream, via: Via): Promise<Outcome> {
    return this.#write(target('close', actor, stream, via), 'POST', stream, { 'stream-closed': 'true' })
  }

  async delete(actor: string, stream: KnownStream, via: Via, headers: Record<string, string> = {}): Promise<Outcome> {
    return this.#write(target('delete', actor, stream, via), 'DELETE', stream, headers)
  }

  async head(actor: string, stream: KnownStream, via: Via, group?: string): Promise<Outcome> {
    const operation = { ...target('head', actor, stream, via), ...(group === undefined ? {} : { group }) }
    return this.#write(operation, 'HEAD', stream, {})
  }

  /** Reads a stream from its start to its tail, and says which records its bytes hold. */
  async readAll(actor: string, stream: KnownStream, via: Via, group?: string): Promise<Outcome> {
    const operation = { ...target('read', actor, stream, via), mode: 'catch-up' as const }
    await this.#pause(actor)
    const id = this.recorder.invoke(group === undefined ? operation : { ...operation, group })
    try {
      const { last, read } = await this.#readToTail(stream, via)
      return this.recorder.settle(id, kindOf(last.status), { status: last.status, headers: last.headers, read })
    } catch (error) {
      return this.recorder.settle(id, kindOfError(error), { error: reasonOf(error) })
    }
  }

  async #readToTail(stream: KnownStream, via: Via): Promise<{ last: Answer; read: ReadBack }> {
    const pieces: Buffer[] = []
    let offset = '-1'
    for (let chunk = 0; chunk < chunksMax; chunk += 1) {
      const last = await this.send(via, 'GET', `${stream.path}?offset=${encodeURIComponent(offset)}`)
      const next = last.headers['stream-next-offset'] ?? null
      if (last.status === 200) pieces.push(last.body)
      const atTail = last.headers['stream-up-to-date'] === 'true' || last.headers['stream-closed'] === 'true'
      if (last.status !== 200 || atTail || next === null || next === offset) {
        return { last, read: readBack(stream, pieces, last) }
      }
      offset = next
    }
    throw new Error(`no tail after ${chunksMax} chunks`)
  }

  /** One live or plain read of a single answer: `?offset=…&live=long-poll`. */
  async readOnce(
    actor: string,
    stream: KnownStream,
    via: Via,
    query: string,
    more: { mode: 'catch-up' | 'long-poll' | 'sse'; group?: string; timeoutMs?: number; signal?: AbortSignal },
  ): Promise<Outcome> {
    const op = more.mode === 'catch-up' ? ('read' as const) : ('live' as const)
    const operation = { ...target(op, actor, stream, via), mode: more.mode }
    await this.#pause(actor)
    const id = this.recorder.invoke(more.group === undefined ? operation : { ...operation, group: more.group })
    try {
      const answer = await this.send(via, 'GET', `${stream.path}?${query}`, {}, undefined, more)
      const read = more.mode === 'sse' ? undefined : readBack(stream, [answer.body], answer)
      const settled = { status: answer.status, headers: answer.headers }
      return this.recorder.settle(id, kindOf(answer.status), read ? { ...settled, read } : settled)
    } catch (error) {
      return this.recorder.settle(id, kindOfError(error), { error: reasonOf(error) })
    }
  }

  /** A free exchange, recorded under a label for the check that knows it. */
  async exchange(
    label: string,
    via: Via,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Buffer,
  ): Promise<Answer | null> {
    const invokedAtMs = monotonicMs()
    const base = { kind: 'exchange' as const, label, via, method, path, invokedAtMs }
    try {
      const answer = await this.send(via, method, path, headers, body)
      this.recorder.record({ ...base, status: answer.status, headers: answer.headers, bytes: answer.body.length })
      return answer
    } catch (error) {
      this.recorder.record({ ...base, status: null, headers: {}, bytes: 0, error: reasonOf(error) })
      return null
    }
  }

  async #write(
    operation: Omit<Operation, 'id'>,
    method: string,
    stream: KnownStream,
    headers: Record<string, string>,
    body?: Buffer,
    loseAnswer = false,
  ): Promise<Outcome> {
    await this.#pause(operation.actor)
    const id = this.recorder.invoke(operation)
    try {
      const answer = await this.send(operation.via, method, stream.path, headers, body)
      if (loseAnswer) return this.#loseAnswer(id, answer)
      return this.recorder.settle(id, kindOf(answer.status), { status: answer.status, headers: answer.headers })
    } catch (error) {
      return this.recorder.settle(id, kindOfError(error), { error: reasonOf(error) })
    }
  }

  /** The writer ended before it read the answer: it knows nothing. That the server took it proves the fault. */
  #loseAnswer(id: number, answer: Answer): Outcome {
    const proof = `the server had answered ${answer.status}`
    this.recorder.record({ kind: 'fault', fault: 'lost-answer', phase: 'injected', proof, proven: answer.status < 300 })
    return this.recorder.settle(id, 'info', { error: 'the writer ended before it read the answer' })
  }

  /** Sends one request and reads its whole answer. Throws what undici throws. */
  async send(
    via: Via,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Buffer,
    more: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const endpoint = this.#endpointOf(via)
    const timeoutMs = more.timeoutMs ?? (path.includes('live=') ? liveTimeoutMs : requestTimeoutMs)
    const response = await this.#pool(via, endpoint).request({
      method: method as Dispatcher.HttpMethod,
      path,
      headers: { host: endpoint.authority, ...endpoint.headers, ...headers },
      body: body ?? null,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(more.signal ? { signal: more.signal } : {}),
    })
    const received = Buffer.from(await response.body.arrayBuffer())
    return { status: response.statusCode, headers: keep(response.headers), body: received }
  }

  /**
   * Sends one request and reads its answer, but leaves it after `leaveAfterMs`, as a client does that
   * closes its tab: a status that has come by then counts. Throws what undici throws, also after `forMs`.
   */
  async glance(
    via: Via,
    method: string,
    path: string,
    headers: Record<string, string>,
    body: Buffer | undefined,
    limits: { forMs: number; leaveAfterMs: number | null },
  ): Promise<Omit<Answer, 'body'>> {
    const endpoint = this.#endpointOf(via)
    const leaving = new AbortController()
    const timer = setTimeout(() => leaving.abort(), limits.leaveAfterMs ?? limits.forMs)
    try {
      const response = await this.#pool(via, endpoint, null).request({
        method: method as Dispatcher.HttpMethod,
        path,
        headers: { host: endpoint.authority, ...endpoint.headers, ...headers },
        body: body ?? null,
        headersTimeout: limits.forMs,
        bodyTimeout: limits.forMs,
        signal: leaving.signal,
      })
      const answer = { status: response.statusCode, headers: keep(response.headers) }
      await response.body.dump({ limit: Number.MAX_SAFE_INTEGER }).catch((error: unknown) => {
        if (limits.leaveAfterMs === null || !leaving.signal.aborted) throw error
      })
      return answer
    } finally {
      clearTimeout(timer)
    }
  }

  /** Without a bound on its connections nobody waits for another one's poll. */
  #pool(via: Via, endpoint: Endpoint, connections: number | null = connectionsMax): Pool {
    const key = `${via} ${connections}`
    let pool = this.#pools.get(key)
    if (!pool) {
      pool = new Pool(endpoint.url, {
        connections,
        connectTimeout: 5_000,
        keepAliveTimeout: 4_000,
        ...(endpoint.tls ? { connect: { ca: endpoint.tls.caPem, servername: endpoint.tls.servername } } : {}),
      })
      this.#pools.set(key, pool)
    }
    return pool
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
    this.#pools.clear()
  }
}

function target(op: Operation['op'], actor: string, stream: KnownStream, via: Via) {
  return { op, actor, stream: stream.name, incarnation: stream.incarnation, via }
}

function keep(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of headersKept) {
    const value = headers[name]
    if (value !== undefined) kept[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return kept
}

function readBack(stream: KnownStream, pieces: Buffer[], last: Answer): ReadBack {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  // JSON chunks are arrays of their own; bytes run on from chunk to chunk.
  const bodies = stream.contentType.startsWith('application/json') ? pieces : [Buffer.concat(pieces)]
  const found = bodies.map((body) => findRecords(body, stream.contentType))
  return {
    records: found.flatMap((part) => part.records),
    damaged: found.flatMap((part) => part.damaged),
    bytes,
    sha256: hash.digest('hex'),
    nextOffset: last.headers['stream-next-offset'] ?? null,
    upToDate: last.headers['stream-up-to-date'] === 'true',
    closed: last.headers['stream-closed'] === 'true',
  }
}

function kindOf(status: number): 'ok' | 'fail' | 'info' {
  if (status < 400) return 'ok'
  return status < 500 ? 'fail' : 'info'
}

/** Only a connection that was never made proves that nothing was sent. */
function kindOfError(error: unknown): 'fail' | 'info' {
  const code = codeOf(error)
  return code === 'ECONNREFUSED' || code === 'UND_ERR_CONNECT_TIMEOUT' ? 'fail' : 'info'
}

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: string; cause?: { code?: string } }
  return code ?? cause?.code ?? ''
}

function reasonOf(error: unknown): string {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  return code && !message.includes(code) ? `${code}: ${message}` : message
}
