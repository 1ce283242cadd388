/** The counting tap as a program, between real peers. */
import fc from 'fast-check'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HarnessError } from '../../../harness/errors.ts'
import { openProcessRuntime } from '../../../harness/runtime/processes.ts'
import type { Runtime } from '../../../harness/runtime/runtime.ts'
import { openTap, type Tap, type TapTally } from '../../../harness/services/tap/tap-client.ts'
import { until } from '../../../harness/until.ts'
import { fate, listen, listenRaw, open, receiveAll, sendAll } from './peers.ts'

const logsDir = mkdtempSync(path.join(tmpdir(), 'tap-test-'))
let runtime: Runtime
let tap: Tap

beforeAll(async () => {
  runtime = await openProcessRuntime({ runId: `tap-test-${process.pid}`, logsDir })
  tap = await openTap(runtime, { upstreamPort: await runtime.leasePort() })
})
afterAll(async () => {
  await runtime[Symbol.asyncDispose]()
  rmSync(logsDir, { recursive: true })
})

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), { maxLength: 12 })

test('any bytes pass unchanged in both directions, and each side may end first', async () => {
  let send: Uint8Array[] = []
  let received: Promise<Buffer> = Promise.resolve(Buffer.alloc(0))
  await using origin = await listenRaw((socket) => {
    received = receiveAll(socket)
    void sendAll(socket, send)
  })
  await tap.repoint(origin.port)
  const passes = fc.asyncProperty(chunks, chunks, async (up, down) => {
    send = down
    const client = open(tap.port)
    const [answered] = await Promise.all([receiveAll(client), sendAll(client, up)])
    expect(answered.equals(Buffer.concat(down))).toBe(true)
    expect((await received).equals(Buffer.concat(up))).toBe(true)
  })
  await fc.assert(passes, { numRuns: 60 })
})

test('many megabytes pass unchanged to a slow reader', async () => {
  const body = Buffer.alloc(32 * 1024 ** 2, 'a body of many megabytes ')
  await using origin = await listenRaw((socket) => void sendAll(socket.resume(), [body]))
  await tap.repoint(origin.port)
  const client = open(tap.port)
  let bytes = 0
  client.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    client.pause()
    setImmediate(() => client.resume())
  })
  client.end()
  await once(client, 'end')
  expect(bytes).toBe(body.length)
  expect((await tap.usage()).rssBytes).toBeLessThan(300 * 1024 ** 2)
})

/** One request a client may send, as bytes, and how the origin below answers it. */
const requestOf = fc.record({
  kind: fc.constantFrom('length', 'chunked', 'head', 'not-modified', 'empty', 'post', 'post-chunked', 'continued'),
  name: fc.constantFrom('a', 'b?x=1', 'b?x=2&y=%20', 'c/d'),
  body: fc.string({ maxLength: 300 }).map((text) => Buffer.from(text)),
})
type Asked = typeof requestOf extends fc.Arbitrary<infer Each> ? Each : never

const methodOf = (kind: Asked['kind']) =>
  kind === 'head' ? 'HEAD' : kind.startsWith('post') || kind === 'continued' ? 'POST' : 'GET'

function bytesOf({ kind, name, body }: Asked, last: boolean): Buffer {
  const head = [`${methodOf(kind)} /${kind}/${name} HTTP/1.1`, 'Host: origin', ...(last ? ['Connection: close'] : [])]
  if (kind === 'continued') head.push('Expect: 100-continue')
  const hasBody = methodOf(kind) === 'POST'
  if (!hasBody) return Buffer.from(`${head.join('\r\n')}\r\n\r\n`)
  if (kind !== 'post-chunked') {
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n`), body])
  }
  const chunk = body.length > 0 ? [Buffer.from(`${body.length.toString(16)};a=b\r\n`), body, Buffer.from('\r\n')] : []
  const end = Buffer.from('0\r\nTrailer: t\r\n\r\n')
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n`), ...chunk, end])
}

