/**
 * The reference server, broken in the one behaviour that $TWIN names. Started with the same
 * argument as the real one.
 */
import { existsSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { DurableStreamTestServer } from '@durable-streams/server'

interface Argument {
  port: number
  dataDir: string
  longPollTimeoutMs: number
}

const { port, dataDir, longPollTimeoutMs } = JSON.parse(process.argv[2]!) as Argument
const twin = process.env.TWIN ?? ''
const restarted = existsSync(dataDir)
process.once('SIGTERM', () => process.exit(0))

// Never ready again: it waits for nothing, without a listener, as a start that hangs does.
if (twin === 'never-ready-again' && restarted) setInterval(() => {}, 60_000)
else await serve()

async function serve(): Promise<void> {
  const files = twin === 'memory-only' ? {} : { dataDir }
  const server = new DurableStreamTestServer({ host: '127.0.0.1', port: 0, longPollTimeout: longPollTimeoutMs, ...files })
  await server.start()
  const inner = Number(new URL(String((server as { url?: string }).url ?? (server as { baseUrl?: string }).baseUrl)).port)
  const front = http.createServer((request, response) => pass(inner, request, response))
  front.requestTimeout = 0
  front.listen(port, '127.0.0.1', () => (front.address() as AddressInfo).port)
}

let appends = 0
const losing = new Set<string>()

function pass(inner: number, request: http.IncomingMessage, response: http.ServerResponse): void {
  const headers = { ...request.headers }
  const url = request.url!
  if (twin === 'ttl-ignored') for (const name of ['stream-ttl', 'stream-expires-at']) delete headers[name]
  const ttl = String(headers['stream-ttl'] ?? '')
  if (twin === 'ttl-doubled' && /^[1-9]\d*$/.test(ttl)) headers['stream-ttl'] = String(Number(ttl) * 2)
  if (request.method === 'PUT' && headers['content-type'] === 'application/json') losing.add(url)
  if (twin === 'loses-json-at-restart' && restarted && /json/.test(url) && !losing.has(url)) {
    response.writeHead(404).end()
    return
  }
  const isAppend = request.method === 'POST' && headers['stream-closed'] === undefined && headers['producer-id'] === undefined
  if (isAppend) appends += 1
  if (isAppend && twin === 'drops-one-append' && appends === 40) {
    request.resume()
    response.writeHead(204, { 'stream-next-offset': 'lost' }).end()
    return
  }
  const copies = isAppend && twin === 'doubles-one-append' && appends === 40 ? 2 : 1
  forward(inner, request, response, headers, copies)
}

function forward(
  inner: number,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  headers: http.IncomingHttpHeaders,
  copies: number,
): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    const send = (left: number) => {
      const upstream = http.request(
        { host: '127.0.0.1', port: inner, method: request.method!, path: request.url!, headers: { ...headers, 'content-length': String(body.length) } },
        (answer) => {
          if (left > 1) {
            answer.resume().on('end', () => send(left - 1))
            return
          }
          response.writeHead(answer.statusCode!, answer.rawHeaders)
          response.flushHeaders()
          answer.pipe(response)
        },
      )
      if (request.method === 'GET' || request.method === 'HEAD') upstream.removeHeader('content-length')
      upstream.on('error', () => response.destroy())
      response.on('close', () => upstream.destroy())
      upstream.end(body)
    }
    send(copies)
  })
}
