/** Readers over HTTP/2: some TLS connections, and on each of them many streams. */
import http2 from 'node:http2'
import { Arrivals } from './arrivals.ts'
import { monotonicMs } from '../../clock.ts'
import type { Crowd } from './crowd.ts'
import { HangUps } from './hang-ups.ts'
import { connectionsOf, type CheckedFleetPlan } from './plan.ts'
import type { Receiver } from './receiver.ts'
import type { Transport } from './transport.ts'

interface Connection {
  session: http2.ClientHttp2Session
  /** Handshake and settings are done, or have failed. */
  settled: boolean
}

/** Names of RFC 9113's error codes, by code. */
const errorNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]

export class H2Transport implements Transport {
  readonly #plan: CheckedFleetPlan
  readonly #crowd: Crowd
  readonly #receiver: Receiver
  readonly #count: number
  readonly #connections: Connection[] = []
  readonly #streams = new Map<number, http2.ClientHttp2Stream>()
  readonly #connects: Arrivals
  readonly #requests: Arrivals
  #settledConnections = 0
  readonly #hangUps = new HangUps()

  constructor(plan: CheckedFleetPlan, crowd: Crowd, receiver: Receiver) {
    this.#plan = plan
    this.#crowd = crowd
    this.#receiver = receiver
    this.#count = connectionsOf(plan)
    this.#connects = new Arrivals({
      count: this.#count,
      spanMs: 0,
      inFlightMax: plan.connectsInFlightMax,
      start: (index) => this.#connect(index),
    })
    this.#requests = new Arrivals({
      count: plan.readers,
      spanMs: plan.arrivalSpanMs,
      inFlightMax: plan.readers,
      start: (reader, dueMs) => this.#request(reader, dueMs),
    })
  }

  begin(): void {
    this.#connects.begin()
  }

  hangUpDone(): void {
    this.#hangUps.turn((reader) => this.#receiver.isControlDue(reader), (reader) => this.#hangUp(reader))
  }

  stop(): void {
    this.#connects.stop()
    this.#requests.stop()
  }

  #connect(index: number): void {
    const { host, port, authority, tls } = this.#plan.target
    const startMs = monotonicMs()
    const session = http2.connect(`https://${authority}`, {
      host,
      port,
      ca: tls!.caPem,
      servername: tls!.servername,
      settings: { enablePush: false },
    } as http2.SecureClientSessionOptions)
    const connection: Connection = { session, settled: false }
    this.#connections[index] = connection
    this.#eachReaderOf(index, (reader) => (this.#crowd.connectStartMs[reader] = startMs))
    // Before its settings are known, more streams than the peer allows would be refused.
    session.once('remoteSettings', () => {
      connection.settled = true
      this.#eachReaderOf(index, (reader) => this.#crowd.connected(reader))
      this.#settled()
    })
    const failed = (error?: NodeJS.ErrnoException) => {
      if (connection.settled) return
      connection.settled = true
      const reason = error?.code ?? error?.message ?? 'closed'
      this.#eachReaderOf(index, (reader) => this.#crowd.finish(reader, 'connect-failed', reason))
      this.#settled()
    }
    session.on('error', failed)
    session.once('close', () => failed())
  }

  /** Requests begin when every connection is up: a crowd's arrival is not spread by handshakes. */
  #settled(): void {
    this.#connects.settled()
    this.#settledConnections++
    if (this.#settledConnections === this.#count) this.#requests.begin()
  }

  #request(reader: number, dueMs: number): void {
    const connection = this.#connections[reader % this.#count]!
    this.#crowd.dueMs[reader] = dueMs
    if (this.#crowd.isDone(reader)) return
    if (connection.session.destroyed || connection.session.closed) {
      return this.#crowd.finish(reader, 'reset', 'connection-closed')
    }
    const { path, headers } = this.#plan.requests[reader % this.#plan.requests.length]!
    const stream = connection.session.request({
      ':method': 'GET',
      ':path': path,
      ':authority': this.#plan.target.authority,
      accept: '*/*',
      ...headers,
    })
    this.#streams.set(reader, stream)
    this.#listen(reader, stream)
  }

  #listen(reader: number, stream: http2.ClientHttp2Stream): void {
    const crowd = this.#crowd
    // A request leaves when the turn that made it ends, or later when its stream has to wait.
    if (stream.pending) stream.once('ready', () => crowd.sent(reader))
    else setImmediate(() => crowd.sent(reader))
    stream.once('response', (headers) => {
      crowd.firstByteMs[reader] = monotonicMs()
      this.#head(reader, headers)
      // Not before: to a stream that flows, Node may give its first bytes ahead of its head.
      this.#receive(reader, stream, Number(headers['content-length'] ?? Number.NaN))
    })
    stream.once('error', () => {})
    stream.once('close', () => this.#closed(reader, stream.rstCode ?? -1))
  }

  /** @param bytesAnnounced NaN where the head announces none */
  #receive(reader: number, stream: http2.ClientHttp2Stream, bytesAnnounced: number): void {
    const crowd = this.#crowd
    let bytesReceived = 0
    stream.on('data', (bytes: Buffer) => {
      bytesReceived += bytes.length
      this.#receiver.body(reader, bytes, 0, bytes.length)
      if (crowd.isDone(reader)) this.#hangUps.note(reader)
    })
    stream.once('end', () => {
      if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) return
      if (bytesReceived < bytesAnnounced) crowd.finish(reader, 'truncated')
      else this.#receiver.end(reader)
    })
  }

  #head(reader: number, headers: http2.IncomingHttpHeaders): void {
    const text = (name: string) => String(headers[name] ?? '')
    this.#plan.captureHeaders.forEach((name, i) => {
      if (headers[name] === undefined) return
      const index = this.#crowd.headerValues[i]!.distinct.indexOf(text(name))
      this.#crowd.headers[i]![reader] = index
    })
    const type = text('content-type').toLowerCase()
    const encoding = text('stream-sse-data-encoding').toLowerCase()
    this.#receiver.head(reader, Number(headers[':status']), type, encoding)
  }

  /** A stream that closes before its end was reset, by its peer or with its connection. */
  #closed(reader: number, code: number): void {
    this.#crowd.finish(reader, 'reset', errorNames[code] ?? `rst-${code}`)
    this.#receiver.abandon(reader)
    this.#streams.delete(reader)
  }

  #hangUp(reader: number): void {
    this.#streams.get(reader)?.close(http2.constants.NGHTTP2_CANCEL)
  }

  #eachReaderOf(connection: number, visit: (reader: number) => void): void {
    for (let i = connection; i < this.#plan.readers; i += this.#count) visit(i)
  }
}
