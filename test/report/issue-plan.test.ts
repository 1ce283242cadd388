/** Issues planned from one real run with single checks changed, and from what earlier plans have written. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actionLine, knownLabel, planIssues, type Action, type Issue, type PlanOptions } from '../../harness/report/issue-plan.ts'
import { markerOf, stateIn, type IssueState } from '../../harness/report/issue-state.ts'
import { bodyCharactersMax, titleCharactersMax } from '../../harness/report/issue-text.ts'
import type { CheckResult, Result } from '../../harness/report/result.ts'
import { arbitraryResult, hostileStrings } from './arbitrary-result.ts'
import { outsideOfCode } from './outside-of-code.ts'
import { doubled, sampleThatDoubled } from './sample-that-doubled.ts'

const sample = sampleThatDoubled()
const options: PlanOptions = { label: 'simulation', openMax: 10, closeAfter: 3, runUrl: 'https://github.example/o/r/actions/runs/1' }
const twice = doubled

/** The nth night: rows without a red check of theirs are unknown, as in a real one. */
function night(n: number, checks: Record<string, Partial<CheckResult>> = {}, more: Partial<Result> = {}) {
  const scenarios = (more.scenarios ?? sample.scenarios).map((scenario) => ({ ...scenario, checks: scenario.checks.map((check) => ({ ...check, ...checks[check.id] })) }))
  const red = new Set(scenarios.flatMap((scenario) => scenario.checks.filter(({ verdict }) => verdict === 'fail').flatMap(({ rows }) => rows)))
  const checklist = sample.checklist.map((row) => (row.verdict === 'fail' && !red.has(row.id) ? { ...row, verdict: 'unknown' as const } : row))
  const day = String(n).padStart(2, '0')
  return { result: { ...sample, ...more, scenarios, checklist, runId: `2026-01-${day}T02-17-00-00${day}`, startedAt: `2026-01-${day}T02:17:00.000Z` } satisfies Result, capsules: [] as string[] }
}

const diskFine: Record<string, Partial<CheckResult>> = { 'disk-comes-back': { verdict: 'pass' } }
const allFine: Record<string, Partial<CheckResult>> = { ...diskFine, 'nothing-is-twice': { verdict: 'pass' } }

/** What GitHub holds after a plan was carried out. */
function carriedOut(issues: readonly Issue[], actions: readonly Action[]): Issue[] {
  let next = issues.reduce((most, { number }) => Math.max(most, number), 0)
  const after = new Map(issues.map((issue) => [issue.number, issue]))
  for (const action of actions) {
    if (action.do === 'open') after.set((next += 1), { number: next, state: 'open', stateReason: null, body: action.body, labels: action.labels })
    if (action.do !== 'update') continue
    const { number, body, labels, state, stateReason } = action
    const old = after.get(number)!
    after.set(number, { ...old, body: body ?? old.body, labels: labels ?? old.labels, state: state ?? old.state, stateReason: stateReason ?? (state === 'open' ? 'reopened' : old.stateReason) })
  }
  return [...after.values()]
}

/** Nights in a row; what each of them asked for. */
function nights(all: readonly ReturnType<typeof night>[], issues: Issue[] = [], more: Partial<PlanOptions> = {}) {
  const plans: Action[][] = []
  for (const one of all) {
    const plan = planIssues([one], issues, { ...options, ...more })
    plans.push(plan)
    issues = carriedOut(issues, plan)
  }
  return { plans, issues, comments: plans.map((plan) => plan.flatMap((action) => (action.do === 'update' && action.comment !== undefined ? [action.comment] : []))) }
}