/** Counts for itself, by what it was asked and what it answered. */
function countingOrigin(counts: Map<string, number>) {
  return createServer((request, response) => {
    const kind = request.url!.split('/')[1]
    const status = kind === 'not-modified' ? 304 : kind === 'empty' ? 204 : methodOf(kind as Asked['kind']) === 'POST' ? 201 : 200
    const key = `${request.method} ${request.url} ${status}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
    request.resume().once('end', () => {
      if (kind === 'length' || kind === 'head') response.setHeader('Content-Length', 1_000)
      response.writeHead(status)
      if (kind === 'chunked') response.write('first ')
      response.end(kind === 'not-modified' || kind === 'empty' || kind === 'head' ? undefined : 'HTTP/1.1 200 OK\r\n\r\n'.padEnd(1_000))
    })
  })
}

function countsOf({ requests }: TapTally): Map<string, number> {
  return new Map(
    requests.flatMap(({ method, target, statuses }) =>
      Object.entries(statuses).map(([status, count]) => [`${method} ${target} ${status}`, count] as const),
    ),
  )
}

test('counts are those of the origin itself, pipelined and split anywhere', async () => {
  const counts = new Map<string, number>()
  await using origin = await listen(countingOrigin(counts))
  await tap.repoint(origin.port)
  const connections = fc.array(fc.tuple(fc.array(requestOf, { minLength: 1, maxLength: 10 }), fc.integer({ min: 1, max: 400 })), { minLength: 1, maxLength: 4 })
  const agrees = fc.asyncProperty(connections, async (plan) => {
    counts.clear()
    const mark = await tap.mark()
    await Promise.all(plan.map(([asked, pieceBytes]) => ask(asked, pieceBytes)))
    const tally = await tap.since(mark)
    expect(countsOf(tally)).toEqual(counts)
    expect(tally).toMatchObject({
      total: plan.reduce((sum, [asked]) => sum + asked.length, 0),
      opaque: { upgraded: 0, odd: 0 },
      refused: 0,
      overflow: false,
    })
    expect(await tap.inFlight()).toBe(0)
  })
  await fc.assert(agrees, { numRuns: 40 })
})

async function ask(asked: Asked[], pieceBytes: number): Promise<void> {
  const bytes = Buffer.concat(asked.map((each, n) => bytesOf(each, n === asked.length - 1)))
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes))
  const client = open(tap.port)
  await Promise.all([receiveAll(client), sendAll(client, pieces)])
}

test('requests that are held are in flight until they are answered', async () => {
  const held: (() => void)[] = []
  await using origin = await listen(createServer((_, response) => held.push(() => response.end('now'))))
  await tap.repoint(origin.port)
  const mark = await tap.mark()
  const get = (target: string) =>
    new Promise((resolve) => httpRequest({ host: '127.0.0.1', port: tap.port, path: target }, (response) => response.resume().once('end', resolve)).end())
  const answers = [...Array.from({ length: 20 }, () => get('/v1/stream/x?live=long-poll')), get('/other')]
  await until(() => held.length === 21, { for: 'the requests to be held', timeoutMs: 10_000 })
  expect(await tap.inFlight()).toBe(21)
  expect(await tap.inFlight('/v1/stream/x')).toBe(20)
  const before = runtime.nowMs()
  for (const release of held) release()
  await Promise.all(answers)
  await until(async () => (await tap.inFlight()) === 0, { for: 'none in flight', timeoutMs: 5_000 })
  const { requests, total } = await tap.since(mark, '/v1/stream/')
  expect(total).toBe(20)
  expect(requests).toMatchObject([{ method: 'GET', target: '/v1/stream/x?live=long-poll', count: 20, statuses: { 200: 20 } }])
  expect(requests[0]!.firstAtMs).toBeLessThanOrEqual(requests[0]!.lastAtMs)
  expect(requests[0]!.lastAtMs).toBeLessThan(before)
})

test('an origin that is down resets the client; when it is back, requests pass', async () => {
  const port = await runtime.leasePort()
  await tap.repoint(port)
  const mark = await tap.mark()
  expect(await fate(open(tap.port))).toBe('ECONNRESET')
  expect(await tap.since(mark)).toMatchObject({ total: 0, refused: 1 })
  await using _ = await listen(createServer((__, response) => response.end('back')), port)
  expect(await (await fetch(`http://127.0.0.1:${tap.port}/`)).text()).toBe('back')
})

test('new connections go where the tap is pointed, old ones stay', async () => {
  await using first = await listen(createServer((_, response) => response.end('first')))
  await using second = await listen(createServer((_, response) => response.end('second')))
  await tap.repoint(first.port)
  const kept = open(tap.port)
  const asking = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  const answerOn = async (socket: Socket) => {
    socket.write(asking)
    return String(((await once(socket, 'data')) as [Buffer])[0])
  }
  expect(await answerOn(kept)).toContain('first')
  await tap.repoint(second.port)
  const fresh = open(tap.port)
  expect(await answerOn(fresh)).toContain('second')
  expect(await answerOn(kept)).toContain('first')
  kept.destroy()
  fresh.destroy()
})

test('a reset of either side is repeated on the other, after what was sent before', async () => {
  let accepted!: (socket: Socket) => void
  await using origin = await listenRaw((socket) => accepted(socket))
  await tap.repoint(origin.port)
  const pair = async () => {
    const atOrigin = new Promise<Socket>((resolve) => (accepted = resolve))
    const client = open(tap.port)
    return { client, atOrigin: await atOrigin }
  }
  const one = await pair()
  one.client.resetAndDestroy()
  expect(await fate(one.atOrigin)).toBe('ECONNRESET')

  const other = await pair()
  other.atOrigin.write('last words')
  expect(String(((await once(other.client, 'data')) as [Buffer])[0])).toBe('last words')
  other.atOrigin.resetAndDestroy()
  expect(await fate(other.client)).toBe('ECONNRESET')
})

test('a client that reads late still gets what the origin sent before its reset', async () => {
  const sent = Buffer.alloc(16_000, 'sent before the reset ')
  let stuck!: () => void
  const full = new Promise<void>((resolve) => (stuck = resolve))
  await using origin = await listenRaw((socket) => {
    // Small pieces, until neither the tap nor the kernel takes any more.
    const timer = setInterval(() => {
      while (socket.writableLength === 0) if (!socket.write(sent)) break
      if (socket.writableLength < 2 * sent.length) return
      clearInterval(timer)
      stuck()
      socket.resetAndDestroy()
    }, 5)
    socket.on('drain', () => socket.write(sent))
    setTimeout(() => socket.write(sent), 300)
  })
  await tap.repoint(origin.port)
  const client = open(tap.port)
  await full
  const received: Buffer[] = []
  client.on('data', (chunk: Buffer) => received.push(chunk))
  expect(await fate(client)).toBe('ECONNRESET')
  const bytes = Buffer.concat(received)
  expect(bytes.length).toBeGreaterThan(100_000)
  expect(bytes.equals(Buffer.alloc(bytes.length, sent))).toBe(true)
})

test('an answer that is cut, and one that never comes, are told as such', async () => {
  await using origin = await listenRaw((socket) => {
    socket.once('data', (chunk: Buffer) => {
      if (String(chunk).startsWith('GET /cut')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')
      else if (String(chunk).startsWith('GET /broken')) socket.write('HTTP/1.1 200 OK\r\n\r\nuntil the', () => socket.resetAndDestroy())
      else if (String(chunk).startsWith('GET /to-the-end')) socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end')
      else socket.end()
    })
  })
  await tap.repoint(origin.port)
  const mark = await tap.mark()
  for (const target of ['/cut', '/never', '/broken', '/to-the-end']) {
    const client = open(tap.port)
    client.write(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await fate(client)
    client.end()
  }
  const { requests } = await tap.since(mark)
  expect(requests).toMatchObject([
    { target: '/cut', statuses: { 200: 1 }, cut: 1, unanswered: 0 },
    { target: '/never', statuses: {}, cut: 0, unanswered: 1 },
    { target: '/broken', statuses: { 200: 1 }, cut: 1, unanswered: 0 },
    { target: '/to-the-end', statuses: { 200: 1 }, cut: 0, unanswered: 0 },
  ])
  expect(await tap.inFlight()).toBe(0)
})

test('what cannot be followed passes all the same, and is told', async () => {
  await using origin = await listenRaw((socket) => {
    socket.on('data', (chunk: Buffer) => {
      const text = String(chunk)
      socket.write(text.includes('Upgrade') ? 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n' : `echo ${text}`)
    })
  })
  await tap.repoint(origin.port)
  const mark = await tap.mark()
  const say = async (client: Socket, text: string) => {
    client.write(text)
    return String(((await once(client, 'data')) as [Buffer])[0])
  }
  const upgraded = open(tap.port)
  expect(await say(upgraded, 'GET /up HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')).toContain(' 101 ')
  expect(await say(upgraded, 'anything')).toBe('echo anything')
  const odd = open(tap.port)
  expect(await say(odd, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toContain('echo PRI')
  const tally = await tap.since(mark)
  expect(tally.opaque).toEqual({ upgraded: 1, odd: 1 })
  expect(tally.requests).toMatchObject([{ target: '/up', statuses: { 101: 1 } }])
  upgraded.destroy()
  odd.destroy()
})

test('a thousand held connections cost two descriptors each, and none afterwards', async () => {
  const held: Socket[] = []
  await using origin = await listenRaw((socket) => held.push(socket.resume()))
  await tap.repoint(origin.port)
  const before = await tap.usage()
  const clients = Array.from({ length: 1_000 }, () => open(tap.port).resume().on('error', () => {}))
  for (const client of clients) client.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(async () => (await tap.inFlight('/held')) === 1_000, { for: 'a thousand requests in flight', timeoutMs: 20_000, everyMs: 50 })
  // The kernel takes a connection before the origin does: one that it takes late would stay open.
  await until(() => held.length === 1_000, { for: 'a thousand connections at the origin', timeoutMs: 20_000 })
  const during = await tap.usage()
  expect(during.openFiles - before.openFiles).toBe(2_000)
  expect(during.rssBytes - before.rssBytes).toBeLessThan(60 * 1024 ** 2)
  for (const client of clients) client.destroy()
  for (const socket of held) socket.destroy()
  await until(async () => (await tap.inFlight()) === 0, { for: 'none in flight', timeoutMs: 10_000, everyMs: 50 })
  await until(async () => (await tap.usage()).openFiles <= before.openFiles, { for: 'descriptors to come back', timeoutMs: 10_000, everyMs: 50 })
})

test('a tap on a taken port says so; one that dies fails whoever asks; a closed one listens no more', async () => {
  await using holder = await listenRaw(() => {})
  await expect(openTap(runtime, { id: 'late', listenPort: holder.port, upstreamPort: 1 })).rejects.toThrow(/EADDRINUSE/)
  const brief = await openTap(runtime, { id: 'brief', upstreamPort: 1 })
  await brief.close()
  expect(await fate(open(brief.port))).toBe('ECONNREFUSED')
  await expect(brief.mark()).rejects.toThrow(HarnessError)
})
