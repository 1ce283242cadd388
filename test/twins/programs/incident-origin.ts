/**
 * A server as one was at the time of a public report, by what $TWIN names: the sound origin, broken so, or
 * the reference server where that still is as reported. `sound` breaks nothing. Started with the same
 * argument as the real one.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { DurableStreamTestServer } from '@durable-streams/server'
import { headersOf, passOn, send } from './passing.ts'
import { originArgument, twin } from './planted.ts'
import { SoundServer } from './sound/server.ts'

const { port, dataDir, longPollTimeoutMs, sseReconnectMs } = originArgument()
process.once('SIGTERM', () => process.exit(0))

/** Streams that were deleted once, refused forks' sources, and when the others were made. */
const deleted = new Set<string>()
const pinned = new Set<string>()
const bornAt = new Map<string, { atMs: number; ttlMs: number }>()
/** What the last append of a stream was told. */
const lastTold = new Map<string, string>()
/** Written where the log had a torn end, which a start cuts off: what is stored stays unreadable. */
const tornFile = `${dataDir}.torn`

async function serve(): Promise<void> {
  const inner = Number(new URL(await openServer().start()).port)
  http.createServer({ requestTimeout: 0 }, (request, response) => void pass(inner, request, response).catch(() => response.destroy())).listen(port, '127.0.0.1')
}

function openServer(): { start(): Promise<string> } {
  const settings = { host: '127.0.0.1', port: 0 }
  if (twin === 'leaves-what-nobody-was-told') return new DurableStreamTestServer({ ...settings, dataDir, longPollTimeout: longPollTimeoutMs })
  const log = path.join(dataDir, 'streams', 'redo.log')
  const bytes = existsSync(log) ? statSync(log).size : 0
  const server = new SoundServer(dataDir, { ...settings, longPollTimeoutMs, sseReconnectMs })
  if (statSync(log).size < bytes) writeFileSync(tornFile, '')
  return server
}

async function pass(inner: number, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { method, url } = request
  const name = url!.split('?')[0]!
  // Bodies are looked into here; that they could be compressed is nothing that these twins are about.
  const { 'accept-encoding': _, ...headers } = request.headers
  if (twin === 'closed-in-small-letters-only' && headers['stream-closed'] !== 'true') delete headers['stream-closed']
  const body = await buffer(request)
  if (refused(request, name, response)) return
  const answer = await send(inner, request, response, headers, body)
  notice(request, name, answer)
  if (/[?&]live=sse/.test(url!) && twin === 'ends-event-streams-without-the-last-record') return withoutLastRecord(answer, response)
  passOn(answer, response, answered(name, method!, answer))
}

/** Answers by itself where it was broken so; true when it did. */
function refused({ method, headers }: http.IncomingMessage, name: string, response: http.ServerResponse): boolean {
  if (twin === 'cannot-read-behind-a-torn-tail' && method === 'GET' && existsSync(tornFile)) return end(response, 500, 'corrupted segment file')
  if (twin === 'deletes-twice' && method === 'DELETE' && deleted.has(name)) return end(response, 204)
  const source = headers['stream-forked-from']
  if (twin === 'pins-the-source-of-a-refused-fork' && method === 'PUT' && typeof source === 'string' && headers['content-type'] === 'application/json') {
    pinned.add(source)
    return end(response, 500, 'content type mismatch')
  }
  if (twin === 'pins-the-source-of-a-refused-fork' && method === 'PUT' && pinned.has(name)) return end(response, 409, 'soft-deleted')
  const born = bornAt.get(name)
  if (twin === 'ttl-counts-from-the-creation' && born && performance.now() - born.atMs > born.ttlMs) return end(response, 404)
  return false
}

function end(response: http.ServerResponse, status: number, text?: string): true {
  response.writeHead(status).end(text)
  return true
}

function notice({ method, headers }: http.IncomingMessage, name: string, { statusCode = 0 }: http.IncomingMessage): void {
  if (statusCode >= 300) return
  if (method === 'DELETE') deleted.add(name)
  if (method === 'PUT' && headers['stream-ttl']) bornAt.set(name, { atMs: performance.now(), ttlMs: 1_000 * Number(headers['stream-ttl']) })
}

/** The answer's headers, of which one may be wrong. */
function answered(name: string, method: string, answer: http.IncomingMessage): http.IncomingHttpHeaders {
  const kept = headersOf(answer)
  if (twin === 'no-cursor-without-news' && answer.statusCode === 204) delete kept['stream-cursor']
  if (twin === 'appends-at-once-share-an-offset' && method === 'POST') {
    const before = lastTold.get(name)
    if (before === undefined) lastTold.set(name, String(kept['stream-next-offset']))
    else {
      lastTold.delete(name)
      kept['stream-next-offset'] = before
    }
  }
  return kept
}

/** Passes events on once they are whole; data that comes with the end of the stream is lost. */
async function withoutLastRecord(answer: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  response.writeHead(answer.statusCode!, answered('', 'GET', answer))
  response.flushHeaders()
  let text = ''
  let data = ''
  for await (const chunk of answer) {
    text += String(chunk)
    const events = text.split('\n\n')
    text = events.pop()!
    for (const event of events) {
      const isControl = /^event: ?control/m.test(event)
      if (!isControl) data += `${event}\n\n`
      else {
        response.write(/"streamClosed":\s*true/.test(event) ? `${event}\n\n` : `${data}${event}\n\n`)
        data = ''
      }
    }
  }
  response.end()
}

await serve()
