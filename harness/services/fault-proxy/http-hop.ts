/** The hop between TLS edge and cache: passes everything on, but for the faults that are armed. */
import http from 'node:http'
import { monotonicMs } from '../../clock.ts'
import type { Armory } from './armory.ts'
import { clientHeader, type Observation } from './faults.ts'

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'proxy-connection', 'upgrade', 'te', 'trailer'])

export class HttpHop {
  #armory: Armory
  #upstreamPort: number
  #tell: (observation: Observation) => void
  #agent = new http.Agent({ keepAlive: true })
  #open = new Map<string, Set<http.ServerResponse>>()

  constructor(armory: Armory, upstreamPort: number, tell: (observation: Observation) => void) {
    this.#armory = armory
    this.#upstreamPort = upstreamPort
    this.#tell = tell
  }

  listen(port: number): Promise<void> {
    const server = http.createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (request, response) => this.#handle(request, response))
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => resolve())
    })
  }

  /** Ends this client's open answers in good order; how many. */
  endAnswers(client: string): number {
    const open = [...(this.#open.get(client) ?? [])].filter((response) => response.headersSent)
    for (const response of open) response.end()
    return open.length
  }

  #handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    const client = request.headers[clientHeader]
    if (typeof client !== 'string') return this.#pass(request, response, null)
    const injected = this.#armory.onRequest(client, request.headers.authorization)
    const query = new URL(request.url!, 'http://any').searchParams
    const live = query.get('live')
    const mode = live === 'sse' || live === 'long-poll' ? live : 'catch-up'
    this.#tell({ event: 'request', client, atMs: monotonicMs(), mode, offset: query.get('offset'), injectedStatus: injected?.status ?? null })
    // Its connection is about to end, and this request with it.
    if (this.#armory.awaitsConnection(client)) return
    if (injected === null) return this.#pass(request, response, client)
    request.resume()
    const { status } = injected
    const headers = Object.fromEntries(Object.entries(injected.headers).map(([name, value]) => [name, value.replaceAll('{offset}', query.get('offset') ?? '')]))
    response.writeHead(status, { 'content-type': 'text/plain', 'cache-control': 'no-store', ...headers }).end(status === 204 ? undefined : `injected ${status}\n`)
  }

  #pass(request: http.IncomingMessage, response: http.ServerResponse, client: string | null): void {
    const headers = without(request.rawHeaders, (name) => hopByHop.has(name) || name === clientHeader)
    const options = { agent: this.#agent, host: '127.0.0.1', port: this.#upstreamPort, method: request.method!, path: request.url!, headers }
    const upstream = http.request(options as http.RequestOptions, (answer) => {
      if (client !== null && wentBack(request.url!, answer)) this.#tell({ event: 'offset-went-back', client, atMs: monotonicMs() })
      this.#passAnswer(answer, response, client)
    })
    upstream.on('error', () => {
      if (client !== null && !response.destroyed) this.#tell({ event: 'no-upstream', client, atMs: monotonicMs() })
      response.destroy()
    })
    response.once('close', () => upstream.destroy())
    request.pipe(upstream)
  }

  #passAnswer(answer: http.IncomingMessage, response: http.ServerResponse, client: string | null): void {
    response.writeHead(answer.statusCode!, without(answer.rawHeaders, (name) => hopByHop.has(name)))
    response.flushHeaders()
    answer.on('error', () => response.destroy())
    answer.once('aborted', () => response.destroy())
    if (client === null) return void answer.pipe(response)
    this.#keepOpen(client, response)
    const isEvents = answer.statusCode === 200 && String(answer.headers['content-type']).startsWith('text/event-stream')
    let isCut = false
    let event: Buffer = Buffer.alloc(0)
    answer.on('data', (chunk: Buffer) => {
      if (isCut || response.writableEnded || response.destroyed) return
      const upTo = isEvents ? this.#armory.onEvents(client, chunk, event) : null
      if (isEvents) event = unfinishedEvent(event, chunk)
      if (upTo === null) return void response.write(chunk)
      isCut = true
      this.#tell({ event: 'cut', client, atMs: monotonicMs() })
      response.end(chunk.subarray(0, upTo))
    })
    answer.once('end', () => {
      if (!isCut) response.end()
    })
  }

  #keepOpen(client: string, response: http.ServerResponse): void {
    const open = this.#open.get(client) ?? new Set()
    this.#open.set(client, open.add(response))
    response.once('close', () => open.delete(response))
  }
}

/** What has come since the last end of an event; nothing where it is longer than the events of small records. */
function unfinishedEvent(before: Buffer, chunk: Buffer): Buffer {
  const all = Buffer.concat([before, chunk])
  const end = all.lastIndexOf('\n\n')
  const rest = end < 0 ? all : all.subarray(end + 2)
  return rest.length > eventBytesMax ? Buffer.alloc(0) : rest
}

const eventBytesMax = 16_384

/** Offsets are compared as text (PROTOCOL.md 6). */
function wentBack(url: string, { headers, statusCode }: http.IncomingMessage): boolean {
  const asked = new URL(url, 'http://any').searchParams.get('offset')
  const told = headers['stream-next-offset']
  return statusCode! < 300 && typeof told === 'string' && asked !== null && /^\d/.test(asked) && told < asked
}

/** Raw headers without those named, as Node takes them: names and values in turn. */
function without(raw: string[], isLeftOut: (name: string) => boolean): string[] {
  const kept: string[] = []
  for (let at = 0; at < raw.length; at += 2) if (!isLeftOut(raw[at]!.toLowerCase())) kept.push(raw[at]!, raw[at + 1]!)
  return kept
}
