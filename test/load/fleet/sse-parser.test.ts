import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SseParser } from '../../../harness/load/fleet/sse-parser.ts'
import { cut } from './raw-server.ts'

type Told = { type: string; data: string }

function parse(pieces: readonly Buffer[]): { events: Told[]; withinEvent: boolean } {
  const events: Told[] = []
  const parser = new SseParser(2, {
    event: (reader, type, data) => {
      expect(reader).toBe(1)
      events.push({ type, data: data.toString() })
    },
    malformed: (_reader, reason) => {
      throw new Error(reason)
    },
  })
  for (const piece of pieces) {
    const shared = Buffer.concat([Buffer.from('data: not mine\n\n'), piece, Buffer.from('\n\n')])
    parser.push(1, shared, 16, 16 + piece.length)
  }
  return { events, withinEvent: parser.isWithinEvent(1) }
}

/** Lines of data hold anything but line ends. */
const line = fc.string({ unit: 'binary', maxLength: 60 }).map((s) => s.replaceAll(/[\r\n]/g, '|'))
const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
const noise = fc.constantFrom('', ': a comment', 'id: 7', 'retry: 100', 'database: x', 'x', ':')

const event = fc
  .record({
    type: fc.constantFrom('data', 'control', 'other', undefined),
    lines: fc.array(line, { minLength: 1, maxLength: 5 }),
    blank: fc.boolean(),
    noise,
    typeLast: fc.boolean(),
    end: lineEnd,
  })
  .map(({ type, lines, blank, noise, typeLast, end }) => {
    const data = lines.map((l) => (blank || l.startsWith(' ') ? `data: ${l}` : `data:${l}`))
    const types = type === undefined ? [] : [`event: ${type}`]
    const other = noise === '' ? [] : [noise]
    const all = typeLast ? [...data, ...other, ...types] : [...types, ...other, ...data]
    return {
      wire: all.map((l) => l + end).join('') + end,
      told: { type: type ?? 'message', data: lines.join('\n') },
    }
  })

describe('an event stream in pieces', () => {
  it('tells the same events wherever it is cut and however its lines end', () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 20 }),
        (events, mark, places) => {
          const wire = Buffer.from((mark ? '\ufeff' : '') + events.map((e) => e.wire).join(''))
          const told = events.map((e) => e.told)
          expect(parse(cut(wire, places)).events).toEqual(told)
          expect(parse([...wire].map((byte) => Buffer.from([byte]))).events).toEqual(told)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('tells each of several readers its own events, when their pieces are mostly equal', () => {
    const data = (n: number) => `event: data\ndata: ${n}\n\n`
    const whole = [data(1), data(2), 'event: control\ndata: {}\n\n', data(1) + data(2)]
    const some = fc.constantFrom(...whole, 'event: da', 'ta\ndata: 3\n\n', '\r', '\n')
    const read = fc.tuple(fc.nat({ max: 3 }), some)
    fc.assert(
      fc.property(fc.array(read, { maxLength: 60 }), (reads) => {
        const told: Told[][] = [[], [], [], []]
        const wires = ['', '', '', '']
        const parser = new SseParser(4, {
          event: (reader, type, data) => void told[reader]!.push({ type, data: data.toString() }),
          malformed: (_reader, reason) => expect.unreachable(reason),
        })
        for (const [reader, text] of reads) {
          wires[reader] += text
          parser.push(reader, Buffer.from(text), 0, text.length)
        }
        wires.forEach((wire, reader) => {
          expect(told[reader]).toEqual(parse([Buffer.from(wire)]).events)
        })
      }),
      { numRuns: 500 },
    )
  })

  it('does not tell an event before the empty line that ends it', () => {
    fc.assert(
      fc.property(event, fc.nat(), ({ wire, told }, place) => {
        const bytes = Buffer.from(wire.replaceAll('\r\n', '\n'))
        const length = 1 + (place % (bytes.length - 1))
        expect(parse([bytes.subarray(0, length)])).toEqual({ events: [], withinEvent: true })
        expect(parse(cut(bytes, [length]))).toEqual({ events: [told], withinEvent: false })
      }),
    )
  })

  it('tells an event with an empty data line, and none without', () => {
    expect(parse([Buffer.from('event: data\ndata:\n\n')]).events).toEqual([
      { type: 'data', data: '' },
    ])
    expect(parse([Buffer.from('event: data\n\n: ping\n\n\n\n')]).events).toEqual([])
  })
})
