/** Nights made from one real run by changing single things in it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { figuresOf, type Figure } from '../../harness/report/night-figures.ts'
import { medianOf } from '../../harness/report/median.ts'
import { compareNight, moveOf, nightLines, nightMarkdown, nightsMin } from '../../harness/report/nights.ts'
import { randomFor } from '../../harness/seed.ts'
import type { CheckResult, Result } from '../../harness/report/result.ts'
import { arbitraryResult } from './arbitrary-result.ts'
import { outsideOfCode } from './outside-of-code.ts'
import { doubled, sampleThatDoubled } from './sample-that-doubled.ts'

const sample = sampleThatDoubled()

const random = randomFor(7, 'nights')
const uniform = () => random.int(2 ** 30) / 2 ** 30
/** Of mean 0 and deviation 1 (Box and Muller). */
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())

/** The nth night, with its checks changed by their ids. */
function night(n: number, checks: Record<string, Partial<CheckResult>> = {}, more: Partial<Result> = {}): Result {
  const day = String(n).padStart(2, '0')
  const scenarios = sample.scenarios.map((scenario) => ({ ...scenario, checks: scenario.checks.map((check) => ({ ...check, ...checks[check.id] })) }))
  const red = new Set(scenarios.flatMap((scenario) => scenario.checks.filter(({ verdict }) => verdict === 'fail').flatMap(({ rows }) => rows)))
  const checklist = sample.checklist.map((row) => (row.verdict === 'fail' && !red.has(row.id) ? { ...row, verdict: 'unknown' as const } : row))
  return { ...sample, checklist, runId: `2026-01-${day}T02-17-00-00${day}`, startedAt: `2026-01-${day}T02:17:00.000Z`, scenarios, ...more }
}

const mended: Record<string, Partial<CheckResult>> = { 'nothing-is-twice': { verdict: 'pass' }, 'disk-comes-back': { verdict: 'pass' } }
const twice = `${doubled} of kill-under-load`
const disk = 'disk-comes-back/kept/ttl/expiry/origin of expired-streams-free-their-disk'

const keys = (standings: { failure: { fingerprint: string; scenario: string } }[]) => standings.map(({ failure }) => `${failure.fingerprint} of ${failure.scenario}`)

