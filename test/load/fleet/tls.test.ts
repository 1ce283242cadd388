/** Readers over TLS, as streams of HTTP/2 and over HTTP/1.1, against Node's own server. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http2 from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { certificateFor, type ServerCertificate } from './certificates.ts'
import { runPlan, type PartialPlan } from './run-plan.ts'

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
const name = 'streams.test'

type Handler = (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void

async function serve(certificate: ServerCertificate, handler: Handler) {
  const { cert, key } = certificate
  const server = http2.createSecureServer({ cert, key, allowHTTP1: true }, handler)
  const sessions = new Set<http2.Http2Session>()
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.on('session', (session) => sessions.add(session))
  server.on('sessionError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    sessions,
    port: (server.address() as AddressInfo).port,
    breakOff: () => sockets.forEach((socket) => socket.destroy()),
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      server.close()
    },
  }
}

const over = (
  transport: 'http1' | 'h2',
  server: { port: number },
  caPem: string,
  rest: Omit<PartialPlan, 'port'> = {},
): PartialPlan => ({
  port: server.port,
  target: { authority: name, tls: { caPem, servername: name } },
  transport,
  readers: 30,
  ...(transport === 'h2' && { connections: 3 }),
  ...rest,
})

describe.each(['h2', 'http1'] as const)('readers over TLS, %s', (transport) => {
  it('receive what was sent, with its headers', async () => {
    const certificate = await certificateFor(name)
    const body = randomBytes(200_000)
    const seen: string[] = []
    await using server = await serve(certificate, (request, response) => {
      const host = request.authority ?? request.headers.host
      seen.push(`${request.httpVersion} ${host} ${request.url}`)
      response.setHeader('etag', '"1"')
      response.end(body)
    })
    const rest = { captureHeaders: ['etag', 'age'], requests: [{ path: '/a?offset=-1' }] }
    const { rows, summary } = await runPlan(over(transport, server, certificate.caPem, rest))
    expect(summary.outcomes).toEqual({ complete: 30 })
    expect(new Set(rows.map((row) => row.bodyHash))).toEqual(new Set([sha256(body)]))
    expect(rows[7]!.headers).toEqual({ etag: '"1"' })
    const version = transport === 'h2' ? '2.0' : '1.1'
    expect(new Set(seen)).toEqual(new Set([`${version} ${name} /a?offset=-1`]))
    if (transport === 'h2') expect(server.sessions.size).toBe(3)
  })

  it('follow event streams', async () => {
    const certificate = await certificateFor(name)
    await using server = await serve(certificate, (_request, response) => {
      response.setHeader('content-type', 'text/event-stream')
      response.setHeader('stream-sse-data-encoding', 'base64')
      response.write('event: control\ndata: {"streamNextOffset":"0"}\n\n')
      response.write('event: data\ndata: AQID\n\n')
      response.write('event: control\ndata: {"streamNextOffset":"3"}\n\n')
    })
    const read = { kind: 'sse' as const, dataEvents: 1 }
    const { rows, events } = await runPlan(over(transport, server, certificate.caPem, { read }))
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'complete', bodyHash: sha256(Buffer.from([1, 2, 3])) })
      expect(row.headers['sse:streamNextOffset']).toBe('3')
    }
    expect(events).toContainEqual(expect.objectContaining({ event: 'open', count: 30 }))
  })

  it.each([
    ['ERR_TLS_CERT_ALTNAME_INVALID', () => certificateFor('other.test'), undefined],
    ['CERT_HAS_EXPIRED', () => certificateFor(name, -3_600_000), undefined],
    ['CERT_SIGNATURE_FAILURE', () => certificateFor(name), () => certificateFor(name)],
  ])('do not talk to a server whose certificate has %s', async (error, make, other) => {
    const certificate = await make()
    const caPem = (await other?.())?.caPem ?? certificate.caPem
    await using server = await serve(certificate, (_request, response) => response.end())
    const { rows } = await runPlan(over(transport, server, caPem))
    for (const row of rows) expect(row).toMatchObject({ outcome: 'connect-failed', error })
  })

  it.each([true, false])('are not complete when it breaks (length: %s)', async (length) => {
    const certificate = await certificateFor(name)
    await using server = await serve(certificate, (_request, response) => {
      if (length) response.setHeader('content-length', '10')
      response.write('abc', () => setTimeout(() => server.breakOff(), 20))
    })
    const { rows, summary } = await runPlan(over(transport, server, certificate.caPem))
    expect(summary.outcomes.complete).toBeUndefined()
    expect(rows.some((row) => row.outcome === 'truncated' || row.outcome === 'reset')).toBe(true)
  })

  it('are ended by the deadline when nothing comes', async () => {
    const certificate = await certificateFor(name)
    await using server = await serve(certificate, () => {})
    const plan = over(transport, server, certificate.caPem, { deadlineMs: 500 })
    const { summary, events } = await runPlan(plan)
    expect(summary.outcomes).toEqual({ deadline: 30 })
    expect(events).toContainEqual(expect.objectContaining({ event: 'sent', count: 30 }))
  })
})

describe('a stream of HTTP/2', () => {
  it('has its head before its bytes, however close they come', async () => {
    const certificate = await certificateFor(name)
    await using server = await serve(certificate, (request, response) => {
      if (request.url === '/empty') return response.writeHead(204).end()
      response.setHeader('content-type', 'text/event-stream')
      response.end('event: data\ndata: a\n\nevent: control\ndata: {}\n\n')
    })
    const requests = [{ path: '/events' }, { path: '/empty' }]
    const read = { kind: 'sse' as const, dataEvents: 1 }
    const rest = { readers: 600, connections: 3, requests, read }
    const { rows } = await runPlan(over('h2', server, certificate.caPem, rest))
    for (const { reader, outcome, status, bodyHash } of rows) {
      const events = { outcome: 'complete', status: 200, bodyHash: sha256('a') }
      const empty = { outcome: 'ended', status: 204, bodyHash: sha256('') }
      expect({ outcome, status, bodyHash }).toEqual(reader % 2 === 0 ? events : empty)
    }
  })

  it('that its server resets is told with the code', async () => {
    const certificate = await certificateFor(name)
    await using server = await serve(certificate, (_request, response) => {
      response.stream.respond({ ':status': 200 })
      response.stream.write('abc', () => response.stream.destroy(new Error('broken')))
    })
    const { rows } = await runPlan(over('h2', server, certificate.caPem))
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'reset', error: 'INTERNAL_ERROR' })
    }
  })

  it('that ends without an error, but short of its length, is truncated', async () => {
    const certificate = await certificateFor(name)
    await using server = await serve(certificate, (_request, response) => {
      response.stream.respond({ ':status': 200, 'content-length': '5' })
      response.stream.write('abc', () => response.stream.destroy())
    })
    const { summary } = await runPlan(over('h2', server, certificate.caPem))
    expect(summary.outcomes).toEqual({ truncated: 30 })
  })

  it('that is shorter than it promised is not complete', async () => {
    const certificate = await certificateFor(name)
    await using server = await serve(certificate, (_request, response) => {
      response.stream.respond({ ':status': 200, 'content-length': '5' })
      response.stream.end('abc')
    })
    const { summary } = await runPlan(over('h2', server, certificate.caPem))
    expect(summary.outcomes.complete).toBeUndefined()
  })

  it('waits its turn where the server allows fewer at once', async () => {
    const certificate = await certificateFor(name)
    const { cert, key } = certificate
    const server = http2.createSecureServer({ cert, key, settings: { maxConcurrentStreams: 4 } })
    server.on('request', (_request, response) => response.end('x'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { summary } = await runPlan(over('h2', { port }, certificate.caPem, { connections: 1 }))
    expect(summary.outcomes).toEqual({ complete: 30 })
    server.close()
  })
})
