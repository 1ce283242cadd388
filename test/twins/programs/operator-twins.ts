/**
 * The variants that an operator switches on, in front of the planted origin, and a reload by the admin
 * API's socket; each can be broken in the one behaviour that $TWIN names.
 */
import { appendFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import { buffer } from 'node:stream/consumers'
import zlib from 'node:zlib'

const twin = process.env.TWIN ?? ''
const credentials = `Basic ${Buffer.from('simulation:simulation').toString('base64')}`
const maxBytes = 64 * 1024
/** How long an encoder that collects keeps an event. */
const collectMs = 20_000

export interface Variants {
  port: number
  upstreamPort: number
  adminSocket: string
  variants: string[]
}

let isReloaded = false

/** Serves on `port` what the origin on `upstreamPort` answers, with these variants on. */
export function serveVariants({ port, upstreamPort, adminSocket, variants }: Variants): void {
  const isOn = (variant: string) => variants.includes(variant)
  const server = http.createServer({ requestTimeout: 0 }, (request, response) => {
    if (isOn('access-log')) appendFileSync('access.log', `${JSON.stringify({ uri: request.url })}\n`)
    if (isOn('access-log') && twin === 'logger-cannot-flush' && /live=sse/.test(request.url!)) {
      response.writeHead(500).end('streaming not supported')
      return
    }
    if (isOn('basic-auth') && !isAllowed(request)) {
      response.writeHead(401).end()
      return
    }
    void pass(request, response, upstreamPort, isOn).catch(() => response.destroy())
  })
  server.listen(port, '127.0.0.1')
  serveAdmin(adminSocket, { variants })
}

function isAllowed(request: http.IncomingMessage): boolean {
  if (request.method === 'OPTIONS' || request.headers.authorization === credentials) return true
  return twin === 'lets-strangers-poll' && /live=long-poll/.test(request.url!)
}

/** Where a configuration is taken, and told. */
function serveAdmin(socket: string, first: unknown): void {
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
  const { method, url } = request
  const { 'accept-encoding': accepted, ...rest } = request.headers
  // The reference server compresses by itself; once is enough.
  const headers = isOn('compression') ? rest : request.headers
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const length = hasBody ? { 'content-length': String(body.length) } : {}
  const upstream = http.request({ host: '127.0.0.1', port, method: method!, path: url!, headers: { ...headers, ...length } }, (answer) => {
    const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...kept } = answer.headers
    if (twin === 'forgets-up-to-date-after-a-reload' && isReloaded && /\/looked-/.test(url!)) delete kept['stream-up-to-date']
    const compresses = isOn('compression') && answer.statusCode === 200 && /gzip/.test(String(accepted))
    if (compresses) return compress(answer, kept, response)
    response.writeHead(answer.statusCode!, kept)
    response.flushHeaders()
    answer.pipe(response)
  })
  upstream.on('error', () => response.destroy())
  response.once('close', () => upstream.destroy())
  upstream.end(body)
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
