/** How the sound origin answers reads: HEAD, catch-up, long-poll and event streams. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { generateResponseCursor } from '@durable-streams/server'
import type { LastingStore, Message, Stream } from './lasting-store.ts'

export interface ReadLimits {
  longPollTimeoutMs: number
  /** How long an event stream is left open. */
  sseReconnectMs: number
}

interface Read {
  store: LastingStore
  path: string
  /** The life that is read: what comes after it at the same path is none of this reader's. */
  stream: Stream
  query: URLSearchParams
  response: ServerResponse
  limits: ReadLimits
}

export function answerHead(store: LastingStore, path: string, response: ServerResponse): void {
  const stream = found(store, path, response)
  if (stream === null) return
  const { currentOffset, contentType, ttlSeconds, expiresAt } = stream
  response.writeHead(200, {
    'stream-next-offset': currentOffset,
    'cache-control': 'no-store',
    'content-type': contentType,
    ...closedHeader(stream),
    ...(ttlSeconds === undefined ? {} : { 'stream-ttl': String(ttlSeconds) }),
    ...(expiresAt === undefined ? {} : { 'stream-expires-at': expiresAt }),
    etag: etagOf(store, stream, '-1'),
  })
  response.end()
}

export async function answerRead(store: LastingStore, path: string, url: URL, request: IncomingMessage, response: ServerResponse, limits: ReadLimits): Promise<void> {
  const stream = found(store, path, response)
  if (stream === null) return
  const query = url.searchParams
  const wrong = whatIsWrongWith(query)
  if (wrong !== null) return end(response, 400, wrong)
  const read = { store, path, stream, query, response, limits }
  store.touchAccess(path)
  if (query.get('live') === 'sse') return followEvents(read)
  if (query.get('live') === 'long-poll') return poll(read, request)
  if (query.get('offset') === 'now') return tellNow(read)
  tellMessages(read, request, query.get('offset') ?? '-1')
}

/** Null where the stream is not there, or not any more; that is answered already. */
function found(store: LastingStore, path: string, response: ServerResponse): Stream | null {
  const stream = store.get(path)
  if (stream !== undefined && !stream.softDeleted) return stream
  end(response, stream === undefined ? 404 : 410, stream === undefined ? 'Stream not found' : 'Stream is gone')
  return null
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
}

function whatIsWrongWith(query: URLSearchParams): string | null {
  const offsets = query.getAll('offset')
  if (offsets.length > 1) return 'Multiple offset parameters not allowed'
  if (offsets.length === 0) return ['long-poll', 'sse'].includes(query.get('live') ?? '') ? 'A live read requires an offset' : null
  return /^(-1|now|\d+_\d+)$/.test(offsets[0]!) ? null : 'Invalid offset format'
}

/** Waits for news where there are none yet; from then on it is an answer like any other. */
async function poll(read: Read, request: IncomingMessage): Promise<void> {
  const { store, path, stream, query, response, limits } = read
  const asked = query.get('offset')!
  const offset = asked === 'now' ? stream.currentOffset : asked
  const isAtTail = () => messagesFrom(read, offset).length === 0
  if (isAtTail() && !stream.closed) {
    await store.waitForMessages(path, offset, limits.longPollTimeoutMs)
    if (!isStill(read)) return end(response, 404, 'Stream not found')
    if (!response.destroyed) store.touchAccess(path)
  }
  if (!isAtTail()) return tellMessages(read, request, offset)
  response.writeHead(204, { 'stream-next-offset': stream.currentOffset, 'stream-up-to-date': 'true', ...cursor(query), ...closedHeader(stream) }).end()
}

function tellNow({ stream, response }: Read): void {
  const { currentOffset, contentType } = stream
  response.writeHead(200, { 'content-type': contentType, 'stream-next-offset': currentOffset, 'stream-up-to-date': 'true', 'cache-control': 'no-store', ...closedHeader(stream) })
  response.end(isJson(stream) ? '[]' : '')
}

