/**
 * The TLS edge, broken in the one behaviour that $TWIN names: a reverse proxy with an authority of
 * its own, HTTP/2, and plain HTTP beside it. Started like the Caddy it stands for, with that Caddy's
 * configuration: `run --config FILE`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import path from 'node:path'
import { certificateFor, selfSignedFor } from '../../load/fleet/certificates.ts'
import { twin } from './planted.ts'

interface Configuration {
  storage: { root: string }
  apps: { http: { servers: Record<string, { listen: [string]; tls_connection_policies?: unknown }> } }
}

/** Node gives requests over HTTP/2 the same face; only the types of the two differ. */
type Request = http.IncomingMessage
type Response = http.ServerResponse

const name = 'localhost'
const hourMs = 3_600_000
/** Longer than an event may take through all hops. */
const collectMs = 1_500
/** The answer that is cut, counted from the first, and by how much. */
const cutAnswer = 100
const cutBytes = 100

const file = readFileSync(process.argv.at(-1)!, 'utf8')
const { storage, apps } = JSON.parse(file) as Configuration
const servers = Object.values(apps.http.servers)
const portOf = (isSecure: boolean) =>
  Number(servers.find((server) => (server.tls_connection_policies !== undefined) === isSecure)!.listen[0].split(':').at(-1))
const upstreamPort = Number(/"dial": *"127\.0\.0\.1:(\d+)"/.exec(file)![1])
const agent = new http.Agent({ keepAlive: true })

process.once('SIGTERM', () => process.exit(0))
await serve()

async function serve(): Promise<void> {
  const { caPem, cert, key } = await certificates()
  const authority = path.join(storage.root, 'pki', 'authorities', 'local')
  mkdirSync(authority, { recursive: true })
  writeFileSync(path.join(authority, 'root.crt'), caPem)
  http.createServer(twin === 'plain-http-serves-streams' ? pass : redirect).listen(portOf(false), '127.0.0.1')
  const anyPass = pass as (request: unknown, response: unknown) => void
  const secure = twin === 'offers-no-h2' ? https.createServer({ cert, key }, pass) : http2.createSecureServer({ allowHTTP1: true, cert, key }, anyPass)
  secure.listen(portOf(true), '127.0.0.1')
}

/** What clients are told to trust, and what the edge shows them. */
async function certificates() {
  if (twin === 'certificate-of-another-name') return certificateFor('another.example')
  if (twin === 'certificate-has-expired') return certificateFor(name, -hourMs)
  const right = await certificateFor(name)
  return twin === 'certificate-is-self-signed' ? { ...right, ...(await selfSignedFor(name)) } : right
}

function redirect(request: http.IncomingMessage, response: http.ServerResponse): void {
  response.writeHead(308, { location: `https://${request.headers.host}${request.url}` }).end()
}

function pass(request: Request, response: Response): void {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([field]) => !field.startsWith(':')))
  headers.host = String(request.headers[':authority'] ?? request.headers.host)
  const upstream = http.request(
    { agent, host: '127.0.0.1', port: upstreamPort, method: request.method!, path: request.url!, headers },
    (answer) => passAnswer(answer, request, response),
  )
  upstream.on('error', () => response.destroy())
  response.once('close', () => upstream.destroy())
  request.pipe(upstream)
}

function passAnswer(answer: http.IncomingMessage, request: Request, response: Response): void {
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = answer.headers
  if (twin === 'cuts-one-body' && isChosen(answer, request)) {
    cut(answer, headers, response)
    return
  }
  response.writeHead(answer.statusCode!, headers)
  response.flushHeaders()
  const isEvents = String(headers['content-type']).startsWith('text/event-stream')
  if (twin === 'collects-events' && isEvents) collect(answer, response)
  else answer.pipe(response)
}

let answers = 0

function isChosen(answer: http.IncomingMessage, request: Request): boolean {
  if (request.method !== 'GET' || answer.statusCode !== 200) return false
  answers += 1
  return answers === cutAnswer
}

/** Nothing in its head tells a reader that the answer is short. */
async function cut(answer: http.IncomingMessage, headers: http.IncomingHttpHeaders, response: Response): Promise<void> {
  const body = Buffer.concat(await answer.toArray()).subarray(0, -cutBytes)
  response.writeHead(answer.statusCode!, { ...headers, 'content-length': String(body.length) })
  response.end(body)
}

/** Passes on what has come together meanwhile, as a proxy with a buffer does. */
function collect(answer: http.IncomingMessage, response: Response): void {
  let collected: Buffer[] = []
  const timer = setInterval(() => {
    response.write(Buffer.concat(collected))
    collected = []
  }, collectMs)
  answer.on('data', (bytes: Buffer) => collected.push(bytes))
  answer.once('close', () => {
    clearInterval(timer)
    response.end(Buffer.concat(collected))
  })
}
