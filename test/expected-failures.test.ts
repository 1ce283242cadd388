/** The ledger of known failures: it names and announces, and turns nothing green. */
import { describe, expect, test } from 'vitest'
import { concludeRows } from '../harness/conclude.ts'
import { ledger } from '../harness/expected-failures-ledger.ts'
import { expectedFailuresOf, mendedBanners, type ExpectedFailure } from '../harness/expected-failures.ts'
import { checkById } from '../harness/checks.ts'
import { loadScenarios } from '../harness/plan.ts'
import { renderHtml } from '../harness/report/html.ts'
import { result as resultSchema, type ScenarioResult } from '../harness/report/result.ts'
import { renderTerminal } from '../harness/report/terminal.ts'
import type { VerdictKind } from '../harness/verdict.ts'
import file from '../reports/sample/result.json' with { type: 'json' }

const sample = resultSchema.parse(file)
const subject = { kind: 'reference', version: '0.3.7', twins: [] } as const
const entry: ExpectedFailure = {
  scenario: 'lost',
  fingerprint: 'order-is-kept/reordered/any/kill/origin',
  origin: 'reference',
  versions: ['0.3.7'],
  issue: null,
  why: 'It swaps two.',
}

/** A scenario with this check asked once for each verdict. */
function scenarioWith(...verdicts: [VerdictKind, string?][]): ScenarioResult {
  const [scenario] = sample.scenarios
  const [check] = scenario!.checks
  const checks = verdicts.map(([verdict, fingerprint]) => ({ ...check!, id: 'order-is-kept', verdict, ...(fingerprint === undefined ? {} : { fingerprint }) }))
  return { ...scenario!, id: 'lost', checks }
}

const failing = scenarioWith(['pass'], ['fail', entry.fingerprint])

describe('an entry', () => {
  test.each<[string, ScenarioResult[], string]>([
    ['failed with its fingerprint', [failing], 'failed'],
    ['mended where every check of that name passed', [scenarioWith(['pass'], ['pass'])], 'mended'],
    ['not judged where one is unknown', [scenarioWith(['pass'], ['unknown'])], 'not-judged'],
    ['not judged where it failed in another way', [scenarioWith(['fail', 'order-is-kept/lost/any/none/origin'])], 'not-judged'],
    ['not judged where the scenario did not run', [], 'not-judged'],
    ['not judged where the check was not asked', [{ ...failing, checks: [] }], 'not-judged'],
  ])('is %s', (_name, scenarios, state) => {
    expect(expectedFailuresOf([entry], subject, scenarios)).toMatchObject([{ state, why: 'It swaps two.' }])
  })

  test('is of its server and version only', () => {
    expect(expectedFailuresOf([entry], { ...subject, version: '0.3.8' }, [failing])).toEqual([])
    expect(expectedFailuresOf([entry], { ...subject, kind: 'production' }, [failing])).toEqual([])
    expect(expectedFailuresOf([entry], { ...subject, twins: ['origin'] }, [failing])).toEqual([])
  })

  test('is announced when it passes, and only then', () => {
    expect(mendedBanners(expectedFailuresOf([entry], subject, [failing]))).toEqual([])
    expect(mendedBanners(expectedFailuresOf([entry], subject, [scenarioWith(['pass'])]))).toEqual([expect.stringMatching(/^FIXED UPSTREAM: order-is-kept\/.* of lost passed; remove its entry/)])
  })

  test('turns nothing green', () => {
    const { rows } = failing.checks[0]!
    const facts = { audits: [], originKind: 'production', partial: false, twins: [], reproduceOptions: '', scenarios: [failing], notRun: [] } as const
    const row = concludeRows({ ...facts, audits: [], twins: [], scenarios: [failing], notRun: [] }).find(({ id }) => id === rows[0])
    expect(row?.verdict).toBe('fail')
  })

  test('is told once for all that one cause shows in', () => {
    const fresh = scenarioWith(['fail', entry.fingerprint])
    const known = [entry.scenario, 'another-scenario'].map((scenario) => ({ ...expectedFailuresOf([entry], subject, [fresh])[0]!, scenario }))
    const terminal = renderTerminal({ ...sample, scenarios: [fresh], expectedFailures: known }, { width: 200, colour: false })
    expect(terminal).toMatch(/Known of this server version: 2 of these failures\n.*2 failures of lost, another-scenario: It swaps two\./)
  })

  test('is told beside its failure, and what is new apart', () => {
    const fresh = scenarioWith(['fail', entry.fingerprint], ['fail', 'order-is-kept/lost/any/none/edge'])
    const result = { ...sample, scenarios: [fresh], expectedFailures: expectedFailuresOf([entry], subject, [fresh]) }
    const terminal = renderTerminal(result, { width: 200, colour: false })
    expect(terminal).toMatch(/Known of this server version: 1 of these failures\n.*It swaps two\./)
    expect(terminal).toMatch(/New\n.*order-is-kept\/lost\/any\/none\/edge of lost/)
    expect(renderHtml(result)).toContain('Known of this server version: It swaps two.')
  })
})

describe('the ledger', () => {
  test('names scenarios and checks that there are, each failure once', async () => {
    const scenarios = (await loadScenarios('scenarios')).map(({ id }) => id)
    for (const { scenario, fingerprint } of ledger) {
      expect(scenarios).toContain(scenario)
      expect(fingerprint.split('/')).toHaveLength(5)
      expect(checkById(fingerprint.split('/')[0]!).id).toBe(fingerprint.split('/')[0])
    }
    const keys = ledger.map(({ origin, scenario, fingerprint }) => `${origin} ${scenario} ${fingerprint}`)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
