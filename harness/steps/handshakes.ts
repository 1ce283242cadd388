/**
 * Asks whoever ends TLS who it is, as several clients would, and whether plain HTTP serves streams:
 * the TLS edge, and the origin where the user's own file ends TLS.
 */
import tls from 'node:tls'
import type { Interpreter, StepContext } from '../step.ts'
import type { Handshake, Via } from '../history.ts'
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
  for (const [via, plain] of [['tls', 'plain'], ['origin-tls', 'origin-plain']] as const) {
    if (!context.world.reaches(via)) continue
    await shake(context, via, 'offers-h2', ['h2', 'http/1.1'])
    await shake(context, via, 'offers-http1-only', ['http/1.1'])
    await plainRead(context, via, plain)
  }
}

async function shake(context: StepContext, via: Via, label: string, alpn: string[]): Promise<void> {
  const endpoint = context.world.endpoint(via)
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
    const error = await within(promise, { for: `a TLS handshake by ${via}`, timeoutMs: handshakeTimeoutMs })
    recordHandshake(context, socket, { via, label, host: endpoint.tls!.servername }, error)
  } finally {
    socket.destroy()
  }
}

function recordHandshake(
  context: StepContext,
  socket: tls.TLSSocket,
  asked: Pick<Handshake, 'via' | 'label' | 'host'>,
  error: Error | null,
): void {
  const certificate = error ? undefined : socket.getPeerCertificate(true)
  const names = certificate?.subjectaltname?.split(', ') ?? []
  const reason = error?.message ?? (socket.authorized ? undefined : String(socket.authorizationError))
  context.recorder.record({
    kind: 'handshake',
    ...asked,
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

/** Reads a stream over the plain-HTTP listener: a redirect or a refusal is right, bytes are not. */
async function plainRead(context: StepContext, via: Via, plain: Via): Promise<void> {
  if (!context.world.reaches(plain)) {
    context.recorder.record({ kind: 'shortfall', what: 'plain HTTP', because: `Beside ${via} there is no plain-HTTP listener.` })
    return
  }
  const kind = { id: 'plain-http', contentType: 'text/plain', records: 1, payloadBytes: 40 }
  const stream = newStream(context, kind, `plain-http-${plain}`)
  await context.operations.create('creator', stream, 'origin', { streamKind: kind.id, contentType: kind.contentType })
  await context.operations.append('creator', stream, 'origin', recordId(stream), 40)
  await context.operations.exchange('plain-http', plain, 'GET', `${stream.path}?offset=-1`)
}
