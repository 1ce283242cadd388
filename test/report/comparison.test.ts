/** Two results side by side: made from one real run by changing one thing in it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { comparisonLines, compareResults } from '../../harness/report/comparison.ts'
import { result as resultSchema, type CheckResult, type Result } from '../../harness/report/result.ts'
import file from '../../reports/sample/result.json' with { type: 'json' }
import { arbitraryResult } from './arbitrary-result.ts'

const sample = resultSchema.parse(file)

/** The sample with its first check of the first scenario changed. */
function changed(change: Partial<CheckResult>, more: Partial<Result> = {}): Result {
  const [first, ...others] = sample.scenarios
  const [check, ...checks] = first!.checks
  return { ...sample, ...more, scenarios: [{ ...first!, checks: [{ ...check!, ...change }, ...checks] }, ...others] }
}

const passes = changed({ verdict: 'pass' })
const fails = changed({ verdict: 'fail', because: 'It broke.' })

describe('a comparison', () => {
  test('of a run with itself finds nothing but what fails in both', () => {
    const { broken, fixed, otherwise, figures, differently } = compareResults(sample, sample)
    expect({ broken, fixed, otherwise, figures, differently }).toEqual({ broken: [], fixed: [], otherwise: [], figures: [], differently: [] })
    expect(comparisonLines(compareResults(sample, sample))).toContain('Nothing is red that was not red before.')
  })

  test('tells what broke from what was fixed, and from what still fails', () => {
    const id = sample.scenarios[0]!.checks[0]!.id
    expect(compareResults(passes, fails).broken).toMatchObject([{ check: id, before: 'pass', now: 'fail', because: 'It broke.' }])
    expect(compareResults(fails, passes).fixed).toMatchObject([{ check: id, before: 'fail', now: 'pass' }])
    expect(compareResults(fails, fails).stillFailing.map(({ because }) => because)).toContain('It broke.')
  })

  test('does not call unknown a fix', () => {
    const { fixed, otherwise } = compareResults(fails, changed({ verdict: 'unknown' }))
    expect(fixed).toEqual([])
    expect(otherwise).toMatchObject([{ before: 'fail', now: 'unknown' }])
  })

  test('lists what was asked in one run only', () => {
    const { otherwise } = compareResults({ ...sample, scenarios: [] }, sample)
    expect(otherwise.every(({ before }) => before === null)).toBe(true)
    const failing = sample.scenarios.flatMap(({ checks }) => checks).filter(({ verdict }) => verdict === 'fail')
    expect(compareResults({ ...sample, scenarios: [] }, sample).broken).toHaveLength(failing.length)
  })

  test.each([
    ['a time within the noise', 100, 150, 'ms', 0],
    ['a time beyond it', 100, 151, 'ms', 1],
    ['a rate beyond it', 900, 400, 'appends/s', 1],
    ['a count that is the same', 3, 3, 'upstream requests', 0],
    ['a count that is not', 1, 2, 'upstream requests', 1],
    ['a time that was nothing', 0, 1, 'ms', 1],
  ])('of figures: %s', (_name, before, now, unit, expected) => {
    const { figures } = compareResults(changed({ value: before, unit }), changed({ value: now, unit }))
    expect(figures).toHaveLength(expected)
  })

  test('names what differed to begin with', () => {
    expect(compareResults(sample, { ...sample, seed: sample.seed + 1, profile: 'full' }).differently).toEqual([
      `profile: ${sample.profile}, now full`,
      `seed: ${sample.seed}, now ${sample.seed + 1}`,
    ])
  })

  test('of any two results is text that cannot act on a terminal', () => {
    fc.assert(
      fc.property(arbitraryResult, arbitraryResult, (before, now) => {
        for (const line of comparisonLines(compareResults(before, now))) expect(line).not.toMatch(/\p{Cc}/u)
      }),
      { numRuns: 30 },
    )
  })
})