/** All from here to the tail. */
function tellMessages(read: Read, request: IncomingMessage, offset: string): void {
  const { store, path, stream, query, response } = read
  const etag = etagOf(store, stream, query.get('offset') ?? '-1')
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end()
  const body = Buffer.from(store.formatResponse(path, messagesFrom(read, offset)))
  const headers = { 'content-type': stream.contentType, 'stream-next-offset': stream.currentOffset, 'stream-up-to-date': 'true', ...closedHeader(stream), etag }
  response.writeHead(200, { ...headers, ...(query.get('live') === 'long-poll' ? cursor(query) : {}), 'content-length': body.length }).end(body)
}

/** Until the stream ends or is closed, the reader leaves, or it is time to come again. */
async function followEvents(read: Read): Promise<void> {
  const { store, path, stream, query, response, limits } = read
  const endsAtMs = performance.now() + limits.sseReconnectMs
  const encoding = isText(stream) ? {} : { 'stream-sse-data-encoding': 'base64' }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...encoding })
  response.flushHeaders()
  const asked = query.get('offset')!
  let offset = asked === 'now' ? stream.currentOffset : asked
  let hasNews = true
  while (isStill(read) && !response.destroyed) {
    const messages = messagesFrom(read, offset)
    for (const message of messages) response.write(dataEvent(read, message) + controlEvent(read, message.offset))
    if (messages.length === 0 && hasNews) response.write(controlEvent(read, stream.currentOffset))
    offset = stream.currentOffset
    const leftMs = endsAtMs - performance.now()
    if (stream.closed || leftMs <= 0) break
    const { timedOut } = await store.waitForMessages(path, offset, Math.min(limits.longPollTimeoutMs, leftMs))
    // So that the cursor moves on, and an idle connection is not taken for a dead one.
    hasNews = timedOut || isClosed(stream)
    if (hasNews || stream.currentOffset !== offset) store.touchAccess(path)
  }
  response.end()
}

/** Not deleted, not expired, and not another one at the same path. */
function isStill({ store, path, stream }: Read): boolean {
  return store.get(path) === stream && !stream.softDeleted
}

function messagesFrom({ store, path }: Read, offset: string): Message[] {
  return store.read(path, offset).messages
}

function dataEvent({ store, path, stream }: Read, message: Message): string {
  const bytes = Buffer.from(isJson(stream) ? store.formatResponse(path, [message]) : message.data)
  const lines = isText(stream) ? bytes.toString().split(/\r\n|\r|\n/) : [bytes.toString('base64')]
  return `event: data\n${lines.map((line) => `data:${line}\n`).join('')}\n`
}

function controlEvent({ stream, query }: Read, streamNextOffset: string): string {
  const isAtTail = streamNextOffset === stream.currentOffset
  const state = isAtTail && stream.closed ? { streamClosed: true } : { streamCursor: nextCursor(query), ...(isAtTail ? { upToDate: true } : {}) }
  return `event: control\ndata:${JSON.stringify({ streamNextOffset, ...state })}\n\n`
}

/** Of what is read to the tail: another one in another life, and once it is closed. */
function etagOf(store: LastingStore, stream: Stream, from: string): string {
  return `"${Buffer.from(stream.path).toString('base64')}:${store.lifeOf(stream)}:${from}:${stream.currentOffset}${isClosed(stream) ? ':c' : ''}"`
}

function cursor(query: URLSearchParams): OutgoingHttpHeaders {
  return { 'stream-cursor': nextCursor(query) }
}

function nextCursor(query: URLSearchParams): string {
  return generateResponseCursor(query.get('cursor') ?? undefined, {})
}

function isClosed({ closed }: Stream): boolean {
  return closed === true
}

function closedHeader(stream: Stream): OutgoingHttpHeaders {
  return isClosed(stream) ? { 'stream-closed': 'true' } : {}
}

function typeOf({ contentType }: Stream): string {
  return contentType.split(';')[0]!.trim().toLowerCase()
}

function isJson(stream: Stream): boolean {
  return typeOf(stream) === 'application/json'
}

function isText(stream: Stream): boolean {
  return isJson(stream) || typeOf(stream).startsWith('text/')
}
