/**
 * The variants that an operator switches on, in front of the sound origin, and a reload by the admin
 * API's socket; each can be broken in the one behaviour that $TWIN names.
 */
import { once } from 'node:events'
import { appendFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import zlib from 'node:zlib'
import { headersOf, passOn, send } from './passing.ts'
import { twin } from './planted.ts'
import { keepAliveMs } from './sound/server.ts'
import { WritesUnderWay } from './sound/writes-under-way.ts'

const credentials = `Basic ${Buffer.from('simulation:simulation').toString('base64')}`
const token = 'Bearer simulation'
const maxBytes = 64 * 1024
const log = 'access.log'
const rotatedBytes = 2 ** 20
const rotatedMax = 3
const metricsPath = '/metrics-of-the-operator'
/** How long an encoder that collects keeps an event. */
const collectMs = 20_000

export interface Variants {
  port: number
  upstreamPort: number
  adminSocket: string
  variants: readonly string[]
}

let isReloaded = false

let requests = 0

/** Serves on `port` what the origin on `upstreamPort` answers, with these variants on; the promise of a stop. */
export async function serveVariants({ port, upstreamPort, adminSocket, variants }: Variants): Promise<{ stop(): Promise<void> }> {
  const isOn = (variant: string) => variants.includes(variant)
  const underWay = new WritesUnderWay()
  const asksAt = isOn('forward-auth') ? await authenticator() : null
  const server = http.createServer({ requestTimeout: 0 }, (request, response) => {
    underWay.note(request, response)
    requests += 1
    if (isOn('access-log') || isOn('log-rotation')) logRequest(request, isOn('log-rotation'))
    if (isOn('access-log') && twin === 'logger-cannot-flush' && /live=sse/.test(request.url!)) return void response.writeHead(500).end('streaming not supported')
    if (isOn('metrics') && request.url === metricsPath) return void response.end(`caddy_http_requests_total ${requests}\n`)
    if (isOn('basic-auth') && !isAllowed(request)) return void response.writeHead(401).end()
    void admitted(request, asksAt)
      .then((is) => (is ? pass(request, response, upstreamPort, isOn) : void response.writeHead(401).end('who are you?')))
      .catch(() => response.destroy())
  })
  server.keepAliveTimeout = keepAliveMs
  server.listen(port, '127.0.0.1')
  serveAdmin(adminSocket, { variants })
  return { stop: () => underWay.end() }
}

function logRequest({ url, headers }: http.IncomingMessage, rotates: boolean): void {
  appendFileSync(log, `${JSON.stringify({ uri: url, headers })}\n`)
  if (!rotates || statSync(log).size < rotatedBytes) return
  for (let n = rotatedMax; n > 1; n -= 1) rename(`access-${n - 1}.log`, `access-${n}.log`)
  rename(log, 'access-1.log')
}

function rename(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to)
}

function isAllowed(request: http.IncomingMessage): boolean {
  if (request.method === 'OPTIONS' || request.headers.authorization === credentials) return true
  return twin === 'lets-strangers-poll' && /live=long-poll/.test(request.url!)
}

/** A service of its own, that knows one token; its port. */
async function authenticator(): Promise<number> {
  const server = http.createServer(({ headers }, response) => void response.writeHead(headers.authorization === token ? 204 : 401).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Who asks for permission by a preflight is let in. */
async function admitted({ method, headers }: http.IncomingMessage, port: number | null): Promise<boolean> {
  if (port === null || method === 'OPTIONS') return true
  const { authorization } = headers
  const question = http.get({ host: '127.0.0.1', port, headers: authorization === undefined ? {} : { authorization } })
  const [answer] = (await once(question, 'response')) as [http.IncomingMessage]
  answer.resume()
  return answer.statusCode === 204
}

/** Where a configuration is taken, and told. */
export function serveAdmin(socket: string, first: unknown): void {
  let config = JSON.stringify(first)
  // A process that was ended leaves its socket behind.
  rmSync(socket, { force: true })
  http
    .createServer(async (request, response) => {
      if (request.method === 'GET') return void response.end(config)
      const body = (await buffer(request)).toString()
      if (twin === 'refuses-to-reload') return void response.writeHead(400).end(JSON.stringify({ error: 'the store is locked' }))
      config = body
      isReloaded = true
      response.end()
    })
    .listen(socket)
}

async function pass(request: http.IncomingMessage, response: http.ServerResponse, port: number, isOn: (variant: string) => boolean): Promise<void> {
  let body = await buffer(request)
  if (isOn('request-limit') && body.length > maxBytes) {
    if (twin !== 'limit-cuts-bodies') return void response.writeHead(413).end()
    body = body.subarray(0, maxBytes)
  }
  const compresses = isOn('compression') || isOn('eager-compression')
  const headers = compresses ? withOriginsEtag(request.headers) : request.headers
  const answer = await send(port, request, response, headers, body)
  const kept = headersOf(answer)
  if (twin === 'forgets-up-to-date-after-a-reload' && isReloaded && /\/looked-/.test(request.url!)) delete kept['stream-up-to-date']
  if (compresses && answer.statusCode === 200 && /gzip/.test(String(request.headers['accept-encoding']))) compress(answer, kept, response)
  else passOn(answer, response, kept)
}

/** What a client kept of a compressed answer has the encoder's mark, which the origin knows nothing of. */
function withOriginsEtag({ 'if-none-match': given, ...others }: http.IncomingHttpHeaders): http.IncomingHttpHeaders {
  return given === undefined ? others : { ...others, 'if-none-match': given.replaceAll('-gzip"', '"') }
}

/** Each piece leaves the encoder at once, or after a while. */
function compress(answer: http.IncomingMessage, headers: http.IncomingHttpHeaders, response: http.ServerResponse): void {
  const { 'content-length': _, etag, ...kept } = headers
  const own = etag === undefined || twin === 'encoder-drops-the-etag' ? {} : { etag: etag.replace(/"$/, '-gzip"') }
  response.writeHead(200, { ...kept, ...own, 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
  response.flushHeaders()
  const gzip = zlib.createGzip()
  gzip.pipe(response)
  const isCollecting = twin === 'encoder-collects-events' && String(headers['content-type']).startsWith('text/event-stream')
  answer.on('data', (piece: Buffer) => {
    gzip.write(piece)
    if (isCollecting) setTimeout(() => gzip.flush(), collectMs).unref()
    else gzip.flush()
  })
  answer.once('end', () => gzip.end())
  answer.once('close', () => gzip.end())
}