describe('an issue of a failure', () => {
  test('is opened once, and written anew each night without a word', () => {
    const { plans, issues, comments } = nights([1, 2, 3].map((n) => night(n, diskFine)))
    expect(plans.map((plan) => plan.map((action) => action.do))).toEqual([['open'], ['update'], ['update']])
    expect(comments.flat()).toEqual([])
    expect(issues).toHaveLength(1)
    expect(stateIn(issues[0]!.body)).toMatchObject({ fingerprint: twice, nightsFailed: 3, firstSeen: night(1).result.startedAt, lastSeen: night(3).result.startedAt, scenarios: [{ id: 'kill-under-load', passes: 0, known: false }] })
  })

  test('says what was seen, how to repeat it and where the report is', () => {
    const [open] = planIssues([{ ...night(1, diskFine), capsules: ['capsule.kill-under-load.nothing-is-twice.json.gz'] }], [], options)
    if (open?.do !== 'open') throw new Error('Nothing was opened.')
    expect(open.title).toBe('Simulation: nothing-is-twice (doubled, producer, kill, origin)')
    expect(open.labels).toEqual(['simulation'])
    for (const part of [`\`${twice}\``, '36 appends stand in their stream more than once', 'npm run simulate -- kill-under-load --seed 7', '--replay capsule.kill-under-load.nothing-is-twice.json.gz', options.runUrl!]) expect(open.body).toContain(part)
  })

  test('names the capsule of its own failure, where one check failed in two ways', () => {
    const one = night(1, diskFine)
    const scenarios = one.result.scenarios.map((scenario) => ({
      ...scenario,
      checks: scenario.checks.flatMap((check) => (check.id === 'nothing-is-twice' ? [{ ...check, fingerprint: 'nothing-is-twice/doubled/json/kill/origin' }, check] : [check])),
    }))
    const names = ['capsule.kill-under-load.nothing-is-twice.json.gz', 'capsule.kill-under-load.nothing-is-twice.2.json.gz']
    const bodies = (capsules: string[]) =>
      planIssues([{ result: { ...one.result, scenarios }, capsules }], [], options).map((action) => {
        if (action.do !== 'open') throw new Error('Nothing was opened.')
        return [action.title.match(/doubled, (\w+)/)![1], names.filter((name) => action.body.includes(`--replay ${name}`))]
      })
    expect(Object.fromEntries(bodies(names))).toEqual({ json: [names[0]], producer: [names[1]] })
    // One that was too large to be kept is not replaced by another.
    expect(Object.fromEntries(bodies([names[0]!]))).toEqual({ json: [names[0]], producer: [] })
  })

  test('the same night once more changes nothing', () => {
    const one = night(1, diskFine)
    const { plans } = nights([one, one])
    expect(plans[1]).toMatchObject([{ do: 'leave', because: 'this night is counted already' }])
  })

  test('is closed after three nights that saw it pass, with a word at the first and at the last', () => {
    const { plans, issues, comments } = nights([night(1, diskFine), ...[2, 3, 4].map((n) => night(n, allFine)), night(5, allFine)])
    expect(comments.map((said) => said.length)).toEqual([0, 1, 0, 1, 0])
    expect(comments[1]![0]).toContain('Passed in run')
    expect(comments[3]![0]).toContain('Passed in 3 nights in a row')
    expect(issues).toMatchObject([{ state: 'closed', stateReason: 'completed' }])
    expect(plans[4]).toMatchObject([{ do: 'leave', because: 'it is closed, and does not fail' }])
  })

  test('a night that did not look neither passes nor fails it', () => {
    const unseen = [night(2, { ...allFine, 'nothing-is-twice': { verdict: 'unknown' } }), night(3, {}, { scenarios: [] })]
    const { plans, issues } = nights([night(1, diskFine), ...unseen])
    for (const plan of plans.slice(1)) expect(plan).toMatchObject([{ do: 'leave', because: 'nobody looked tonight: not seen is not fixed' }])
    expect(issues).toMatchObject([{ state: 'open' }])
  })

  test('that fails again in between begins to count anew', () => {
    const { issues, comments } = nights([night(1, diskFine), night(2, allFine), night(3, diskFine), night(4, allFine), night(5, allFine)])
    expect(issues).toMatchObject([{ state: 'open' }])
    expect(comments.map((said) => said.length)).toEqual([0, 1, 1, 1, 0])
    expect(comments[2]![0]).toContain('Fails again')
  })

  test('is opened again where it comes back, in place of a second one', () => {
    const { issues, comments } = nights([night(1, diskFine), ...[2, 3, 4].map((n) => night(n, allFine)), night(5, diskFine)])
    expect(issues).toMatchObject([{ number: 1, state: 'open' }])
    expect(comments[4]).toEqual(['Fails again, in run `2026-01-05T02-17-00-0005`.'])
  })

  test('that a person closed as not planned is left alone, as completed is opened again', () => {
    const before = nights([night(1, diskFine)]).issues
    const closed = (stateReason: string) => before.map((issue) => ({ ...issue, state: 'closed' as const, stateReason }))
    expect(planIssues([night(2, diskFine)], closed('not_planned'), options)).toMatchObject([{ do: 'leave', number: 1 }])
    expect(planIssues([night(2, diskFine)], closed('completed'), options)).toMatchObject([{ do: 'update', number: 1, state: 'open' }])
  })

  test('one of several open ones goes on, the oldest; the others are closed as its duplicates', () => {
    const [issue] = nights([night(1, diskFine)]).issues
    const plan = planIssues([night(2, diskFine)], [{ ...issue!, number: 9 }, issue!, { ...issue!, number: 4 }], options)
    expect(plan.map(actionLine)).toEqual([`close #4: ${twice}, with a comment`, `close #9: ${twice}, with a comment`, `update #1: ${twice}`])
    const closed = carriedOut([issue!, { ...issue!, number: 9 }], planIssues([night(2, diskFine)], [issue!, { ...issue!, number: 9 }], options))
    // The duplicate is no reason to leave the first one closed, later.
    const later = closed.map((one) => (one.number === 1 ? { ...one, state: 'closed' as const, stateReason: 'completed' } : one))
    expect(planIssues([night(3, diskFine)], later, options)).toMatchObject([{ do: 'update', number: 1, state: 'open' }])
  })

  test('of the reference server, or behind another cache, is another one', () => {
    const { issues } = nights([night(1, diskFine), night(2, diskFine, { options: { ...sample.options, edge: 'nginx' } })])
    expect(issues).toHaveLength(2)
    const fine = planIssues([night(3, allFine)], issues, options)
    expect(fine).toMatchObject([{ do: 'update', number: 1 }, { do: 'leave', number: 2, because: 'this night has no run of its series' }])
  })

  test('in another scenario, too, is the same one, and says so', () => {
    const kill = sample.scenarios.find(({ id }) => id === 'kill-under-load')!
    const both = { scenarios: [...sample.scenarios, { ...kill, id: 'kill-twice' }] }
    const { issues, comments } = nights([night(1, diskFine), night(2, diskFine, both)])
    expect(issues).toHaveLength(1)
    expect(comments[1]).toEqual(['Now also in `kill-twice`, in run `2026-01-02T02-17-00-0002`.'])
    // Passing in one of the two is not enough.
    const half = night(3, diskFine, both)
    half.result.scenarios = half.result.scenarios.map((one) => (one.id === 'kill-twice' ? { ...one, checks: one.checks.map((check) => ({ ...check, verdict: 'pass' as const })) } : one))
    const after = nights([half], issues).issues
    expect(stateIn(after[0]!.body)!.scenarios).toEqual([{ id: 'kill-under-load', known: false, passes: 0 }, { id: 'kill-twice', known: false, passes: 1 }])
  })

  test('that the ledger knows is marked, and loses the mark where it is new in a scenario; labels of people stay', () => {
    const known = { expectedFailures: [{ scenario: 'kill-under-load', fingerprint: twice, issue: 'https://github.com/o/r/issues/1', why: 'Upstream knows.', state: 'failed' as const }] }
    const [open] = planIssues([night(1, diskFine, known)], [], options)
    if (open?.do !== 'open') throw new Error('Nothing was opened.')
    expect(open.labels).toEqual(['simulation', knownLabel])
    expect(open.body).toContain('Known: Upstream knows. Reported: `https://github.com/o/r/issues/1`')
    const issues = carriedOut([], [open]).map((issue) => ({ ...issue, labels: [...issue.labels, 'by-a-person'] }))
    expect(planIssues([night(2, diskFine, known)], issues, options)[0]).not.toHaveProperty('labels')
    expect(planIssues([night(2, diskFine)], issues, options)).toMatchObject([{ labels: ['by-a-person', 'simulation'] }])
  })

  test('of rows that are all waived is not opened, and an open one is left as it is', () => {
    const waivedAs = (n: number) => {
      const one = night(n, diskFine)
      one.result.checklist = one.result.checklist.map((row) => (row.verdict === 'fail' ? { ...row, waived: { reason: 'We know.', until: '2099-01-01' } } : row))
      return one
    }
    expect(planIssues([waivedAs(1)], [], options)).toMatchObject([{ do: 'leave', number: null, because: 'it fails, and its rows are waived' }])
    const { plans, issues } = nights([night(1, diskFine), waivedAs(2)])
    expect(plans[1]).toMatchObject([{ do: 'leave', number: 1, because: 'it fails, and its rows are waived' }])
    expect(issues).toMatchObject([{ state: 'open' }])
  })

  test('beyond the tenth of a night waits, what is new and severe first', () => {
    const plan = planIssues([night(1)], [], { ...options, openMax: 1 })
    expect(plan.map((action) => action.do)).toEqual(['open', 'leave'])
    expect(actionLine(plan[0]!)).toContain('nothing-is-twice')
    expect(planIssues([night(1)], [], { ...options, openMax: 0 }).map((action) => action.do)).toEqual(['leave', 'leave'])
  })

  test('for any result fits into GitHub, is found again by its text, and mentions nobody', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const plan = planIssues([{ result, capsules: [] }], [], { ...options, openMax: 100 })
        for (const action of plan) {
          if (action.do !== 'open') continue
          expect(action.body.length).toBeLessThanOrEqual(bodyCharactersMax)
          expect(action.title.length).toBeLessThanOrEqual(titleCharactersMax)
          expect(action.title).not.toMatch(/[\r\n]/)
          const state = stateIn(action.body)
          expect(state === null ? null : JSON.stringify([state.fingerprint, state.series])).toBe(action.key)
          expect(outsideOfCode(action.body)).not.toMatch(/<(?!!-- durable)|@\w/)
        }
        expect(planIssues([{ result, capsules: [] }], carriedOut([], plan), { ...options, openMax: 100 }).map((action) => action.do)).not.toContain('open')
      }),
      { numRuns: 40 },
    )
  })

  test('of endless evidence is cut, and says where the rest is', () => {
    const long = { because: 'x'.repeat(50_000), evidence: Array.from({ length: 8 }, () => 'y'.repeat(50_000)) }
    const kill = sample.scenarios.find(({ id }) => id === 'kill-under-load')!
    const scenarios = Array.from({ length: 40 }, (_, n) => ({ ...kill, id: `kill-${n}` }))
    const [open] = planIssues([night(1, { 'nothing-is-twice': long }, { scenarios })], [], options)
    if (open?.do !== 'open') throw new Error('Nothing was opened.')
    expect(open.body.length).toBeLessThanOrEqual(bodyCharactersMax)
    expect(open.body).toMatch(/\d+ scenarios more: see the report\./)
    expect(stateIn(open.body)!.scenarios).toHaveLength(40)
  })
})

