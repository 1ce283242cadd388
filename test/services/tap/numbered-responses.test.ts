/** A tap that numbers responses, between real peers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { responseNumberHeader } from '../../../harness/history.ts'
import { openProcessRuntime } from '../../../harness/runtime/processes.ts'
import type { Runtime } from '../../../harness/runtime/runtime.ts'
import { openTap, type Tap } from '../../../harness/services/tap/tap-client.ts'
import { until } from '../../../harness/until.ts'
import { listen, listenRaw, open, receiveAll, sendAll } from './peers.ts'

const logsDir = mkdtempSync(path.join(tmpdir(), 'numbered-responses-'))
let runtime: Runtime
let tap: Tap

beforeAll(async () => {
  runtime = await openProcessRuntime({ runId: `numbers-test-${process.pid}`, logsDir })
  tap = await openTap(runtime, { upstreamPort: await runtime.leasePort(), numbers: true })
})
afterAll(async () => {
  await runtime[Symbol.asyncDispose]()
  rmSync(logsDir, { recursive: true })
})

const url = (target: string) => `http://127.0.0.1:${tap.port}${target}`

test('each response has a number of its own, under which it is remembered until asked for', async () => {
  await using origin = await listen(
    createServer((asked, response) => {
      response.writeHead(asked.method === 'HEAD' ? 404 : 200, { etag: '"a"', 'cache-control': 'no-store' }).end(asked.method === 'HEAD' ? '' : 'body')
    }),
  )
  await tap.repoint(origin.port)
  const agent = new Agent({ connections: 1 })
  const ask = async (method: 'GET' | 'HEAD', target: string, headers = {}) => {
    const response = await request(url(target), { method, headers, dispatcher: agent })
    return { number: Number(response.headers[responseNumberHeader]), body: await response.body.text() }
  }
  const first = await ask('GET', '/a?offset=1', { authorization: 'x', 'if-none-match': '"b"' })
  const second = await ask('HEAD', '/a')
  const other = await ask('GET', '/ab')
  expect([first.body, second.number, other.number]).toEqual(['body', first.number + 1, first.number + 2])
  const { responses, forgotten } = await tap.responses('/a')
  expect(responses.map(({ number, method, status }) => [number, method, status])).toEqual([[first.number, 'GET', 200], [second.number, 'HEAD', 404]])
  expect(responses[0]).toMatchObject({ target: '/a?offset=1', asked: { authorization: true, cookie: false, ifNoneMatch: '"b"' }, headers: { etag: '"a"', 'cache-control': 'no-store' } })
  expect(responses[0]!.askedAtMs).toBeLessThanOrEqual(responses[0]!.headAtMs)
  expect(responses[0]!.endedAtMs).toBeGreaterThanOrEqual(responses[0]!.headAtMs)
  expect(forgotten).toBe(0)
  expect(await tap.responses('/a')).toMatchObject({ responses: [], forgotten: 0 })
  await agent.destroy()
})

test('what stands before the origin may give its answers headers, which are remembered as if they were its own', async () => {
  await using origin = await listen(createServer((_, response) => void response.writeHead(200, { 'cache-control': 'no-cache' }).end('body')))
  await tap.repoint(origin.port)
  const before = await tap.link({
    state: 'open',
    markings: [
      { segment: 'of-one', name: 'Cache-Control', value: 'private' },
      { segment: 'of-one', name: 'Set-Cookie', value: 'a=1', times: 1 },
    ],
  })
  const agent = new Agent({ connections: 1 })
  const ask = async (method: 'GET' | 'HEAD', target: string) => {
    const response = await request(url(target), { method, dispatcher: agent })
    await response.body.text()
    return [String(response.headers['cache-control']), response.headers['set-cookie']]
  }
  expect(await ask('GET', '/x/of-one?offset=1')).toEqual(['private,no-cache', 'a=1'])
  expect(await ask('GET', '/x/of-one')).toEqual(['private,no-cache', undefined])
  for (const other of [await ask('HEAD', '/x/of-one'), await ask('GET', '/x/of-one/more'), await ask('GET', '/x/of-ones')]) expect(other).toEqual(['no-cache', undefined])
  const { responses } = await tap.responses('/x/of-one')
  expect(responses.map(({ headers }) => headers)).toEqual([{ 'cache-control': 'private, no-cache', 'set-cookie': 'a=1' }, { 'cache-control': 'private, no-cache' }, { 'cache-control': 'no-cache' }])
  expect((await tap.link({ state: 'open' })).marked - before.marked).toBe(2)
  expect(await ask('GET', '/x/of-one')).toEqual(['no-cache', undefined])
  await agent.destroy()
})

test('one that is open has not ended', async () => {
  await using origin = await listen(createServer((_, response) => void response.writeHead(200).write('event')))
  await tap.repoint(origin.port)
  const abort = new AbortController()
  const response = await request(url('/open'), { signal: abort.signal })
  const { responses } = await until(async () => {
    const told = await tap.responses('/open')
    return told.responses.length > 0 && told
  }, { for: 'the response at the tap', timeoutMs: 5_000 })
  expect(responses[0]).toMatchObject({ number: Number(response.headers[responseNumberHeader]), status: 200, endedAtMs: null })
  abort.abort()
  await response.body.text().catch(() => {})
})

test('the number is written once into each head, wherever the bytes are cut', async () => {
  const answer = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHTTPHTTP/1.1 204 No Content\r\n\r\n'
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: answer.length - 1 }), { maxLength: 12 }).map((at) => [0, ...at.toSorted((a, b) => a - b), answer.length])
  let pieces: Buffer[] = []
  await using origin = await listenRaw((socket) => void socket.once('data', () => void sendAll(socket, pieces)))
  await tap.repoint(origin.port)
  await fc.assert(
    fc.asyncProperty(cuts, async (at) => {
      pieces = at.slice(1).map((end, n) => Buffer.from(answer.slice(at[n], end)))
      const client = open(tap.port)
      client.write('GET /cut HTTP/1.1\r\nHost: x\r\n\r\nGET /cut HTTP/1.1\r\nHost: x\r\n\r\n')
      const received = (await receiveAll(client)).toString()
      client.end()
      const [first, second] = (await tap.responses('/cut')).responses
      expect(received).toBe(answer.replace('200 OK\r\n', `200 OK\r\n${responseNumberHeader}: ${first!.number}\r\n`).replace('No Content\r\n', `No Content\r\n${responseNumberHeader}: ${second!.number}\r\n`))
    }),
    { numRuns: 60 },
  )
})
