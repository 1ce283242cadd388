/** Access logs of every kind that is known, whole, packed, damaged and hostile, become recordings. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UsageError } from '../../harness/errors.ts'
import { importLogs, type ImportOptions } from '../../harness/incident/import-log.ts'
import { formatOf, logFormats, parseLine } from '../../harness/incident/log-formats.ts'
import { parseHar } from '../../harness/incident/har.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'import-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Entry {
  endedAt?: number
  tookS?: number
  method?: string
  uri?: string
  status?: number
  bytes?: number
  headers?: Record<string, string[]>
  answer?: Record<string, string[]>
}

/** A line as Caddy writes it. */
function caddy({ endedAt = 100, tookS = 0, method = 'GET', uri = '/v1/stream/a?offset=-1', status = 200, bytes = 0, headers = {}, answer = {} }: Entry = {}): string {
  const request = { remote_ip: '192.0.2.1', proto: 'HTTP/2.0', method, host: 'streams.example', uri, headers: { Cookie: ['session=geheim'], Authorization: ['Bearer geheim'], ...headers } }
  return JSON.stringify({ level: 'info', ts: 1_795_600_000 + endedAt, logger: 'http.log.access', msg: 'handled request', request, bytes_read: bytes, duration: tookS, size: 1, status, resp_headers: answer })
}

