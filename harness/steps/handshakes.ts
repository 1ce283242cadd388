/** Asks the TLS edge who it is, as several clients would, and whether plain HTTP serves streams. */
import tls from 'node:tls'
import type { Interpreter, StepContext } from '../step.ts'
import type { Endpoint } from '../operations.ts'
import { within } from '../until.ts'
import { newStream, recordId } from './create-streams.ts'

export interface Handshakes {
  kind: 'handshakes'
}

/** A verified handshake, what ALPN chose, the names of the certificate; then a read over plain HTTP. */
export function handshakes(): Handshakes {
  return { kind: 'handshakes' }
}

const handshakeTimeoutMs = 5_000

export const handshakesInterpreter: Interpreter<Handshakes> = async (_step, context) => {
  const endpoint = context.world.endpoint('tls')
  await shake(context, endpoint, 'offers-h2', ['h2', 'http/1.1'])
  await shake(context, endpoint, 'offers-http1-only', ['http/1.1'])
  await plainRead(context)
}

async function shake(context: StepContext, endpoint: Endpoint, label: string, alpn: string[]): Promise<void> {
  const url = new URL(endpoint.url)
  const socket = tls.connect({
    host: url.hostname,
    port: Number(url.port),
    servername: endpoint.tls!.servername,
    ca: endpoint.tls!.caPem,
    ALPNProtocols: alpn,
    // The verification's result is what is recorded; the connection itself may go on.
    rejectUnauthorized: false,
  })
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  socket.once('secureConnect', () => resolve(null))
  socket.once('error', resolve)
  try {
    const error = await within(promise, { for: 'a TLS handshake with the edge', timeoutMs: handshakeTimeoutMs })
    recordHandshake(context, socket, label, endpoint.tls!.servername, error)
  } finally {
    socket.destroy()
  }
}

function recordHandshake(
  context: StepContext,
  socket: tls.TLSSocket,
  label: string,
  host: string,
  error: Error | null,
): void {
  const certificate = error ? undefined : socket.getPeerCertificate(true)
  const names = certificate?.subjectaltname?.split(', ') ?? []
  const reason = error?.message ?? (socket.authorized ? undefined : String(socket.authorizationError))
  context.recorder.record({
    kind: 'handshake',
    label,
    host,
    authorized: error === null && socket.authorized,
    ...(reason === undefined ? {} : { error: reason }),
    alpn: socket.alpnProtocol || null,
    protocol: socket.getProtocol(),
    subjectAltNames: names,
    validToMs: certificate?.valid_to ? Date.parse(certificate.valid_to) : null,
    chainLength: certificate ? chainLength(certificate) : 0,
  })
}

function chainLength(certificate: tls.DetailedPeerCertificate): number {
  let length = 1
  let current = certificate
  while (current.issuerCertificate && current.issuerCertificate !== current && length < 10) {
    current = current.issuerCertificate
    length += 1
  }
  return length
}

/** Reads a stream over the edge's plain-HTTP listener: a redirect or a refusal is right, bytes are not. */
async function plainRead(context: StepContext): Promise<void> {
  const plain = context.world.plainEndpoint
  if (plain === null) {
    context.recorder.record({ kind: 'shortfall', what: 'plain HTTP', because: 'The TLS edge has no plain-HTTP listener.' })
    return
  }
  const kind = { id: 'plain-http', contentType: 'text/plain', records: 1, payloadBytes: 40 }
  const stream = newStream(context, kind, 'plain-http')
  await context.operations.create('creator', stream, 'origin', { streamKind: kind.id, contentType: kind.contentType })
  await context.operations.append('creator', stream, 'origin', recordId(stream), 40)
  await context.operations.exchange('plain-http', 'plain', 'GET', `${stream.path}?offset=-1`)
}
