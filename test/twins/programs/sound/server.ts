/**
 * The reference server without what scenarios find wrong with it: writes outlast it, reads are answered
 * by a module of their own, a full disk and damaged data are told, and pages of another origin may read all headers.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { DurableStreamTestServer } from '@durable-streams/server'
import { mendHeaders } from './headers.ts'
import { DamagedStream, LastingStore } from './lasting-store.ts'
import { answerHead, answerRead, type ReadLimits } from './reads.ts'
import { NoRoom } from './redo-log.ts'
import { isWrite, WritesUnderWay } from './writes-under-way.ts'

interface Settings {
  host: string
  port: number
}

interface BaseServer {
  server: Server
  store: unknown
  start(): Promise<string>
  handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void>
  handleHead(path: string, response: ServerResponse): void
  handleRead(path: string, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void>
}

const Base = DurableStreamTestServer as unknown as new (settings: Settings) => BaseServer

/** Longer than whoever is in front keeps a connection that is idle: the one who sends shall be the one who closes. */
export const keepAliveMs = 75_000

export class SoundServer extends Base {
  #streams: LastingStore
  #limits: ReadLimits
  #underWay = new WritesUnderWay()
  #isStopping = false

  constructor(dataDir: string, settings: Settings & ReadLimits) {
    super(settings)
    this.#streams = new LastingStore(dataDir)
    this.store = this.#streams
    this.#limits = settings
  }

  override async start(): Promise<string> {
    const url = await super.start()
    this.server.keepAliveTimeout = keepAliveMs
    this.server.requestTimeout = 0
    return url
  }

  /** Answers the writes that it has, takes no other, and lets go of all readers. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.server.close()
    await this.#underWay.end()
  }

  override async handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isStopping) return void response.destroy()
    this.#underWay.note(request, response)
    mendHeaders(response)
    if (isWrite(request)) this.#answerWhenForced(request, response)
    const closed = request.headers['stream-closed']
    if (typeof closed === 'string') request.headers['stream-closed'] = closed.toLowerCase()
    try {
      await super.handleRequest(request, response)
    } catch (error) {
      if (error instanceof DamagedStream) response.writeHead(500, { 'content-type': 'text/plain' }).end(error.message)
      else if (error instanceof NoRoom) response.writeHead(507, { 'content-type': 'text/plain' }).end('Insufficient storage')
      else throw error
    }
  }

  /** Nobody is told of what a power cut would undo. */
  #answerWhenForced(request: IncomingMessage, response: ServerResponse): void {
    const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse
    response.end = ((...args: unknown[]) => {
      void this.#streams.forced(request).then(() => end(...args), () => response.destroy())
      return response
    }) as typeof response.end
  }

  override handleHead(path: string, response: ServerResponse): void {
    answerHead(this.#streams, path, response)
  }

  override handleRead(path: string, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    return answerRead(this.#streams, path, url, request, response, this.#limits)
  }
}
