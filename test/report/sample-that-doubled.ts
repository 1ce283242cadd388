/** The sample with one failure that is always the same: which kind of stream showed it on the day it was made is luck. */
import { result as resultSchema, type Result } from '../../harness/report/result.ts'
import file from '../../reports/sample/result.json' with { type: 'json' }

export const doubled = 'nothing-is-twice/doubled/producer/kill/origin'

/** `kill-under-load` of this run found a record twice. */
export function sampleThatDoubled(): Result {
  const sample = resultSchema.parse(file)
  const found = { verdict: 'fail' as const, because: '36 appends stand in their stream more than once.', fingerprint: doubled }
  const scenarios = sample.scenarios.map((scenario) =>
    scenario.id === 'kill-under-load' ? { ...scenario, verdict: 'fail' as const, checks: scenario.checks.map((check) => (check.id === 'nothing-is-twice' ? { ...check, ...found } : check)) } : scenario,
  )
  return { ...sample, scenarios }
}
