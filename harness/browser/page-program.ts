/**
 * What a page does with the client from npm. It runs unchanged in two places: in a browser's page of
 * another origin, and in Node, where no rule about origins holds. What the two see differently is
 * what the page is kept from.
 *
 * Served to the page with its types stripped: it may import nothing but the client.
 */
import { DurableStream, IdempotentProducer, stream, type StreamResponse } from '@durable-streams/client'

export type PageKind = 'text' | 'json' | 'binary'

export interface PagePlan {
  /** 'http://localhost:20001/v1/stream/', by which way the page reaches streams. */
  base: string
  /** Beginning of its streams' names; nobody else uses it. */
  prefix: string
  kind: PageKind
}

/** An answer, by what of it could be read. */
export interface SeenAnswer {
  /** 'PUT'; of a live read also which: 'GET live=sse'. */
  method: string
  status: number
  /** Names, lower case. */
  headers: string[]
}

export interface OperationReport {
  /** What came out of it, in words that do not depend on where it ran. */
  outcome: string
  answers: SeenAnswer[]
}

export interface Probe {
  url: string
  method: string
  headers: Record<string, string>
  body?: string
}

interface Session {
  plan: PagePlan
  url: string
  fetch: typeof fetch
  handle: DurableStream
  offset: string
  /** Resolves when the next live read has been sent. */
  liveSent(): Promise<void>
}

const operationTimeoutMs = 15_000
const contentTypes: Record<PageKind, string> = {
  text: 'text/plain',
  json: 'application/json',
  binary: 'application/octet-stream',
}
const noRetries = { initialDelay: 100, maxDelay: 100, multiplier: 1, maxRetries: 0 }

/** The operations, in the order in which they must be run on one session. */
const operations: Record<string, (session: Session) => Promise<string>> = {
  'create': async (session) => {
    await session.handle.create({ contentType: contentTypes[session.plan.kind], ttlSeconds: 600 })
    return 'created'
  },
  'append': async (session) => {
    await session.handle.append(record(session, 1), { seq: '1' })
    return 'appended'
  },
  'append as producer': async (session) => {
    const producer = new IdempotentProducer(session.handle, 'page', { epoch: 1, fetch: session.fetch, onError: reject(session) })
    producer.append(record(session, 2))
    await producer.flush()
    return failureOf(session) ?? 'appended'
  },
  'head': async (session) => {
    const head = await session.handle.head()
    if (!head.exists) return 'does not exist'
    session.offset = head.offset ?? ''
    return `exists, closed ${head.streamClosed}, ${head.contentType?.split(';')[0]}, ${head.offset ? 'an offset' : 'no offset'}`
  },
  'read catch-up': async (session) => content(session, await read(session, { offset: '-1', live: false })),
  'read long-poll': (session) => readLive(session, 'long-poll', 3),
  'read sse': (session) => readLive(session, 'sse', 4),
  'fork': async ({ fetch, url, plan }) => {
    const headers = { 'content-type': contentTypes[plan.kind], 'stream-forked-from': new URL(url).pathname }
    return `status ${(await fetch(`${url}-fork`, { method: 'PUT', headers })).status}`
  },
  'append as stale producer': async (session) => {
    const producer = new IdempotentProducer(session.handle, 'page', { epoch: 0, fetch: session.fetch, onError: reject(session) })
    producer.append(record(session, 5))
    await producer.flush().catch(reject(session))
    return failureOf(session) ?? 'appended'
  },
  'append with a gap': async ({ fetch, url, plan }) => {
    const headers = { 'content-type': contentTypes[plan.kind], 'producer-id': 'page', 'producer-epoch': '1', 'producer-seq': '7' }
    return `status ${(await fetch(url, { method: 'POST', headers, body: body(plan, 5) })).status}`
  },
  'create with other settings': (session) => session.handle.create({ contentType: 'text/csv' }).then(() => 'created'),
  'create with two lifetimes': ({ plan, url, fetch }) => {
    const lifetimes = { ttlSeconds: 60, expiresAt: new Date(Date.now() + 60_000).toISOString() }
    const handle = new DurableStream({ url: `${url}-two-lifetimes`, fetch, backoffOptions: noRetries, warnOnHttp: false })
    return handle.create({ contentType: contentTypes[plan.kind], ...lifetimes }).then(() => 'created')
  },
  'read what is missing': (session) => read(session, { url: `${session.url}-missing`, offset: '-1', live: false }).then(() => 'read'),
  'close': async (session) => {
    const { finalOffset } = await session.handle.close()
    return `closed, ${finalOffset ? 'an offset' : 'no offset'}`
  },
  'append to what is closed': (session) => session.handle.append(record(session, 6)).then(() => 'appended'),
  'read what is closed': async (session) => {
    const response = await read(session, { offset: session.offset || '-1', live: false })
    const text = await content(session, response)
    return `${text}, closed ${response.streamClosed}`
  },
  'delete': (session) => session.handle.delete().then(() => 'deleted'),
}

