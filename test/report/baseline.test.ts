/** The candidate beside its baseline: results made from one real run by changing one thing in it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { besideBaseline, besideBaselineLines, figuresSentence, type Change } from '../../harness/report/baseline.ts'
import { baselinePage } from '../../harness/report/baseline-page.ts'
import { figuresOf } from '../../harness/report/compared-figures.ts'
import { pairedRatio, tQuantile } from '../../harness/report/paired-ratio.ts'
import { result as resultSchema, type CheckResult, type Result } from '../../harness/report/result.ts'
import file from '../../reports/sample/result.json' with { type: 'json' }
import { arbitraryResult } from './arbitrary-result.ts'

const sample = resultSchema.parse(file)

/** One scenario with one check, changed. */
function run(change: Partial<CheckResult>, more: Partial<Result> = {}): Result {
  const first = sample.scenarios[0]!
  const { fingerprint: _own, ...check } = first.checks[0]!
  return { ...sample, ...more, scenarios: [{ ...first, measurements: {}, checks: [{ ...check, ...change }] }] }
}

const passes = run({ verdict: 'pass' })
const fails = run({ verdict: 'fail', fingerprint: 'c/lost/any/none/origin', because: 'It broke.' })
const failsOtherwise = run({ verdict: 'fail', fingerprint: 'c/torn/any/none/origin', because: 'It tore.' })
const unknown = run({ verdict: 'unknown' })

describe('a check of both sides', () => {
  test.each<[string, Result[], Result[], Change]>([
    ['that fails in the candidate alone is new', [passes, passes], [fails, fails], 'new-failure'],
    ['is new also where it fails seldom: correctness is never averaged', [passes, passes], [passes, fails], 'new-failure'],
    ['that fails in both is told as such', [fails, passes], [fails, fails], 'also-in-the-baseline'],
    ['that fails otherwise there is new', [failsOtherwise], [fails], 'new-failure'],
    ['that failed and passes in every run is fixed', [fails, passes], [passes, passes], 'fixed'],
    ['that could not be judged is not called fixed', [fails], [unknown], 'otherwise'],
    ['that passes in both is the same', [passes], [passes], 'same'],
  ])('%s', (_name, baseline, candidate, change) => {
    expect(besideBaseline(baseline, candidate).checks.map((one) => one.change)).toEqual([change])
  })

  test('stands in the lines with how often it failed on each side', () => {
    const text = besideBaselineLines(besideBaseline([passes, passes, passes], [fails, passes, passes])).join('\n')
    expect(text).toMatch(/Fails in the candidate, and was not seen in the baseline\n {2}\S+ of \S+: candidate 1 failed, 2 passed; baseline 3 passed: It broke\./)
    expect(besideBaselineLines(besideBaseline([fails], [fails])).join('\n')).toMatch(/Nothing fails in the candidate that did not fail in the baseline as well\.\n\nAlso in the baseline\n/)
  })
})

describe('a figure of both sides', () => {
  const timed = (values: number[], unit = 'ms') => values.map((value) => run({ verdict: 'pass', value, unit }))
  const moved = (before: number[], now: number[], unit = 'ms') => besideBaseline(timed(before, unit), timed(now, unit)).figures.map((figure) => figure.moved)

  test('is said to have moved only beyond the noise of its own rounds', () => {
    expect(moved([100, 102, 99], [200, 205, 197])).toEqual(['worse'])
    expect(moved([100, 102, 99], [50, 51, 50])).toEqual(['better'])
    expect(moved([900, 910, 905], [400, 410, 402], 'appends/s')).toEqual(['worse'])
    expect(moved([100, 180, 60], [150, 90, 240])).toEqual([null])
  })

  test('is not said to have moved by less than anybody would act on, or in one round', () => {
    expect(moved([100, 100.1, 100], [102, 102.1, 102])).toEqual([null])
    expect(moved([100], [900])).toEqual([null])
    expect(figuresSentence(besideBaseline(timed([100]), timed([900])))).toMatch(/No claim is made of figures from one round \(1 measured\)/)
  })

  test('is a ratio or nothing: zero, counts, and what one side lacks are not', () => {
    expect(moved([0, 1, 2], [5, 6, 7])).toEqual([null])
    expect(moved([1, 1, 1], [9, 9, 9], 'upstream requests')).toEqual([])
    expect(besideBaseline(timed([1, 2]), [passes, passes]).figures).toEqual([])
  })

  test('of the same server claims nothing in 19 of 20 comparisons, however many figures there are', () => {
    const figures = 30
    const random = lcg(7)
    const noisy = () => 100 * Math.exp((random() + random() + random() - 1.5) * 0.3)
    const one = (): Result => ({ ...passes, scenarios: Array.from({ length: figures }, (_, n) => ({ ...passes.scenarios[0]!, id: `s${n}`, checks: [{ ...passes.scenarios[0]!.checks[0]!, value: noisy(), unit: 'ms' }] })) })
    const comparisons = Array.from({ length: 200 }, () => besideBaseline([one(), one(), one(), one()], [one(), one(), one(), one()]))
    const wrong = comparisons.filter((compared) => compared.figures.some((figure) => figure.moved !== null)).length
    expect(comparisons[0]!.figures).toHaveLength(figures)
    expect(wrong / comparisons.length).toBeLessThanOrEqual(0.08)
  })

  test('is named once, wherever it comes from', () => {
    const ids = figuresOf(sample).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBeGreaterThan(5)
  })
})

/** Numbers from 0 to 1, the same in every run. */
function lcg(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32
}

describe('the interval of a ratio', () => {
  test.each([
    [0.975, 1, 12.706],
    [0.975, 2, 4.303],
    [0.975, 4, 2.776],
    [0.995, 5, 4.032],
    [0.975, 30, 2.042],
  ])('takes the quantile %s of t with %i degrees from the tables', (probability, degrees, value) => expect(tQuantile(probability, degrees)).toBeCloseTo(value, 3))

  test('holds the true one in 19 of 20', () => {
    const random = lcg(11)
    const noisy = (centre: number) => centre * Math.exp((random() + random() + random() - 1.5) * 0.2)
    const held = Array.from({ length: 1_000 }, () => pairedRatio([noisy(1), noisy(1), noisy(1)], [noisy(1.3), noisy(1.3), noisy(1.3)], 0.95)!).filter(({ low, high }) => low <= 1.3 && high >= 1.3)
    expect(held.length / 1_000).toBeGreaterThan(0.92)
    expect(held.length / 1_000).toBeLessThan(0.98)
  })
})

describe('the page', () => {
  test('says whose the verdict is, and holds both sides', () => {
    const page = baselinePage(besideBaseline([passes], [{ ...fails, runId: 'candidates-run' }]), { ...fails, verdict: 'not-ready', because: '1 required row failed: x.' })
    for (const words of ['Not ready', '1 required row failed: x.', 'href="../candidates-run/report.html"', `href="../candidates-run/baseline/${passes.runId}/report.html"`, "The verdict is the candidate's alone.", 'Fails in the candidate, and was not seen in the baseline', 'candidates-run', 'It broke.']) {
      expect(page.replaceAll('&#39;', "'")).toContain(words)
    }
  })

  test('of any two results is one that cannot act, in lines as well', () => {
    fc.assert(
      fc.property(arbitraryResult, arbitraryResult, (before, now) => {
        const compared = besideBaseline([before, before], [now, now])
        for (const line of besideBaselineLines(compared)) expect(line).not.toMatch(/\p{Cc}/u)
        expect(baselinePage(compared, now)).not.toMatch(/<script/i)
      }),
      { numRuns: 20 },
    )
  })
})
