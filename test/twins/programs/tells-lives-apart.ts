/**
 * The reference server, better in what a cache's freshness hangs on, so that a broken cache is all that
 * is wrong: its ETag differs from one life of a path to the next, and its event streams end with the
 * stream, and on some paths every second. It also marks the answers of every third path `private`, as
 * no origin does of itself. As the twin `tells-history-in-two-ways` it leaves out a record in every other
 * answer that has several, and gives those no ETag; as `holds-readers-of-the-expired` it does not let go
 * polls of streams that end.
 */
import http from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { DurableStreamTestServer } from '@durable-streams/server'
import { passOn, send } from './passing.ts'

interface Argument {
  port: number
  dataDir: string
  longPollTimeoutMs: number
}

const { port, dataDir, longPollTimeoutMs } = JSON.parse(process.argv[2]!) as Argument
const twin = process.env.TWIN ?? ''
process.once('SIGTERM', () => process.exit(0))

const longestTimerMs = 2 ** 31 - 1
/** How often a path was created, and the event streams that are open on it. */
const lives = new Map<string, number>()
const following = new Map<string, Set<http.ServerResponse>>()

/** Where event streams end every second, as the production server is told to do there. */
const shortLived = /\/generations-sse$/
const eventStreamMs = 1_000
let leftOut = false
/** Polls of streams that end meanwhile, and how long they are held: longer than a poll and the bound. */
const attached = /-attached.*live=long-poll/
const holdMs = 10_000
const marked = /-path-\d*[0369]$/

async function pass(inner: number, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const path = request.url!.split('?')[0]!
  if (/[?&]live=sse(&|$)/.test(request.url!)) follow(path, response)
  const answer = await send(inner, request, response, withoutLife(request.headers, path), await buffer(request))
  notice(path, request, answer)
  // It went while the reader waited.
  if (response.writableEnded) return void answer.destroy()
  if (twin === 'tells-history-in-two-ways' && isHistory(request, answer)) await leaveOut(path, answer, response)
  else passOn(answer, response, ofThisLife(path, answer))
}

function isHistory({ method, url }: http.IncomingMessage, { statusCode, headers }: http.IncomingMessage): boolean {
  return method === 'GET' && url!.endsWith('?offset=-1') && statusCode === 200 && headers['content-type'] === 'text/plain'
}

/** The second record, of every other answer. */
async function leaveOut(path: string, answer: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const body = await buffer(answer)
  const [second, third] = [body.indexOf('\n@r ', 1) + 1, body.indexOf('\n@r ', body.indexOf('\n@r ', 1) + 1) + 1]
  const leavesOut = second > 0 && (leftOut = !leftOut)
  const kept = leavesOut ? Buffer.concat([body.subarray(0, second), third > second ? body.subarray(third) : Buffer.alloc(0)]) : body
  const { 'transfer-encoding': _, etag: __, ...headers } = ofThisLife(path, answer)
  response.writeHead(200, { ...headers, 'content-length': kept.length }).end(kept)
}

function notice(path: string, { method, headers }: http.IncomingMessage, { statusCode }: http.IncomingMessage): void {
  if (method === 'PUT' && statusCode === 201) {
    lives.set(path, (lives.get(path) ?? 0) + 1)
    const expiresAt = headers['stream-expires-at']
    if (expiresAt) setTimeout(() => endAll(path), Math.min(longestTimerMs, Date.parse(String(expiresAt)) - Date.now())).unref()
  }
  if (method === 'DELETE' && statusCode! < 300) endAll(path)
}

function follow(path: string, response: http.ServerResponse): void {
  const open = following.get(path) ?? new Set()
  following.set(path, open.add(response))
  if (shortLived.test(path)) setTimeout(() => response.end(), eventStreamMs)
  response.once('close', () => open.delete(response))
}

/** The reference server leaves one open, and one that it was just about to begin without an answer. */
function endAll(path: string): void {
  for (const response of following.get(path) ?? []) {
    if (!response.headersSent) response.writeHead(404)
    response.end()
  }
}

/** `"x"` becomes `"2.x"` in the second life of a path. */
function ofThisLife(path: string, answer: http.IncomingMessage): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = { ...answer.headers }
  if (headers.etag) headers.etag = String(headers.etag).replace(/^"/, `"${lives.get(path) ?? 0}.`)
  if (marked.test(path) && answer.statusCode === 200 && headers['cache-control'] === undefined) headers['cache-control'] = 'private'
  return headers
}

/** An ETag of another life is none that the server knows. */
function withoutLife(headers: http.IncomingHttpHeaders, path: string): http.IncomingHttpHeaders {
  const given = headers['if-none-match']
  if (given === undefined) return headers
  const own = `"${lives.get(path) ?? 0}.`
  const { 'if-none-match': _, ...others } = headers
  return given.startsWith(own) ? { ...others, 'if-none-match': `"${given.slice(own.length)}` } : others
}

const server = new DurableStreamTestServer({ host: '127.0.0.1', port: 0, dataDir, longPollTimeout: longPollTimeoutMs })
const inner = Number(new URL(await server.start()).port)
const front = http.createServer({ requestTimeout: 0 }, async (request, response) => {
  if (twin === 'holds-readers-of-the-expired' && attached.test(request.url!)) await delay(holdMs)
  await pass(inner, request, response).catch(() => response.destroy())
})
front.listen(port, '127.0.0.1')