/** What a page asks of an edge behind which the origin is down. */
const whileDown: typeof operations = {
  'read while the origin is down': (session) => read(session, { url: `${session.url}-down`, offset: '-1', live: false }).then(() => 'read'),
}

export const operationNames: readonly string[] = Object.keys(operations)
export const whileDownNames: readonly string[] = Object.keys(whileDown)

/** Opens a session; `underneath` is what requests are made with. */
export function openSession(plan: PagePlan, underneath: typeof fetch): { run(name: string): Promise<OperationReport> } {
  let answers: SeenAnswer[] = []
  let onLive = () => {}
  const recording: typeof fetch = async (input, init) => {
    const live = /\blive=[\w-]+/.exec(String(input))?.[0]
    if (live !== undefined) onLive()
    const response = await underneath(input, init)
    const method = [init?.method ?? 'GET', ...(live === undefined ? [] : [live])].join(' ')
    answers.push({ method, status: response.status, headers: [...response.headers.keys()] })
    return response
  }
  const liveSent = () => new Promise<void>((resolve) => void (onLive = resolve))
  const url = `${plan.base}${plan.prefix}-${plan.kind}`
  const contentType = contentTypes[plan.kind]
  const handle = new DurableStream({ url, contentType, fetch: recording, backoffOptions: noRetries, batching: false, warnOnHttp: false })
  const session: Session = { plan, url, fetch: recording, handle, offset: '', liveSent }
  return {
    async run(name) {
      answers = []
      const outcome = await Promise.race([(operations[name] ?? whileDown[name])!(session).catch(words), timeLimit()])
      return { outcome, answers }
    },
  }
}

/** Sends one request; whether an answer could be had at all is what counts. */
export async function probe({ url, method, headers, body }: Probe): Promise<{ status: number } | { error: string }> {
  try {
    const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
    return { status: response.status }
  } catch (error) {
    return { error: String(error) }
  }
}

const failures = new WeakMap<Session, string>()

function reject(session: Session): (error: unknown) => void {
  return (error) => void failures.set(session, words(error))
}

/** What a producer reported meanwhile. */
function failureOf(session: Session): string | null {
  const failure = failures.get(session) ?? null
  failures.delete(session)
  return failure
}

/** An error as a program tells it from others: its name, status and code, and what it knows of producers. */
function words(error: unknown): string {
  const { name, status, code, currentEpoch, expectedSeq } = error as Record<string, unknown>
  const told = { status, code, currentEpoch, expectedSeq }
  return [`${String(name)}:`, ...Object.entries(told).flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${String(value)}`]))].join(' ')
}

function timeLimit(): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve(`no outcome within ${operationTimeoutMs} ms`), operationTimeoutMs))
}

function body({ kind }: PagePlan, n: number): string | Uint8Array<ArrayBuffer> {
  if (kind === 'json') return JSON.stringify({ n })
  return kind === 'text' ? `record ${n};` : new Uint8Array([0, 255, n])
}

function record({ plan }: Session, n: number): string | Uint8Array {
  return body(plan, n)
}

function read({ url, fetch }: Session, options: { url?: string; offset: string; live: false | 'long-poll' | 'sse'; signal?: AbortSignal }): Promise<StreamResponse> {
  return stream({ url, fetch, backoffOptions: noRetries, warnOnHttp: false, onError: () => undefined, ...options })
}

async function content({ plan }: Session, response: StreamResponse): Promise<string> {
  if (plan.kind === 'json') return JSON.stringify(await response.json())
  return plan.kind === 'text' ? response.text() : hex(await response.body())
}

/** Follows the stream from its tail, appends record `n`, and says the first that came. */
async function readLive(session: Session, live: 'long-poll' | 'sse', n: number): Promise<string> {
  const head = await session.handle.head()
  const offset = head.exists ? head.offset : undefined
  const stop = new AbortController()
  try {
    const attached = session.liveSent()
    const response = await read(session, { offset: offset ?? '-1', live, signal: stop.signal })
    const received = first(session.plan, response)
    // The client reads what is there first. Whatever comes now comes to the live read.
    await Promise.race([attached, received])
    await session.handle.append(record(session, n))
    return await received
  } finally {
    stop.abort()
  }
}

function first({ kind }: PagePlan, response: StreamResponse): Promise<string> {
  return new Promise((resolve, reject) => {
    response.closed.catch(reject)
    if (kind === 'json') response.subscribeJson(({ items }) => void (items.length > 0 && resolve(JSON.stringify(items))))
    else if (kind === 'text') response.subscribeText(({ text }) => void (text !== '' && resolve(text)))
    else response.subscribeBytes(({ data }) => void (data.length > 0 && resolve(hex(data))))
  })
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
}
