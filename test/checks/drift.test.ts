/** Planted growth is found, and what only looks like growth is not taken for it: how often, is measured. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DriftSeries, driftOf, hourMs, type DriftKind } from '../../harness/checks/drift.ts'
import { trendOf, type Point } from '../../harness/checks/trend.ts'
import { randomFor, type Random } from '../../harness/seed.ts'

const MiB = 2 ** 20
const limits = { limit: 1024 * MiB, lastsMs: 7 * 24 * hourMs, leastGrowth: 4 * MiB, settlesMs: 240_000 }
const tenMinutes = 600

type Curve = (second: number) => number

function normal(random: Random): number {
  const u = (random.int(2 ** 30) + 1) / 2 ** 30
  return Math.sqrt(-2 * Math.log(u)) * Math.cos((2 * Math.PI * random.int(2 ** 30)) / 2 ** 30)
}

function white(random: Random, mebibytes: number): Curve {
  return () => normal(random) * mebibytes * MiB
}

/** Noise that forgets within `seconds`. */
function sluggish(random: Random, seconds: number, mebibytes: number): Curve {
  const stays = Math.exp(-1 / seconds)
  let value = 0
  return () => (value = stays * value + Math.sqrt(1 - stays * stays) * normal(random) * mebibytes * MiB)
}

/** Up, and down at once: memory between collections of garbage. */
function sawTooth(random: Random, periodMin: number, periodMax: number): Curve {
  const period = periodMin + random.int(periodMax - periodMin)
  const phase = random.int(period)
  return (second) => 20 * MiB * (((second + phase) % period) / period)
}

/** What is asked once a second for so long; `restarts` times the curve begins anew. */
function kindOf(curve: Curve, seconds = tenMinutes, restarts = 0): DriftKind {
  return watched(curve, seconds, restarts).kind
}

function watched(curve: Curve, seconds = tenMinutes, restarts = 0) {
  const series = new DriftSeries()
  const each = Math.ceil(seconds / (restarts + 1))
  for (let second = 0; second < seconds; second += 1) {
    if (second > 0 && second % each === 0) series.restart()
    series.push(second * 1000, 80 * MiB + curve(second % each))
  }
  return driftOf(series.stretches, limits)!
}

/** How many of `windows` clean ones were taken for growth. */
function falseAlarms(windows: number, make: (random: Random) => Curve, seconds = tenMinutes, restarts = 0): number {
  let alarms = 0
  for (let n = 0; n < windows; n += 1) {
    if (kindOf(make(randomFor(n, 'clean')), seconds, restarts) === 'grows') alarms += 1
  }
  return alarms
}

describe('a trend', () => {
  it('of a straight line is its slope, with nothing to doubt', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 4, max: 80 }), (slope, length) => {
        const line = Array.from({ length }, (_, n): Point => [n, 7 + slope * n])
        expect(trendOf([line])).toMatchObject({ slope, level: 7 + (slope * (length - 1)) / 2 })
      }),
    )
  })

  it('is moved by no few outliers, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 59 }), fc.double({ min: -1e12, max: 1e12, noNaN: true })), { maxLength: 8 }), (outliers) => {
        const line = Array.from({ length: 60 }, (_, n): Point => [n, 3 * n])
        for (const [at, value] of outliers) line[at] = [at, value]
        expect(trendOf([line])!.slope).toBeCloseTo(3, 6)
      }),
    )
  })

  it('of values that never change is none, for certain', () => {
    expect(trendOf([Array.from({ length: 50 }, (_, n): Point => [n, 12])])).toMatchObject({ slope: 0, low: 0, high: 0 })
  })

  it('is not told from three points', () => {
    expect(trendOf([[[0, 1], [1, 2], [2, 3]]])).toBeNull()
  })

  it('is taken within stretches: a step between two of them is none', () => {
    const flat = (level: number, from: number) => Array.from({ length: 20 }, (_, n): Point => [from + n, level])
    expect(trendOf([flat(10, 0), flat(900, 20)])!.slope).toBe(0)
  })

  it('holds the true slope in 95 of 100 intervals, give or take', () => {
    let held = 0
    for (let n = 0; n < 400; n += 1) {
      const noise = white(randomFor(n, 'interval'), 1)
      const { low, high } = trendOf([Array.from({ length: 40 }, (_, at): Point => [at, 5 * MiB * at + noise(at)])])!
      if (low <= 5 * MiB && 5 * MiB <= high) held += 1
    }
    expect(held).toBeGreaterThan(400 * 0.92)
  })
})

