/**
 * The sound origin, with one thing more that a broken cache shows itself by: it marks the answers of every
 * third path `private`, as no origin does of itself. As the twin `tells-history-in-two-ways` it leaves out a
 * record in every other answer that has several, and gives those no ETag; as `holds-readers-of-the-expired`
 * it does not let go polls of streams that end.
 */
import http from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { headersOf, passOn, send } from './passing.ts'
import { originArgument, twin } from './planted.ts'
import { keepAliveMs, SoundServer } from './sound/server.ts'

const { port, dataDir, longPollTimeoutMs, sseReconnectMs } = originArgument()
process.once('SIGTERM', () => process.exit(0))

let leftOut = false
/** Polls of streams that end meanwhile, and how long they are held: longer than a poll and the bound. */
const attached = /-attached.*live=long-poll/
const holdMs = 10_000
const marked = /-path-\d*[0369]$/

async function pass(inner: number, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const answer = await send(inner, request, response, request.headers, await buffer(request))
  const headers = { ...headersOf(answer), ...marks(request, answer) }
  if (twin === 'tells-history-in-two-ways' && isHistory(request, answer)) await leaveOut(answer, response, headers)
  else passOn(answer, response, headers)
}

function marks({ url }: http.IncomingMessage, { statusCode, headers }: http.IncomingMessage): http.OutgoingHttpHeaders {
  const isMarked = marked.test(url!.split('?')[0]!) && statusCode === 200 && headers['cache-control'] === undefined
  return isMarked ? { 'cache-control': 'private' } : {}
}

function isHistory({ method, url }: http.IncomingMessage, { statusCode, headers }: http.IncomingMessage): boolean {
  return method === 'GET' && url!.endsWith('?offset=-1') && statusCode === 200 && headers['content-type'] === 'text/plain'
}

/** The second record, of every other answer. */
async function leaveOut(answer: http.IncomingMessage, response: http.ServerResponse, headers: http.OutgoingHttpHeaders): Promise<void> {
  const body = await buffer(answer)
  const [second, third] = [body.indexOf('\n@r ', 1) + 1, body.indexOf('\n@r ', body.indexOf('\n@r ', 1) + 1) + 1]
  const leavesOut = second > 0 && (leftOut = !leftOut)
  const kept = leavesOut ? Buffer.concat([body.subarray(0, second), third > second ? body.subarray(third) : Buffer.alloc(0)]) : body
  const { etag: _, ...others } = headers
  response.writeHead(200, { ...others, 'content-length': kept.length }).end(kept)
}

const server = new SoundServer(dataDir, { host: '127.0.0.1', port: 0, longPollTimeoutMs, sseReconnectMs })
const inner = Number(new URL(await server.start()).port)
const front = http.createServer({ requestTimeout: 0 }, async (request, response) => {
  if (twin === 'holds-readers-of-the-expired' && attached.test(request.url!)) await delay(holdMs)
  await pass(inner, request, response).catch(() => response.destroy())
})
front.keepAliveTimeout = keepAliveMs
front.listen(port, '127.0.0.1')