async function imported(content: string | Buffer, more: Partial<ImportOptions> = {}) {
  const file = path.join(folder, 'access.log')
  writeFileSync(file, content)
  const recording = path.join(folder, 'recording.jsonl')
  const found = await importLogs({ files: [file], recording, ...more })
  const text = readFileSync(recording, 'utf8')
  return { found, text, lines: text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('a log', () => {
  test("of Caddy becomes requests in the order in which they were sent", async () => {
    const poll = caddy({ endedAt: 130, tookS: 29.5, uri: '/v1/stream/a?offset=0_7&live=long-poll', status: 204 })
    const { lines, found } = await imported(
      [
        caddy({ endedAt: 100, method: 'PUT', uri: '/v1/stream/a', status: 201, headers: { 'Content-Type': ['text/plain'], 'Stream-Ttl': ['60'] }, answer: { 'Stream-Next-Offset': ['0_0'] } }),
        caddy({ endedAt: 100.2, method: 'POST', uri: '/v1/stream/a', status: 204, bytes: 7, answer: { 'Stream-Next-Offset': ['0_7'] } }),
        caddy({ endedAt: 101 }),
        poll,
      ].join('\n'),
    )
    expect(lines.map(({ method, atMs, query }) => [method, atMs, query])).toEqual([
      ['PUT', 0, []],
      ['POST', 200, []],
      ['GET', 500, [['offset', '0_7'], ['live', 'long-poll']]],
      ['GET', 1_000, [['offset', '-1']]],
    ])
    expect(lines[0]).toMatchObject({ headers: { 'content-type': 'text/plain', 'stream-ttl': '60' }, nextOffset: '0_0' })
    expect(found).toMatchObject({ formats: ['caddy'], requests: 4, streams: 1, streamsBefore: 0, unreadable: 0, longPollMs: 29_500, statuses: { 201: 1, 204: 2, 200: 1 } })
  })

  test('leaves out what is secret', async () => {
    const { text } = await imported(caddy({ uri: '/v1/stream/a?offset=-1&token=geheim&sig=geheim', headers: { 'X-Api-Key': ['geheim'], 'Content-Type': ['REDACTED'] } }))
    expect(text).not.toMatch(/geheim|session|REDACTED/)
  })

  test('names the streams that were there before it begins, with their end', async () => {
    const told = { 'Content-Type': ['application/json'], 'Stream-Next-Offset': ['0_99'], 'Stream-Up-To-Date': ['true'] }
    const { lines } = await imported([caddy({ answer: told }), caddy({ uri: '/v1/stream/none', status: 404 }), caddy({ uri: '/v1/stream/live?offset=0_5&live=sse' })].join('\n'))
    expect(lines.slice(0, 2)).toEqual([
      { stream: '/v1/stream/a', contentType: 'application/json', tail: '0_99' },
      { stream: '/v1/stream/live', contentType: 'application/octet-stream', tail: '0_5' },
    ])
  })

  test.each<[string, string, Record<string, unknown>]>([
    ['nginx as JSON, with its parts', '{"time_iso8601":"2026-05-04T10:00:01+02:00","request_method":"POST","request_uri":"/s/a?x=1","status":"204","request_time":"0.500","content_length":"12","http_content_type":"text/plain"}', { method: 'POST', path: '/s/a', status: 204, tookMs: 500, requestBytes: 12, headers: { 'content-type': 'text/plain' } }],
    ['nginx as JSON, with the request line', '{"msec":1777881600.25,"request":"GET /s/a?offset=-1 HTTP/1.1","status":200}', { method: 'GET', query: [['offset', '-1']], tookMs: 0 }],
    ['nginx combined', '192.0.2.1 - bob [04/May/2026:10:00:01 +0200] "GET /s/a?offset=0_5&live=sse HTTP/1.1" 200 512 "-" "curl/8"', { method: 'GET', path: '/s/a', status: 200, requestBytes: null }],
    ['varnishncsa', '192.0.2.1 - - [04/May/2026:08:00:01 +0000] "GET http://streams.example/s/a?offset=-1 HTTP/1.1" 200 512 "-" "curl/8"', { path: '/s/a', query: [['offset', '-1']] }],
  ])('of %s is read', async (_name, line, expected) => {
    const { lines, found } = await imported(line)
    expect(found.requests).toBe(1)
    expect(lines.at(-1)).toMatchObject(expected)
  })

  test('tells the same time in each of its ways', () => {
    const combined = parseLine('1.1.1.1 - - [04/May/2026:10:00:01 +0200] "GET /a HTTP/1.1" 200 1', 'combined')
    const json = parseLine('{"time_iso8601":"2026-05-04T08:00:01Z","request":"GET /a HTTP/1.1","status":200}', 'nginx-json')
    expect(combined?.atMs).toBe(Date.parse('2026-05-04T08:00:01Z'))
    expect(json?.atMs).toBe(combined?.atMs)
  })

  test('of a browser (HAR) is read', async () => {
    const entry = { startedDateTime: '2026-05-04T10:00:00.250Z', time: 12.5, request: { method: 'GET', url: 'https://streams.example/s/a?offset=-1', headers: [{ name: 'Cookie', value: 'geheim' }] }, response: { status: 200, headers: [{ name: 'Stream-Next-Offset', value: '0_5' }] } }
    const { lines, found, text } = await imported(JSON.stringify({ log: { version: '1.2', entries: [entry, { request: 7 }, null] } }))
    expect(found).toMatchObject({ formats: ['har'], requests: 1, unreadable: 2 })
    expect(lines.at(-1)).toMatchObject({ path: '/s/a', tookMs: 12.5, nextOffset: '0_5' })
    expect(text).not.toContain('geheim')
  })

  test('is read packed, and as several files', async () => {
    writeFileSync(path.join(folder, 'older.gz'), gzipSync(caddy({ endedAt: 50 })))
    writeFileSync(path.join(folder, 'newer.log'), caddy({ endedAt: 60 }))
    const { found } = await imported('', { files: [path.join(folder, 'older.gz'), path.join(folder, 'newer.log')] })
    expect(found).toMatchObject({ requests: 2, spanMs: 10_000 })
  })

  test('is cut by time and by stream', async () => {
    const lines = [caddy({ endedAt: 10 }), caddy({ endedAt: 20 }), caddy({ endedAt: 20, uri: '/v1/stream/b' }), caddy({ endedAt: 30 })].join('\n')
    const { found } = await imported(lines, { fromMs: 1_795_600_015_000, toMs: 1_795_600_025_000, stream: '/v1/stream/a' })
    expect(found).toMatchObject({ requests: 1, leftOut: 3 })
  })

  test('counts and shows what cannot be read, and goes on', async () => {
    const { found } = await imported(['\u0000\u0001', caddy(), '{"ts":', caddy({ method: 'BREW' }), 'x'.repeat(3_000_000), caddy()].join('\n'))
    expect(found).toMatchObject({ requests: 2, unreadable: 4 })
    expect(found.unreadableExamples).toHaveLength(3)
    for (const example of found.unreadableExamples) expect(example.length).toBeLessThan(200)
  })

  test.each<[string, string | Buffer, RegExp]>([
    ['nothing', '', /holds no request that can be read \(0 lines are none\)/],
    ['something else', 'hello\nworld\n', /holds no request that can be read \(2 lines are none\); known are Caddy's JSON log/],
    ['half a packed file', gzipSync(Buffer.from(`${caddy()}\n`.repeat(1_000))).subarray(0, 120), /cannot be read to its end \(.*gzip\)/],
    ['a HAR without entries', '{"log": {"entries": 7}}', /begins as a HAR and is none/],
  ])('that holds %s is refused in one sentence', async (_name, content, sentence) => {
    const refused = await imported(content).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(UsageError)
    expect((refused as Error).message).toMatch(sentence)
    expect((refused as Error).message).not.toContain('\n')
  })

  test('that is not there is refused', async () => {
    await expect(imported('', { files: ['/nowhere/access.log'] })).rejects.toThrow(/^The log \/nowhere\/access\.log cannot be read \(ENOENT\)\.$/)
  })
})

describe('any line', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.record({ ts: fc.anything(), request: fc.anything(), duration: fc.anything(), status: fc.anything(), resp_headers: fc.anything() }).map((value) => JSON.stringify(value) ?? ''),
    fc.tuple(fc.nat(400), fc.string()).map(([at, text]) => caddy().slice(0, at) + text + caddy().slice(at)),
    fc.tuple(fc.string(), fc.string()).map(([time, target]) => `1.1.1.1 - - [${time}] "GET ${target} HTTP/1.1" 200 1`),
  )

  test('is a request or none, and a request is one that can be sent', () => {
    fc.assert(
      fc.property(line, (text) => {
        for (const format of logFormats) {
          const request = parseLine(text, format)
          if (request === null) continue
          expect(request.path).toMatch(/^\/[\x21-\x7e]*$/)
          expect(Number.isFinite(request.atMs) && Number.isFinite(request.tookMs)).toBe(true)
          for (const value of Object.values(request.headers)) expect(value).toMatch(/^[\t\x20-\x7e]*$/)
        }
        formatOf(text)
        for (const entry of parseHar(`{"log":{"entries":[${text}]}}`) ?? []) if (entry) expect(entry.path).toMatch(/^\/[\x21-\x7e]*$/)
      }),
      { numRuns: 2_000 },
    )
  })
})