describe('a night beside those before', () => {
  test('new is what the night before had not, and still failing what it had', () => {
    const compared = compareNight(night(3), [night(2, { 'nothing-is-twice': { verdict: 'pass' } }), night(1)])
    expect(keys(compared.fresh)).toEqual([twice])
    expect(compared.fresh[0]).toMatchObject({ nights: 1, earlier: 1 })
    expect(keys(compared.stillFailing)).toEqual([disk])
    expect(compared.stillFailing[0]).toMatchObject({ nights: 3, since: night(1).startedAt })
    expect(nightLines(compared).join('\n')).toContain('It was there before, in 1 night of those that are kept, but not in the last.')
  })

  test('fixed is only what was seen to pass; what nobody looked at is told apart', () => {
    expect(compareNight(night(2, mended), [night(1)])).toMatchObject({ fixed: [{ scenario: 'kill-under-load' }, { scenario: 'expired-streams-free-their-disk' }], notSeen: [] })
    const unknown = compareNight(night(2, { ...mended, 'nothing-is-twice': { verdict: 'unknown' } }), [night(1)])
    expect(unknown.fixed.map(({ scenario }) => scenario)).toEqual(['expired-streams-free-their-disk'])
    expect(unknown.notSeen.map(({ scenario }) => scenario)).toEqual(['kill-under-load'])
    const notRun = compareNight(night(2, Object.fromEntries(Object.keys(mended).map((id) => [id, { verdict: 'unknown' }])), { scenarios: [] }), [night(1)])
    expect(notRun).toMatchObject({ fixed: [], fresh: [], stillFailing: [] })
    expect(notRun.notSeen).toHaveLength(2)
  })

  test('another subject, cache or profile, a later night and the same one are no nights before', () => {
    const others = [night(1, mended, { profile: 'full' }), night(1, mended, { subject: { ...sample.subject, kind: 'production' } }), night(1, mended, { options: { ...sample.options, edge: 'nginx' } }), night(9, mended), night(3, mended)]
    expect(compareNight(night(3), others)).toMatchObject({ previous: null, drift: { state: 'too-few', nights: 0 } })
    expect(nightLines(compareNight(night(3), others))).toContain('Failing; without a night before nobody can say what is new')
  })

  test('another server version is told, and compared all the same', () => {
    const older = night(1, {}, { subject: { ...sample.subject, version: '0.3.6' } })
    expect(compareNight(night(2), [older]).differently).toEqual([`server: ${sample.subject.version}; before 0.3.6`])
  })

  test('figures need five nights that were measured alike, and say so', () => {
    const four = [1, 2, 3, 4].map((n) => night(n))
    expect(nightLines(compareNight(night(9), four)).at(-1)).toBe('Figures are not compared: 4 comparable nights are kept (same series, runtime, kind of host and sizes), and 5 are needed.')
    for (const otherwise of [{ runtime: 'containers' as const }, { host: { ...sample.host, cores: 64 } }, { host: { ...sample.host, memoryBytes: 1 } }, { options: { ...sample.options, readers: 7 } }]) {
      expect(compareNight(night(9), [...four, night(5, {}, otherwise)]).drift).toEqual({ state: 'too-few', nights: 4 })
    }
    const five = compareNight(night(9), [...four, night(5)])
    expect(five.drift).toMatchObject({ state: 'compared', nights: 5, moved: [] })
    expect(nightLines(five).at(-1)).toMatch(/^\d+ figures compared with the median of 5 nights: none moved\.$/)
  })

  test('only the last fourteen count', () => {
    expect(compareNight(night(28), Array.from({ length: 20 }, (_, n) => night(n + 1))).drift).toMatchObject({ nights: 14 })
  })

  test('a start that takes three times as long is found, and what is better is not called worse', () => {
    const slower = (factor: number, n: number): Result => {
      const scenarios = sample.scenarios.map((one) => ({ ...one, measurements: { ...one.measurements, ...(one.measurements.readiness ? { readiness: one.measurements.readiness.map((start) => ({ ...start, readyMs: start.readyMs * factor })) } : {}) } }))
      return night(n, {}, { scenarios })
    }
    const before = [1, 1.04, 0.97, 1.02, 0.99, 1.01].map((factor, n) => slower(factor, n + 1))
    const worse = compareNight(slower(3, 9), before).drift
    const better = compareNight(slower(0.3, 9), before).drift
    if (worse.state !== 'compared' || better.state !== 'compared') throw new Error('They were not compared.')
    expect(worse.moved.length).toBeGreaterThan(0)
    expect(worse.moved.every((move) => move.worse && move.figure.title.includes('ready'))).toBe(true)
    expect(better.moved.length).toBeGreaterThan(0)
    expect(better.moved.some((move) => move.worse)).toBe(false)
    expect(nightMarkdown(compareNight(slower(3, 9), before))).toContain('### Figures that became worse, against the median of 6 nights')
  })

  test('of any results holds no HTML and mentions nobody', () => {
    fc.assert(
      fc.property(arbitraryResult, arbitraryResult, (a, b) => {
        const text = nightMarkdown(compareNight({ ...a, startedAt: '2026-01-02T00:00:00Z', runId: 'b' }, [{ ...b, profile: a.profile, subject: { ...b.subject, kind: a.subject.kind }, options: a.options, startedAt: '2026-01-01T00:00:00Z', runId: 'a' }]))
        expect(outsideOfCode(text)).not.toMatch(/<|@\w/)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a figure has moved', () => {
  const figure = (value: number, more: Partial<Figure> = {}): Figure => ({ id: 'a', scenario: 's', title: 't', unit: 'ms', value, better: 'lower', ...more })

  test.each<[string, Figure, number[], 'worse' | 'better' | null]>([
    ['far beyond noise', figure(200), [100, 102, 98, 101, 99], 'worse'],
    ['one step inside of fifteen percent', figure(114), [100, 100, 100, 100, 100], null],
    ['one step beyond it', figure(116), [100, 100, 100, 100, 100], 'worse'],
    ['not where one of those nights saw as much', figure(200), [100, 102, 200, 101, 99], null],
    ['not within half of how far those nights lay apart', figure(145), [100, 100, 130, 100, 100], null],
    ['one step beyond that', figure(146), [100, 100, 130, 100, 100], 'worse'],
    ['not within five deviations', figure(173), [80, 90, 100, 110, 120], null],
    ['one step beyond them', figure(175), [80, 90, 100, 110, 120], 'worse'],
    ['not by a few milliseconds', figure(5), [1, 1, 1, 1, 1], null],
    ['by one request more', figure(2, { unit: 'count' }), [1, 1, 1, 1, 1], 'worse'],
    ['upwards, where more is better', figure(2_000, { unit: 'per second', better: 'higher' }), [1_000, 1_010, 990, 1_005, 995], 'better'],
    ['downwards, where more is better', figure(500, { unit: 'per second', better: 'higher' }), [1_000, 1_010, 990, 1_005, 995], 'worse'],
  ])('%s', (_name, one, before, expected) => {
    const move = moveOf(one, before)
    expect(move === null ? null : move.worse ? 'worse' : 'better').toBe(expected)
  })

  test('seldom by noise alone, and surely by half as much again', () => {
    const kinds: Record<string, () => number> = {
      normal: () => 100 * (1 + 0.05 * normal()),
      'log-normal': () => 100 * Math.exp(0.2 * normal()),
      'one night in eight twice as slow': () => 100 * (1 + 0.05 * normal()) * (uniform() < 1 / 8 ? 2 : 1),
    }
    const rounds = 6_000
    const nights = (n: number, draw: () => number) => Array.from({ length: n }, draw)
    const alarms = (n: number, draw: () => number) => nights(rounds, () => (moveOf(figure(draw()), nights(n, draw)) === null ? 0 : 1)).reduce((sum, one) => sum + one, 0) / rounds
    for (const name of ['normal', 'log-normal']) {
      expect(alarms(14, kinds[name]!), name).toBeLessThan(0.006)
      expect(alarms(5, kinds[name]!), name).toBeLessThan(0.05)
    }
    // A heavy tail is no noise to this rule: what is so one night in eight is told some of the time.
    expect(alarms(14, kinds['one night in eight twice as slow']!)).toBeLessThan(0.03)
    const found = (factor: number) => nights(rounds, () => (moveOf(figure(factor * kinds['normal']!()), nights(14, kinds['normal']!))?.worse === true ? 1 : 0)).reduce((sum, one) => sum + one, 0) / rounds
    expect(found(1.5)).toBeGreaterThan(0.97)
    expect(found(1.3)).toBeGreaterThan(0.65)
  })

  test('the median', () => {
    expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3]), medianOf([7])]).toEqual([2, 2.5, 7])
    expect(nightsMin).toBe(5)
  })
})

describe('the figures of a run', () => {
  test('are there for each kind that its sentences tell of, under ids that stay', () => {
    const ids = figuresOf(sample).map(({ id }) => id.split('/')[1])
    expect([...new Set(ids)].toSorted()).toEqual(['disk', 'durability', 'fan-out', 'passage', 'readiness'])
    expect(figuresOf(sample).map(({ id }) => id)).toEqual(figuresOf(night(2)).map(({ id }) => id))
  })

  test('of a scenario that was not judged to the end are none', () => {
    expect(figuresOf({ scenarios: sample.scenarios.map((one) => ({ ...one, verdict: 'unknown' as const })) })).toEqual([])
  })

  test('are numbers, and named once, for any result', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const figures = figuresOf(result)
        for (const { value } of figures) expect(Number.isFinite(value)).toBe(true)
        expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length)
      }),
      { numRuns: 30 },
    )
  })
})
