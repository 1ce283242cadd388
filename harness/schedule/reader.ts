/** One request of a reader, and all of its answer as a check needs it. */
import { Agent, type Dispatcher } from 'undici'
import { monotonicMs } from '../clock.ts'
import { headersOfAnAnswer, responseNumberHeader, type Answer, type Claim, type ReadMode, type Via } from '../history.ts'
import { unverified, type Endpoint } from '../operations.ts'
import { findRecords } from '../record.ts'
import { SseClaims } from './sse-claims.ts'

export interface Asking {
  via: Via
  mode: ReadMode
  /** Path and query. */
  target: string
  headers: Record<string, string>
  contentType: string
  /** Gives up after this. */
  timeoutMs: number
  signal: AbortSignal
  /** For an event stream: told of each claim, says when the reader has seen enough. */
  enough?: Watch
}

/** When a reader of an event stream leaves. */
export interface Watch {
  /** Asked after each claim, and whenever `changed` resolves. */
  isEnough(claims: readonly Claim[]): boolean
  /** Leave at this moment at the latest; it may be moved. */
  untilMs(): number
}

/** The query of a read; the parameters of a live one in either order. */
export function queryOf(mode: ReadMode, fromOffset: string, swapped: boolean): string {
  if (mode === 'head') return ''
  const offset = `offset=${encodeURIComponent(fromOffset)}`
  if (mode !== 'long-poll' && mode !== 'sse') return `?${offset}`
  return swapped ? `?${offset}&live=${mode}` : `?live=${mode}&${offset}`
}

/** Of one's own: no other actor has them. */
export function credentialHeaders(kind: Answer['credentials'], actor: string): Record<string, string> {
  if (kind === 'authorization') return { authorization: `Bearer ${actor}` }
  return kind === 'cookie' ? { cookie: `session=${actor}` } : {}
}

/** The part of an answer that came with it. */
export type Received = Pick<Answer, 'status' | 'headers' | 'claims' | 'upstream' | 'left' | 'error' | 'invokedAtMs'> & { atMs: number; cursor?: string | null }

const lookEveryMs = 20
const headersKept: readonly string[] = [...headersOfAnAnswer, 'age']

export class Readers implements AsyncDisposable {
  #endpointOf: (via: Via) => Endpoint
  #agents = new Map<Via, Agent>()

  constructor(endpointOf: (via: Via) => Endpoint) {
    this.#endpointOf = endpointOf
  }

  /** Never throws: what went wrong stands in `error`, with status null. */
  async ask(asking: Asking): Promise<Received> {
    const endpoint = this.#endpointOf(asking.via)
    const leave = new AbortController()
    const signal = AbortSignal.any([asking.signal, leave.signal, AbortSignal.timeout(asking.timeoutMs)])
    const invokedAtMs = monotonicMs()
    try {
      const response = await this.#agent(asking.via, endpoint).request({
        origin: endpoint.url,
        method: asking.mode === 'head' ? 'HEAD' : 'GET',
        path: asking.target,
        // What the origin asks of every client stands above what a reader has of its own.
        headers: { host: endpoint.authority, ...asking.headers, ...endpoint.headers },
        headersTimeout: 0,
        bodyTimeout: 0,
        signal,
      })
      const told = { status: response.statusCode, headers: kept(response.headers), upstream: upstreamOf(response.headers), invokedAtMs }
      const isEventStream = asking.mode === 'sse' && response.statusCode === 200
      const rest = isEventStream ? await follow(response, asking, leave) : await whole(response, asking)
      return { ...told, ...rest }
    } catch (error) {
      return { status: null, headers: {}, claims: [], upstream: null, error: reasonOf(error), invokedAtMs, atMs: monotonicMs() }
    }
  }

  #agent(via: Via, endpoint: Endpoint): Agent {
    let agent = this.#agents.get(via)
    if (!agent) {
      agent = new Agent({
        connections: 512,
        keepAliveTimeout: 3_000,
        ...unverified(endpoint),
      })
      this.#agents.set(via, agent)
    }
    return agent
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()))
    this.#agents.clear()
  }
}

type Rest = Pick<Received, 'claims' | 'atMs' | 'left' | 'cursor'>

async function whole(response: Dispatcher.ResponseData, asking: Asking): Promise<Rest> {
  const body = Buffer.from(await response.body.arrayBuffer())
  const atMs = monotonicMs()
  if (response.statusCode !== 200 && response.statusCode !== 204) return { claims: [], atMs }
  const headers = kept(response.headers)
  const found = body.length === 0 ? { records: [], damaged: [] } : findRecords(body, headers['content-type'] ?? asking.contentType)
  const claim: Claim = {
    atMs,
    records: found.records,
    damaged: found.damaged.length,
    nextOffset: headers['stream-next-offset'] ?? null,
    upToDate: headers['stream-up-to-date'] === 'true',
    closed: headers['stream-closed'] === 'true',
  }
  return { claims: [claim], atMs, cursor: headers['stream-cursor'] ?? null }
}

/** Follows an event stream until its end, or until the reader has seen enough. */
async function follow(response: Dispatcher.ResponseData, asking: Asking, leave: AbortController): Promise<Rest> {
  const isBase64 = response.headers['stream-sse-data-encoding'] === 'base64'
  const events = new SseClaims(asking.contentType, isBase64)
  let left = false
  const look = () => {
    if (left || !asking.enough) return
    if (monotonicMs() < asking.enough.untilMs() && !(events.claims.length > 0 && asking.enough.isEnough(events.claims))) return
    left = true
    leave.abort()
  }
  const timer = setInterval(look, lookEveryMs)
  try {
    for await (const chunk of response.body) {
      if (left) break
      events.push(chunk as Buffer, monotonicMs())
      look()
    }
  } catch (error) {
    if (!left) throw error
  } finally {
    clearInterval(timer)
  }
  return { claims: events.claims, atMs: monotonicMs(), left, cursor: events.cursor }
}

function kept(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const result: Record<string, string> = {}
  for (const name of headersKept) {
    const value = headers[name]
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return result
}

function upstreamOf(headers: Dispatcher.ResponseData['headers']): number | null {
  const number = Number(headers[responseNumberHeader])
  return Number.isSafeInteger(number) && number > 0 ? number : null
}

function reasonOf(error: unknown): string {
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string }
  if (name === 'TimeoutError') return 'timed out'
  return typeof code === 'string' ? code : (message ?? String(error))
}
