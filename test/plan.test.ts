import { describe, expect, it } from 'vitest'
import path from 'node:path'
import { UsageError } from '../harness/errors.ts'
import { editDistance, loadScenarios, planRun } from '../harness/plan.ts'
import { checkById } from '../harness/checks.ts'
import { interpreterOf } from '../harness/steps.ts'
import type { AnyStep } from '../harness/step.ts'

const scenarios = await loadScenarios(path.join(import.meta.dirname, '..', 'scenarios'))

function* stepsIn(steps: AnyStep[]): Generator<AnyStep> {
  for (const step of steps) {
    yield step
    const nested = step as { steps?: AnyStep[]; load?: AnyStep[] }
    yield* stepsIn(nested.load ?? [])
    yield* stepsIn(nested.steps ?? [])
  }
}

describe('scenarios', () => {
  it('are there', () => {
    expect(scenarios.length).toBeGreaterThan(4)
  })

  it.each(scenarios.map((scenario) => [scenario.id, scenario] as const))('%s is data that survives JSON', (_id, scenario) => {
    expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario)
    for (const step of stepsIn([...scenario.steps, ...scenario.healed])) expect(interpreterOf(step)).toBeTypeOf('function')
    for (const spec of scenario.checks) expect(checkById(spec.check).id).toBe(spec.check)
    expect(scenario.proves.length).toBeGreaterThan(0)
  })
})

describe('a plan', () => {
  it('suggests the nearest scenario for an unknown id', () => {
    expect(() => planRun(scenarios, ['kill-under-lod'])).toThrow(UsageError)
    expect(() => planRun(scenarios, ['kill-under-lod'])).toThrow(/"kill-under-load"/)
  })

  it('lists what is left out', () => {
    const plan = planRun(scenarios, ['kill-under-load'])
    expect(plan.scenarios).toHaveLength(1)
    expect(plan.notRun).toHaveLength(scenarios.filter(({ asks }) => asks === undefined).length - 1)
    expect(planRun(scenarios, []).notRun).toEqual([])
  })

  it('has what asks for something only where it was given, and then nothing else', () => {
    const asking = scenarios.filter(({ asks }) => asks === 'data-dir-from').map(({ id }) => id)
    expect(asking.length).toBeGreaterThan(0)
    expect(planRun(scenarios, []).scenarios.map(({ id }) => id)).not.toEqual(expect.arrayContaining(asking))
    const given = planRun(scenarios, [], ['data-dir-from'])
    expect(given.scenarios.map(({ id }) => id)).toEqual(asking)
    expect(given.notRun).toHaveLength(scenarios.filter(({ asks }) => asks === undefined).length)
    expect(() => planRun(scenarios, asking)).toThrow(/needs --data-dir-from/)
  })

  it('of the soak profile is the soak, which no other run has or misses', () => {
    expect(planRun(scenarios, [], ['profile soak']).scenarios.map(({ id }) => id)).toEqual(['soak'])
    const other = planRun(scenarios, [])
    expect([...other.scenarios, ...other.notRun].map(({ id }) => id)).not.toContain('soak')
    expect(() => planRun(scenarios, ['soak'])).toThrow(/soak needs --profile soak/)
  })
})

describe('edit distance', () => {
  it('counts insertions, deletions and substitutions', () => {
    expect(editDistance('', 'abc')).toBe(3)
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance('same', 'same')).toBe(0)
  })
})
