/**
 * Readers over HTTP/1.1, one connection each. All sockets read into one shared buffer and share
 * their callbacks, so a reader costs little more than its socket.
 */
import net from 'node:net'
import tls from 'node:tls'
import { Arrivals } from './arrivals.ts'
import { monotonicMs } from '../../clock.ts'
import type { Crowd } from './crowd.ts'
import { HangUps } from './hang-ups.ts'
import type { CheckedFleetPlan } from './plan.ts'
import type { Receiver } from './receiver.ts'
import type { ResponseHead } from './response-head.ts'
import { ResponseParser, type ResponseSink } from './response-parser.ts'
import { sourceAddress } from './source-address.ts'
import type { Transport } from './transport.ts'

/** A socket that knows whose it is. */
type ReaderSocket = net.Socket & { reader: number }

const readBufferBytes = 65_536

export class Http1Transport implements Transport, ResponseSink {
  readonly #plan: CheckedFleetPlan
  readonly #crowd: Crowd
  readonly #receiver: Receiver
  readonly #parser: ResponseParser
  readonly #arrivals: Arrivals
  readonly #requests: Buffer[]
  readonly #sockets: (ReaderSocket | undefined)[]
  readonly #onread: net.OnReadOpts
  readonly #listeners: SharedListeners
  readonly #secureContext: tls.SecureContext | undefined
  readonly #captured: number
  readonly #contentType: number
  readonly #encoding: number
  readonly #hangUps = new HangUps()