describe('the hidden state', () => {
  const state: IssueState = { v: 1, fingerprint: twice, series: 'production behind varnish', scenarios: [{ id: 's', known: false, passes: 0 }], firstSeen: 'a', lastSeen: 'b', nightsFailed: 1, runs: ['r'] }

  test('comes back as it was, whatever it holds, and ends no comment', () => {
    for (const hostile of [...hostileStrings, '-->', '--!>', '<!--', ' --> @octocat', '\u2028'].filter((one) => one !== '' && one.length < 200)) {
      const one = { ...state, fingerprint: hostile, scenarios: [{ id: hostile, known: true, passes: 2 }] }
      const marker = markerOf(one)
      expect(marker).toMatch(/^<!-- durable-streams-simulation [ -~]* -->$/)
      expect(marker.slice(4, -3)).not.toMatch(/[<>]/)
      expect(stateIn(`\n${marker}\n${markerOf(state)}`)).toEqual(one)
    }
  })

  test.each<[string, string | null]>([
    ['none', 'Just text.'],
    ['no text', null],
    ['no JSON', '<!-- durable-streams-simulation {"v":1 -->'],
    ['no end', `<!-- durable-streams-simulation ${JSON.stringify(state)}`],
    ['another version', markerOf({ ...state, v: 2 as 1 })],
    ['a field more', markerOf({ ...state, more: 1 } as IssueState)],
    ['a count that is none', markerOf({ ...state, nightsFailed: 1e9 })],
    ['endless text', `<!-- durable-streams-simulation "${'x'.repeat(50_000)}" -->`],
  ])('of %s is none', (_name, body) => expect(stateIn(body)).toBeNull())
})
