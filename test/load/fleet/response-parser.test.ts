import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ResponseParser } from '../../../harness/load/fleet/response-parser.ts'
import { cut } from './raw-server.ts'
import { response } from './responses.ts'

interface Told {
  status?: number
  tag?: string
  body: Buffer
  ended: boolean
  malformed?: string
  closedWell?: boolean
}

/** Gives the pieces to reader 1 of 3 through a shared buffer with other bytes behind them. */
function parse(pieces: readonly Buffer[], close = false): Told {
  const told: Told = { body: Buffer.alloc(0), ended: false }
  const parser = new ResponseParser(3, ['x-tag'], {
    head(reader, head, bytes) {
      expect(reader).toBe(1)
      expect(told.status).toBeUndefined()
      told.status = head.status
      const tag = bytes.toString('latin1', head.captured[0], head.captured[1])
      if (head.captured[0]! >= 0) told.tag = head.repeated.get(0) ?? tag
    },
    body(_reader, bytes, start, end) {
      told.body = Buffer.concat([told.body, bytes.subarray(start, end)])
    },
    end() {
      told.ended = true
    },
    malformed(_reader, reason) {
      told.malformed ??= reason
    },
  })
  for (const piece of pieces) {
    parser.push(1, Buffer.concat([piece, Buffer.from('\r\n\r\nHTTP/1.1 0\r\n\r\n')]), piece.length)
  }
  if (close) told.closedWell = parser.close(1)
  return told
}

const text = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1')

describe('responses in pieces', () => {
  it('mean the same wherever they are cut', () => {
    fc.assert(
      fc.property(response, fc.array(fc.nat(), { maxLength: 20 }), (answer, places) => {
        const told = parse(cut(answer.wire, places), answer.untilClose)
        expect(told.malformed).toBeUndefined()
        expect(told.status).toBe(answer.status)
        expect(told.tag).toBe(answer.tag)
        expect(told.body.equals(answer.body)).toBe(true)
        expect(told.ended).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('mean the same byte by byte', () => {
    fc.assert(
      fc.property(response, (answer) => {
        const told = parse([...answer.wire].map((byte) => Buffer.from([byte])), answer.untilClose)
        expect(told.status).toBe(answer.status)
        expect(told.body.equals(answer.body)).toBe(true)
        expect(told.ended).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  it('are cut short by any close before their end', () => {
    fc.assert(
      fc.property(response, fc.nat(), (answer, place) => {
        const { length } = answer.wire
        const last = answer.untilClose ? length - answer.body.length : length
        const told = parse([answer.wire.subarray(0, place % last)], true)
        expect(told.ended).toBe(false)
        expect(told.closedWell).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a head', () => {
  it('joins a header that comes twice', () => {
    const told = parse([text('HTTP/1.1 204 ', 'X-Tag: a', 'x-tAG:  b ', 'X-Tag:c', '', '')])
    expect(told.tag).toBe('a, b, c')
  })

  it('may be 60 KB long, but not 70', () => {
    const padded = (bytes: number) => text('HTTP/1.1 204 ', `X-Pad: ${'x'.repeat(bytes)}`, '', '')
    const pieces = (bytes: number) => cut(padded(bytes), [1_000, 40_000, 65_600])
    expect(parse(pieces(60_000))).toMatchObject({ status: 204, ended: true })
    expect(parse(pieces(70_000))).toMatchObject({ malformed: 'head-too-large', ended: false })
  })

  it('may come after 100 Continue', () => {
    const interim = text('HTTP/1.1 100 Continue', 'Content-Length: 9', '', '')
    const told = parse([interim, text('HTTP/1.1 204 ', '', '')])
    expect(told).toMatchObject({ status: 204, ended: true })
  })

  it('ends the body at once when the length is 0', () => {
    expect(parse([text('HTTP/1.0 200 OK', 'Content-Length: 0', '', '')]).ended).toBe(true)
  })

  it('takes a last coding other than chunked as the rest of the connection', () => {
    const told = parse([text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked, x', '', 'rest')], true)
    expect(told).toMatchObject({ ended: true, closedWell: true, body: Buffer.from('rest') })
  })
})

describe('bytes that are not a response', () => {
  const chunks = (body: string) => text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', body)
  const cases: [string, Buffer][] = [
    ['status-line', text('HTTP/2.0 200 OK', '', '')],
    ['status-line', text('SSH-2.0-OpenSSH_9', '', '')],
    ['status-line', text('HTTP/1.1 2x0 OK', '', '')],
    ['status-line', text('HTTP/1.1 099 OK', '', '')],
    ['bare-line-feed', Buffer.from('HTTP/1.1 200 OK\n\n')],
    ['header-name', text('HTTP/1.1 200 OK', 'Bad name: 1', '', '')],
    ['header-name', text('HTTP/1.1 200 OK', 'A: b', ' folded: 1', '', '')],
    ['header-line', text('HTTP/1.1 200 OK', 'no-colon', '', '')],
    ['content-length', text('HTTP/1.1 200 OK', 'Content-Length: 1', 'Content-Length: 2', '', '')],
    ['content-length', text('HTTP/1.1 200 OK', 'Content-Length: -1', '', '')],
    ['content-length', text('HTTP/1.1 200 OK', 'Content-Length:', '', '')],
    [
      'two-framings',
      text('HTTP/1.1 200 OK', 'Content-Length: 1', 'Transfer-Encoding: chunked', '', ''),
    ],
    ['unasked-upgrade', text('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', '', '')],
    ['chunk-size', chunks('x\r\n')],
    ['chunk-size', chunks('\r\n')],
    ['chunk-size', chunks('fffffffffffffffff\r\n')],
    ['chunk-size-line', chunks('1\rx')],
    ['chunk-end', chunks('1\r\nabc')],
    ['chunk-end', chunks('1\r\na\rb')],
    ['chunk-extension', chunks('1;a\nb')],
    ['chunk-overhead', chunks(`1;${'a'.repeat(70_000)}`)],
    ['trailer', chunks('0\r\nA: b\rc')],
    ['bytes-after-response', text('HTTP/1.1 200 OK', 'Content-Length: 1', '', 'ab')],
  ]
  it.each(cases)('are told as %s (%#)', (reason, wire) => {
    expect(parse([wire]).malformed).toBe(reason)
    expect(parse([...wire].map((byte) => Buffer.from([byte]))).malformed).toBe(reason)
  })
})
