import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { downsample, type Point } from '../../harness/report/html/downsample.ts'
import { scaleFor } from '../../harness/report/html/scale.ts'

const value = fc.double({ noNaN: true, noDefaultInfinity: true })
const values = fc.array(value, { minLength: 1, maxLength: 30 })
const kind = fc.constantFrom('linear' as const, 'log' as const, 'auto' as const)

describe('a scale', () => {
  test('puts every value on the axis, in order, with few ticks that lie on it too', () => {
    fc.assert(
      fc.property(values, kind, fc.boolean(), fc.constantFrom(1_000 as const, 1_024 as const), (data, how, exact, base) => {
        const scale = scaleFor(data, { kind: how, ticksMax: 6, exact, base })
        const places = data.toSorted((a, b) => a - b).map((one) => scale.at(one))
        for (const place of [...places, ...scale.ticks.map(scale.at)]) {
          expect(place).toBeGreaterThanOrEqual(-1e-6)
          expect(place).toBeLessThanOrEqual(1 + 1e-6)
        }
        expect(places).toEqual(places.toSorted((a, b) => a - b))
        expect(scale.ticks.length).toBeLessThanOrEqual(21)
      }),
    )
  })

  test('has round ticks', () => {
    expect(scaleFor([0, 947], { kind: 'linear', ticksMax: 6 }).ticks).toEqual([0, 200, 400, 600, 800, 1_000])
    expect(scaleFor([10, 9_000], { kind: 'auto', ticksMax: 6 }).ticks).toEqual([10, 100, 1_000, 10_000])
    const mebi = 1_024 * 1_024
    expect(scaleFor([0, 52e6], { kind: 'linear', ticksMax: 6, base: 1_024 }).ticks).toEqual([0, 10, 20, 30, 40, 50].map((n) => n * mebi))
  })

  test('may hold negative times, and bends where a few are far away', () => {
    const plain = scaleFor([-20, -5, 0, 30], { kind: 'auto', ticksMax: 6 })
    expect([plain.note, plain.ticks]).toEqual(['', [-20, -10, 0, 10, 20, 30]])
    const bent = scaleFor([-3, -2, 1, 2, 3, 4, 9_000], { kind: 'auto', ticksMax: 6 })
    expect(bent.note).toBe('symmetric log scale')
    expect(bent.ticks).toContain(0)
  })

  test('ends where the data ends if it must line up with something', () => {
    const scale = scaleFor([0, 37_400], { kind: 'linear', ticksMax: 6, exact: true })
    expect([scale.at(37_400), scale.ticks.at(-1)]).toEqual([1, 30_000])
  })
})

describe('downsampling', () => {
  test('keeps first and last, order, the limit, and only points that were there', () => {
    const points = fc.array(fc.tuple(fc.integer(), fc.integer()), { maxLength: 400 })
    fc.assert(
      fc.property(points, fc.integer({ min: 3, max: 50 }), (all, most) => {
        const kept = downsample(all, most)
        expect(kept.length).toBe(Math.min(all.length, most))
        expect([kept[0], kept.at(-1)]).toEqual([all[0], all.at(-1)])
        let from = -1
        for (const [x, y] of kept) {
          from = all.findIndex((point, index) => index > from && point[0] === x && point[1] === y)
          expect(from).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })

  test('a single peak among 10,000 points survives', () => {
    const points = Array.from({ length: 10_000 }, (_, index): Point => [index, index === 4_321 ? 99 : 1])
    expect(downsample(points, 100).some(([, y]) => y === 99)).toBe(true)
  })
})
