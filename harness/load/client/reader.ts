/** One live reader as an application writes it: stream(), onError, a subscription, and a new session when one ends by an error. */
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../clock.ts'
import { findRecords, isJson } from '../../record.ts'
import type { ClientEvent, ReaderPlan } from './plan.ts'
import type { Producer, ProducerOptions } from './writer.ts'

/** What the program needs of a client library: the part of `@durable-streams/client` that readers use. */
export interface StreamLibrary {
  /** Its name and version, for the report. */
  client: string
  open(options: OpenOptions, api: ReaderPlan['api']): Promise<Session>
  produce(options: ProducerOptions): Producer
  /** A stream's state; rejects where there is none. */
  head(options: { url: string; headers: Record<string, string> }): Promise<unknown>
}

export interface OpenOptions {
  url: string
  offset: string
  live: 'long-poll' | 'sse' | true
  headers: Record<string, string | (() => string)>
  signal: AbortSignal
  onError(error: Error): Promise<{ headers?: Record<string, string> } | undefined>
}

interface Batch {
  offset: string
  upToDate: boolean
}

export interface Session {
  subscribeJson(subscriber: (batch: Batch & { items: readonly unknown[] }) => void): unknown
  subscribeText(subscriber: (batch: Batch & { text: string }) => void): unknown
  readonly closed: Promise<void>
  /** By its documentation what follows the data that was delivered last. */
  readonly offset: string
}

const sessionsMax = 20
/** An application waits a moment before it opens a new session, and not all at the same one. */
const resumePauseMsMax = 500
/** The library retries at once when the handler says so; a careful handler waits. */
const retryPauseMs = 200

export class Reader {
  #plan: ReaderPlan
  #library: StreamLibrary
  #clientHeader: string
  #say: (event: ClientEvent) => void
  #stop = new AbortController()
  #offset: string
  #token: string | null

  constructor(plan: ReaderPlan, library: StreamLibrary, clientHeader: string, say: (event: ClientEvent) => void) {
    this.#plan = plan
    this.#library = library
    this.#clientHeader = clientHeader
    this.#say = say
    this.#offset = plan.offset
    this.#token = plan.token?.value ?? null
  }

  stop(): void {
    this.#stop.abort()
  }

  renew(token: string): void {
    this.#token = token
    this.#tell({ event: 'renewed' })
  }

  async run(): Promise<void> {
    for (let session = 0; session < sessionsMax; session += 1) {
      const error = await this.#session()
      if (this.#stop.signal.aborted) return
      const status = error === null ? null : statusOf(error)
      this.#tell({ event: 'ended', status, error: error === null ? null : messageOf(error) })
      if (error === null || isPermanent(status)) return
      await delay(Math.random() * resumePauseMsMax)
      if (this.#stop.signal.aborted) return
      this.#tell({ event: 'resumed', offset: this.#offset })
    }
  }

  /** One session to its end; the error that ended it, or null. */
  async #session(): Promise<Error | null> {
    let session: Session | null = null
    try {
      session = await this.#library.open(this.#options(), this.#plan.api)
      if (isJson(this.#plan.contentType)) session.subscribeJson((batch) => this.#took(JSON.stringify(batch.items), batch))
      else session.subscribeText((batch) => this.#took(batch.text, batch))
      await session.closed
      return null
    } catch (error) {
      if (session && this.#plan.resumesFrom === 'session') this.#offset = session.offset
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  #options(): OpenOptions {
    const { url, live, token } = this.#plan
    const bearer = () => `Bearer ${this.#token}`
    const authorization = token === undefined ? {} : { authorization: token.given === 'by-function' ? bearer : bearer() }
    return {
      url,
      offset: this.#offset,
      live: live === 'auto' ? true : live,
      headers: { [this.#clientHeader]: this.#plan.id, ...authorization },
      signal: this.#stop.signal,
      onError: (error) => this.#onError(error),
    }
  }

  #took(text: string, { offset, upToDate }: Batch): void {
    this.#offset = offset
    const { records, damaged } = findRecords(Buffer.from(text), this.#plan.contentType)
    if (text.length > 0) this.#tell({ event: 'batch', records, damaged: damaged.length, offset, upToDate })
  }

  async #onError(error: Error): Promise<{ headers?: Record<string, string> } | undefined> {
    const status = statusOf(error)
    const renews = status === 401 && this.#plan.handler === 'renews-the-token'
    const returned = isPermanent(status) && !renews ? 'stop' : 'retry'
    this.#tell({ event: 'on-error', status, error: messageOf(error), returned })
    if (returned === 'stop') return undefined
    await delay(retryPauseMs)
    return renews ? { headers: { authorization: `Bearer ${this.#token}` } } : {}
  }

  #tell(event: Untimed<Extract<ClientEvent, { reader: string }>>): void {
    this.#say({ ...event, reader: this.#plan.id, atMs: monotonicMs() } as ClientEvent)
  }
}

type Untimed<E> = E extends unknown ? Omit<E, 'reader' | 'atMs'> : never

export function statusOf(error: Error): number | null {
  const { status } = error as { status?: unknown }
  return typeof status === 'number' ? status : null
}

/** 4xx, but a time-out and a rate limit: asking again as before cannot help. */
function isPermanent(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429
}

export function messageOf(error: Error): string {
  const { cause } = error as { cause?: { code?: string; message?: string } }
  const because = cause?.code ?? cause?.message
  return `${error.name}: ${error.message.slice(0, 120)}${because === undefined ? '' : ` (${because})`}`
}
