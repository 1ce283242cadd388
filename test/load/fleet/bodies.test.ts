import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bodies } from '../../../harness/load/fleet/bodies.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('hashes of bodies', () => {
  it('are those of what each reader received, in whatever order they received it', () => {
    // Few different bytes, so that readers agree for a while and part at arbitrary places.
    const piece = fc.tuple(fc.nat({ max: 5 }), fc.array(fc.constantFrom(97, 98), { maxLength: 6 }))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (all, n) => {
        const bodies = new Bodies(6, n)
        const received = Array.from({ length: 6 }, () => Buffer.alloc(0))
        for (const [reader, bytes] of all) {
          const shared = Buffer.from([1, ...bytes, 2])
          bodies.push(reader, shared, 1, 1 + bytes.length)
          received[reader] = Buffer.concat([received[reader]!, Buffer.from(bytes)])
        }
        received.forEach((bytes, reader) => {
          expect(bodies.bytes[reader]).toBe(bytes.length)
          expect(bodies.hashes.values[bodies.finish(reader)]).toBe(sha256(bytes))
        })
      }),
      { numRuns: 500 },
    )
  })

  it('see one different byte among equal bodies, whatever its place', () => {
    const right = Buffer.alloc(1_000, 'a')
    for (const place of [0, 499, 999]) {
      const bodies = new Bodies(3, 1)
      const wrong = Buffer.from(right)
      wrong[place] = 0
      const of = [right, wrong, right]
      of.forEach((bytes, reader) => bodies.push(reader, bytes, 0, bytes.length))
      const hashes = of.map((_, reader) => bodies.hashes.values[bodies.finish(reader)])
      expect(hashes).toEqual(of.map(sha256))
    }
  })

  it('go on beyond what is kept for comparison', () => {
    const bodies = new Bodies(2, 1)
    const chunk = Buffer.alloc(300_000, 'xyz')
    const whole = Buffer.concat(Array.from({ length: 12 }, () => chunk))
    for (let i = 0; i < 12; i++) {
      bodies.push(0, chunk, 0, chunk.length)
      bodies.push(1, chunk, 0, chunk.length)
    }
    expect(bodies.hashes.values[bodies.finish(0)]).toBe(sha256(whole))
    expect(bodies.finish(1)).toBe(0)
    expect(bodies.hashes.values).toHaveLength(1)
  })
})
