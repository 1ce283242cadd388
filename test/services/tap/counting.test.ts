/** The tap's books and its observer, fed by hand: bounds, marks, and bytes that make no sense. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ledger } from '../../../harness/services/tap/counting.ts'
import { Observer } from '../../../harness/services/tap/observer.ts'

function ledgerOf(limits: Partial<{ recordMax: number; eventsMax: number }> = {}) {
  let atMs = 0
  return new Ledger({ recordMax: 100, eventsMax: 1_000, ...limits }, () => (atMs += 1))
}

function answer(ledger: Ledger, target: string, status = 200): void {
  const entry = ledger.request('GET', target)
  ledger.status(entry, status)
  ledger.end(entry, 'complete')
}

test('a mark divides what came before from what came after', () => {
  const ledger = ledgerOf()
  answer(ledger, '/a')
  const held = ledger.request('GET', '/a')
  const mark = ledger.mark()
  ledger.status(held, 503)
  answer(ledger, '/a')
  answer(ledger, '/b')
  const { total, requests, overflow } = ledger.since(mark)
  expect({ total, overflow }).toEqual({ total: 2, overflow: false })
  expect(requests).toMatchObject([
    { target: '/a', count: 1, statuses: { 503: 1, 200: 1 }, firstAtMs: 5, lastAtMs: 5 },
    { target: '/b', count: 1, firstAtMs: 7, lastAtMs: 7 },
  ])
  expect(ledger.since(mark, '/b').total).toBe(1)
  expect(ledger.totals()).toMatchObject({ total: 4, overflow: false })
  expect(ledger.since(ledger.mark())).toMatchObject({ total: 0, requests: [] })
})

test('more targets than are kept: totals say that they are short, a recent mark is whole', () => {
  const ledger = ledgerOf({ recordMax: 3 })
  for (const target of ['/a', '/b', '/c', '/d']) answer(ledger, target)
  const totals = ledger.totals()
  expect(totals).toMatchObject({ total: 4, overflow: true, because: '1 requests of earlier targets are no longer told apart' })
  expect(totals.requests.map(({ target }) => target)).toEqual(['/b', '/c', '/d'])
  const mark = ledger.mark()
  answer(ledger, '/e')
  expect(ledger.since(mark)).toMatchObject({ total: 1, overflow: false })
  expect(ledger.since(0)).toMatchObject({ total: 5, overflow: true, because: '2 more targets than are told' })
})

test('more observations since a mark than are kept: the answer says that it is short', () => {
  const ledger = ledgerOf({ eventsMax: 10 })
  const mark = ledger.mark()
  for (let n = 0; n < 5; n += 1) answer(ledger, '/a')
  expect(ledger.since(mark)).toMatchObject({ total: 5, overflow: false })
  answer(ledger, '/a')
  expect(ledger.since(mark)).toMatchObject({ overflow: true, because: '2 observations since the mark are no longer kept' })
  expect(ledger.totals().total).toBe(6)
})

test('requests in flight are never forgotten', () => {
  const ledger = ledgerOf({ recordMax: 2 })
  const held = [ledger.request('GET', '/held/1'), ledger.request('GET', '/held/2')]
  for (let n = 0; n < 500; n += 1) answer(ledger, `/passing/${n}`)
  expect(ledger.inFlight('/held/')).toBe(2)
  for (const entry of held) ledger.end(entry, 'complete')
  expect(ledger.inFlight('')).toBe(0)
})

const heads = fc.constantFrom(
  'GET / HTTP/1.1\r\n\r\n', 'HEAD /h HTTP/1.1\r\n\r\n', 'POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc',
  'POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n', '3\r\nabc\r\n0\r\n\r\n', 'fffffffffffff\r\n', 'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'HTTP/1.1 101 Up\r\n\r\n', '\r\n', '\n', 'GET /bare HTTP/1.0\nA: b\n\n',
)
const piece = fc.oneof(heads.map((text) => Buffer.from(text)), fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)))
const traffic = fc.array(fc.record({ up: fc.boolean(), piece }), { maxLength: 30 })

test('no bytes make the observer throw, and in the end nothing is in flight', () => {
  const holds = fc.property(traffic, fc.boolean(), (pieces, orderly) => {
    const ledger = ledgerOf()
    const observer = new Observer(ledger)
    for (const { up, piece: bytes } of pieces) {
      if (up) observer.up(bytes)
      else observer.down(bytes)
    }
    observer.downEnded(orderly)
    expect(ledger.inFlight('')).toBe(0)
    const { opaque } = ledger.totals()
    expect(opaque.odd + opaque.upgraded).toBeLessThanOrEqual(1)
  })
  fc.assert(holds, { numRuns: 3_000 })
})

test('bytes are read the same however they are split', () => {
  const holds = fc.property(traffic, fc.infiniteStream(fc.integer({ min: 1, max: 7 })), (pieces, sizes) => {
    const [whole, split] = [ledgerOf(), ledgerOf()]
    const [one, other] = [new Observer(whole), new Observer(split)]
    for (const { up, piece: bytes } of pieces) {
      if (up) one.up(bytes)
      else one.down(bytes)
      for (let at = 0; at < bytes.length; ) {
        const part = bytes.subarray(at, (at += sizes.next().value))
        if (up) other.up(part)
        else other.down(part)
      }
    }
    expect(split.totals()).toEqual(whole.totals())
  })
  fc.assert(holds, { numRuns: 1_000 })
})

test.each([
  ['http://origin:8080/v1/stream/x?offset=-1', '/v1/stream/x?offset=-1'],
  ['http://origin?x', '/?x'],
  ['*', '*'],
])('the target %s is told as %s', (sent, told) => {
  const ledger = ledgerOf()
  new Observer(ledger).up(Buffer.from(`OPTIONS ${sent} HTTP/1.1\r\n\r\n`))
  expect(ledger.totals().requests).toMatchObject([{ method: 'OPTIONS', target: told }])
})
