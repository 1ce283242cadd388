/** Several runs of the same scenarios: what is counted, and what is called unstable. */
import { describe, expect, test } from 'vitest'
import { exitCodes } from '../../harness/errors.ts'
import { failedScenarios, repetitionsOf, repetitionTable } from '../../harness/report/repetitions.ts'
import { result, type Result } from '../../harness/report/result.ts'
import type { VerdictKind } from '../../harness/verdict.ts'
import file from '../../reports/sample/result.json' with { type: 'json' }

const sample = result.parse(file)

/** A real run of two scenarios, with these verdicts instead of its own. */
function run(runId: string, verdicts: [VerdictKind, VerdictKind], exitCode: number = exitCodes.unknown): Result {
  const scenarios = sample.scenarios.slice(0, 2).map((scenario, index) => {
    const verdict = verdicts[index]!
    return { ...scenario, verdict, because: `${runId} said so.`, checks: scenario.checks.slice(0, 1).map((check) => ({ ...check, verdict, because: `${runId} saw it.` })) }
  })
  return { ...sample, runId, exitCode, scenarios }
}

const [first, second] = sample.scenarios.map(({ id }) => id) as [string, string]

describe('repetitions', () => {
  test('are counted by scenario, with the first reason', () => {
    const { scenarios } = repetitionsOf([run('a', ['pass', 'pass']), run('b', ['pass', 'fail']), run('c', ['pass', 'unknown'])])
    expect(scenarios).toEqual([
      { id: first, counts: { pass: 3, fail: 0, unknown: 0, 'not-applicable': 0 } },
      { id: second, counts: { pass: 1, fail: 1, unknown: 1, 'not-applicable': 0 }, because: 'b said so.', runId: 'b' },
    ])
  })

  test('name the checks that did not always end the same way, and only those', () => {
    const always = repetitionsOf([run('a', ['fail', 'pass']), run('b', ['fail', 'pass'])])
    expect(always.unstable).toEqual([])
    expect(repetitionTable(always).join('\n')).toContain('Every check ended the same way in every run.')
    const mixed = repetitionsOf([run('a', ['fail', 'pass']), run('b', ['fail', 'fail'])])
    expect(mixed.unstable.map(({ id }) => id.split('/')[0])).toEqual([second])
    expect(repetitionTable(mixed).join('\n')).toMatch(/1 pass, 1 fail; first in b: b saw it\./)
  })

  test.each([
    ['not ready before unknown', [exitCodes.unknown, exitCodes.notReady, exitCodes.ready], exitCodes.notReady],
    ['unknown before ready', [exitCodes.ready, exitCodes.unknown], exitCodes.unknown],
    ['ready where all are', [exitCodes.ready, exitCodes.ready], exitCodes.ready],
    ['an interruption before all', [exitCodes.notReady, exitCodes.interrupted], exitCodes.interrupted],
  ])('end with the worst code: %s', (_name, codes, expected) => {
    expect(repetitionsOf(codes.map((code, index) => run(String(index), ['pass', 'pass'], code))).exitCode).toBe(expected)
  })

  test('run again what failed or stayed unknown', () => {
    expect(failedScenarios(run('a', ['not-applicable', 'unknown']))).toEqual([second])
    expect(failedScenarios(run('a', ['fail', 'pass']))).toEqual([first])
  })
})