describe('ten minutes with a leak of 1 MiB a minute', () => {
  it('are found to grow, as fast as they do', () => {
    const noise = white(randomFor(1, 'leak'), 2)
    const drift = watched((second) => (MiB * second) / 60 + noise(second))
    expect(drift.kind).toBe('grows')
    expect(drift.lowPerHour).toBeLessThan(60 * MiB)
    expect(drift.highPerHour).toBeGreaterThan(60 * MiB)
    expect(drift.lastsMs! / hourMs).toBeCloseTo((1024 - drift.level / MiB) / (drift.perHour / MiB), 1)
  })

  it.each([0, 1])('are found in 95 of 100 with %i restarts', (restarts) => {
    let found = 0
    for (let n = 0; n < 200; n += 1) {
      const noise = white(randomFor(n, 'leaks'), 1)
      if (kindOf((second) => (MiB * second) / 60 + noise(second), tenMinutes, restarts) === 'grows') found += 1
    }
    expect(found).toBeGreaterThanOrEqual(190)
  })
})

/**
 * Clean windows of ten minutes, 1,000 of each kind. The last kinds cannot be told from growth within
 * ten minutes; that they alarm seldom is all that is promised of them.
 */
describe('of clean windows', () => {
  it.each<[string, (random: Random) => Curve, number, number]>([
    ['plain noise', (random) => white(random, 2), 0, 0],
    ['plain noise with a restart', (random) => white(random, 2), 1, 0],
    ['noise that lasts 5 s', (random) => sluggish(random, 5, 2), 0, 2],
    ['noise that lasts 30 s', (random) => sluggish(random, 30, 2), 0, 6],
    ['a saw-tooth of 15 to 25 s', (random) => sawTooth(random, 15, 25), 0, 2],
    ['a saw-tooth of 50 to 90 s with a restart', (random) => sawTooth(random, 50, 90), 1, 2],
    ['a saw-tooth of 2 to 4 min', (random) => sawTooth(random, 120, 240), 0, 2],
    ['noise that lasts 100 s', (random) => sluggish(random, 100, 2), 0, 15],
  ])('%s: hardly any is taken for growth', (_name, make, restarts, alarmsMax) => {
    expect(falseAlarms(1_000, make, tenMinutes, restarts)).toBeLessThanOrEqual(alarmsMax)
  })

  it.each([30, 60, 150, 400])('a start that warms up with %i s is never taken for growth', (seconds) => {
    const warming = (random: Random): Curve => {
      const noise = white(random, 1)
      return (second) => -50 * MiB * Math.exp(-second / seconds) + noise(second)
    }
    expect(falseAlarms(200, warming)).toBe(0)
  })

  it('a step to a new level and no further is not taken for growth', () => {
    const stepping = (random: Random): Curve => {
      const noise = white(random, 1)
      const at = 200 + random.int(300)
      return (second) => (second > at ? 6 * MiB : 0) + noise(second)
    }
    expect(falseAlarms(300, stepping)).toBe(0)
  })
})

describe('what is said', () => {
  it('of a run too short to tell is how long it would need', () => {
    const noise = white(randomFor(3, 'short'), 10)
    const drift = watched(noise, 120)
    expect(drift.kind).toBe('too-short')
    expect(drift.neededMs).toBeGreaterThan(180_000)
    expect(kindOf(noise, Math.ceil((2 * drift.neededMs!) / 1000))).toBe('holds')
  })

  it('of hardly any values is nothing', () => {
    const series = new DriftSeries()
    series.push(0, 1)
    expect(driftOf(series.stretches, limits)).toBeNull()
  })

  it('of growth that no restart takes back is growth, though each stretch is flat', () => {
    const series = new DriftSeries()
    const noise = white(randomFor(4, 'steps'), 0.5)
    for (let second = 0; second < 6_000; second += 1) {
      const start = Math.floor(second / 600)
      if (second > 0 && second % 600 === 0) series.restart()
      series.push(second * 1000, 80 * MiB + start * 5 * MiB + noise(second))
    }
    const drift = driftOf(series.stretches, limits)!
    expect(drift.kind).toBe('grows')
    expect(drift.acrossPerHour! / MiB).toBeCloseTo(30, -1)
  })
})

it('a series of any length keeps few blocks, and its mean', () => {
  const series = new DriftSeries()
  for (let second = 0; second < 50_000; second += 1) series.push(second * 1000, second % 10)
  const [blocks] = series.stretches
  expect(blocks!.length).toBeLessThanOrEqual(600)
  expect(blocks!.length).toBeGreaterThan(290)
  for (const [, mean] of blocks!.slice(0, -1)) expect(mean).toBeCloseTo(4.5, 0)
})