  constructor(plan: CheckedFleetPlan, crowd: Crowd, receiver: Receiver) {
    this.#plan = plan
    this.#crowd = crowd
    this.#receiver = receiver
    const names = [...plan.captureHeaders, 'content-type', 'stream-sse-data-encoding']
    this.#captured = plan.captureHeaders.length
    this.#contentType = this.#captured
    this.#encoding = this.#captured + 1
    this.#parser = new ResponseParser(plan.readers, names, this)
    this.#requests = plan.requests.map((request) => requestBytes(plan.target.authority, request))
    this.#sockets = Array.from({ length: plan.readers })
    const buffer = Buffer.allocUnsafeSlow(readBufferBytes)
    this.#listeners = sharedListeners({
      connected: (socket) => this.#connected(socket),
      read: (reader, length) => this.#read(reader, buffer, length),
      ended: (reader) => this.#ended(reader),
      failed: (reader, error) => this.#failed(reader, error),
    })
    // Node calls this one as the socket's method, too.
    this.#onread = { buffer, callback: this.#listeners.read as net.OnReadOpts['callback'] }
    const { tls: secure } = plan.target
    this.#secureContext = secure && tls.createSecureContext({ ca: secure.caPem })
    this.#arrivals = new Arrivals({
      count: plan.readers,
      spanMs: plan.arrivalSpanMs,
      inFlightMax: plan.connectsInFlightMax,
      start: (reader, dueMs) => this.#connect(reader, dueMs),
    })
  }

  begin(): void {
    this.#arrivals.begin()
  }

  hangUpDone(): void {
    this.#hangUps.turn((reader) => this.#receiver.isControlDue(reader), (reader) => this.#hangUp(reader))
  }

  stop(): void {
    this.#arrivals.stop()
  }

  head(reader: number, head: ResponseHead, bytes: Buffer): void {
    const { captured, repeated } = head
    for (let i = 0; i < this.#captured; i++) {
      const start = captured[2 * i]!
      if (start < 0) continue
      const values = this.#crowd.headerValues[i]!
      const joined = repeated.get(i)
      this.#crowd.headers[i]![reader] =
        joined === undefined
          ? values.indexOf(bytes, start, captured[2 * i + 1]!)
          : values.distinct.indexOf(joined)
    }
    if (this.#plan.read.kind === 'response') return this.#receiver.head(reader, head.status, '', '')
    const type = captureText(head, bytes, this.#contentType)
    this.#receiver.head(reader, head.status, type, captureText(head, bytes, this.#encoding))
  }

  body(reader: number, bytes: Buffer, start: number, end: number): void {
    this.#receiver.body(reader, bytes, start, end)
    if (this.#crowd.isDone(reader)) this.#hangUps.note(reader)
  }

  end(reader: number): void {
    this.#receiver.end(reader)
    this.#hangUps.note(reader)
  }

  malformed(reader: number, reason: string): void {
    if (this.#crowd.isDone(reader)) this.#crowd.spoil(reader, 'malformed', reason)
    else this.#receiver.malformed(reader, reason)
    this.#hangUps.note(reader)
  }

  #connect(reader: number, dueMs: number): void {
    const { host, port, tls: secure } = this.#plan.target
    this.#crowd.dueMs[reader] = dueMs
    this.#crowd.connecting(reader)
    const localAddress = sourceAddress(host, reader)
    const to = { host, port, ...(localAddress && { localAddress }) }
    const socket = (
      secure
        ? tls.connect({
            ...to,
            servername: secure.servername,
            secureContext: this.#secureContext!,
            ALPNProtocols: ['http/1.1'],
            onread: this.#onread,
          } as tls.ConnectionOptions)
        : new net.Socket({ onread: this.#onread } as net.SocketConstructorOpts)
    ) as ReaderSocket
    socket.reader = reader
    this.#sockets[reader] = socket
    socket.on(secure ? 'secureConnect' : 'connect', this.#listeners.connect)
    socket.on('end', this.#listeners.end)
    socket.on('error', this.#listeners.error)
    if (!secure) socket.connect(to)
  }

  #connected(socket: ReaderSocket): void {
    const { reader } = socket
    this.#arrivals.settled()
    this.#crowd.connected(reader)
    const request = this.#requests[reader % this.#requests.length]!
    socket.write(request)
    // Mostly the kernel takes a request at once; else it is sent when an empty write behind it is.
    if (socket.writableLength === 0) this.#crowd.sent(reader)
    else socket.write('', () => this.#crowd.sent(reader))
  }

  #read(reader: number, buffer: Buffer, length: number): void {
    const crowd = this.#crowd
    if (Number.isNaN(crowd.firstByteMs[reader]!)) crowd.firstByteMs[reader] = monotonicMs()
    this.#parser.push(reader, buffer, length)
  }

  /** The peer has closed its side. */
  #ended(reader: number): void {
    if (!this.#parser.close(reader)) this.#crowd.finish(reader, 'truncated')
    this.#forget(reader)
  }

  #failed(reader: number, error: NodeJS.ErrnoException): void {
    const reason = error.code ?? error.message
    if (Number.isNaN(this.#crowd.connectedMs[reader]!)) {
      this.#arrivals.settled()
      this.#crowd.finish(reader, 'connect-failed', reason)
    } else this.#crowd.finish(reader, 'reset', reason)
    this.#forget(reader)
  }

  #hangUp(reader: number): void {
    this.#sockets[reader]?.destroy()
    this.#forget(reader)
  }

  #forget(reader: number): void {
    this.#sockets[reader] = undefined
    this.#parser.abandon(reader)
    this.#receiver.abandon(reader)
  }
}

interface SocketEvents {
  connected(socket: ReaderSocket): void
  read(reader: number, length: number): void
  ended(reader: number): void
  failed(reader: number, error: NodeJS.ErrnoException): void
}

type SharedListeners = ReturnType<typeof sharedListeners>

/** One set of listeners for all sockets: each learns from `this` whose socket it is. */
function sharedListeners(told: SocketEvents) {
  return {
    connect(this: ReaderSocket) {
      told.connected(this)
    },
    read(this: ReaderSocket, length: number) {
      told.read(this.reader, length)
      return true
    },
    end(this: ReaderSocket) {
      told.ended(this.reader)
    },
    error(this: ReaderSocket, error: NodeJS.ErrnoException) {
      told.failed(this.reader, error)
    },
  }
}

function captureText(head: ResponseHead, bytes: Buffer, index: number): string {
  const [start, end] = [head.captured[2 * index]!, head.captured[2 * index + 1]!]
  return start < 0 ? '' : bytes.toString('latin1', start, end).toLowerCase()
}

type Request = CheckedFleetPlan['requests'][number]

function requestBytes(authority: string, request: Request): Buffer {
  const headers = Object.entries({ accept: '*/*', ...request.headers })
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `GET ${request.path} HTTP/1.1\r\nHost: ${authority}\r\n${lines.join('')}\r\n`
  return Buffer.from(head, 'latin1')
}
