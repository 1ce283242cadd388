import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseMessage, pinnedSuite } from '../../harness/conformance/suite-plan.ts'
import type { ConformanceTest, EventBody, Via } from '../../harness/history.ts'
import { evidenceMax } from '../../harness/verdict.ts'
import { judge } from './judging.ts'

type Tries = ConformanceTest['state'][]

/** What the suite tells by one way, of each test the states of its tries. */
function suite(via: Via, tests: Record<string, Tries>): [number, EventBody][] {
  return Object.entries(tests).flatMap(([test, tries]) =>
    tries.map((state, n): [number, EventBody] => {
      const error = state === 'failed' ? { error: 'expected 404 to be 200' } : {}
      return [n, { kind: 'conformance', via, test, state, attempt: n + 1, durationMs: 1, ...error }]
    }),
  )
}

const crashed = (via: Via): [number, EventBody] => [9, { kind: 'shortfall', what: `conformance/${via}`, because: 'It ended by SIGKILL.' }]
const limits = { tests: 3 }
const right: Tries = ['passed']
const wrong: Tries = ['failed', 'failed']
const unstable: Tries = ['failed', 'passed']
const left: Tries = ['skipped']

describe('conformance-at-origin', () => {
  const verdict = (a: Tries, b: Tries, c: Tries) => judge('conformance-at-origin', limits, suite('origin', { 'A > a': a, 'B > b': b, 'C > c': c }))

  it('passes when none fails, and fails on one that fails in each try', () => {
    expect(verdict(right, right, right)).toMatchObject({ verdict: 'pass', examined: 3 })
    expect(verdict(right, right, left)).toMatchObject({ verdict: 'pass', examined: 2 })
    const red = verdict(right, wrong, left)
    expect(red).toMatchObject({ verdict: 'fail', value: 1, limit: 0, fingerprint: 'conformance-at-origin/b/any/none/origin' })
    expect(red.evidence).toEqual(['B > b: expected 404 to be 200'])
  })

  it('fails on one that was not repeated, for too many failed', () => {
    expect(verdict(['failed'], right, right).verdict).toBe('fail')
  })

  it('is neither green nor red for one that passes when repeated, and says which', () => {
    const open = verdict(unstable, right, right)
    expect(open.verdict).toBe('unknown')
    expect(open.evidence).toEqual(['A > a: expected 404 to be 200'])
    expect(verdict(['failed', 'failed', 'failed', 'passed'], right, right).verdict).toBe('unknown')
    expect(verdict(['failed', 'failed', 'failed', 'failed'], right, right).verdict).toBe('fail')
    expect(verdict(unstable, wrong, right)).toMatchObject({ verdict: 'fail', because: '1 of 3 tests of the suite fail at the origin, and 1 failed and passed when repeated.' })
  })

  it('is unknown without events, with another number of tests, and when the suite crashed', () => {
    expect(judge('conformance-at-origin', limits, []).verdict).toBe('unknown')
    expect(judge('conformance-at-origin', limits, suite('edge', { a: right, b: right, c: right })).verdict).toBe('unknown')
    expect(judge('conformance-at-origin', limits, suite('origin', { a: right, b: right })).verdict).toBe('unknown')
    expect(judge('conformance-at-origin', limits, suite('origin', { a: right, b: right, c: right, d: right })).verdict).toBe('unknown')
    const whole = suite('origin', { a: right, b: right, c: right })
    expect(judge('conformance-at-origin', limits, [...whole, crashed('edge')]).verdict).toBe('pass')
    expect(judge('conformance-at-origin', limits, [...whole, crashed('origin')])).toMatchObject({ verdict: 'unknown', because: expect.stringContaining('SIGKILL') })
  })

  it('names all of many, in few lines', () => {
    const names = Array.from({ length: 20 }, (_, n) => `Group > test ${n}`)
    const { evidence } = judge('conformance-at-origin', { tests: 20 }, suite('origin', Object.fromEntries(names.map((name) => [name, wrong]))))
    expect(evidence).toHaveLength(evidenceMax)
    for (const name of names) expect(evidence.join('\n')).toContain(name)
  })
})

describe('conformance-through-edge', () => {
  const verdict = (origin: Tries, edge: Tries, more: [number, EventBody][] = []) =>
    judge('conformance-through-edge', { tests: 2 }, [
      ...suite('origin', { 'A > a': origin, b: right }),
      ...suite('edge', { 'A > a': edge, b: right }),
      ...more,
    ])

  it('fails only on what passes at the origin', () => {
    expect(verdict(right, right).verdict).toBe('pass')
    expect(verdict(wrong, wrong).verdict).toBe('pass')
    expect(verdict(wrong, right).verdict).toBe('pass')
    const red = verdict(right, wrong)
    expect(red).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'conformance-through-edge/a/any/none/edge' })
    expect(red.evidence).toEqual(['A > a: at the origin passed; behind it failed: expected 404 to be 200'])
  })

  it.each([
    [right, unstable],
    [right, left],
    [unstable, wrong],
    [unstable, unstable],
  ])('is neither for %j at the origin and %j behind it', (origin, edge) => {
    expect(verdict(origin, edge).verdict).toBe('unknown')
  })

  it('does not mind what fails at the origin, or only once there', () => {
    expect(verdict(wrong, unstable).verdict).toBe('pass')
    expect(verdict(unstable, right).verdict).toBe('pass')
  })

  it('is unknown when one of the two was not run to its end, and looks at its own way only', () => {
    expect(verdict(right, wrong, [crashed('edge')]).verdict).toBe('unknown')
    expect(verdict(right, wrong, [crashed('origin')]).verdict).toBe('unknown')
    expect(verdict(right, right, [crashed('tls')]).verdict).toBe('pass')
    expect(judge('conformance-through-edge', { tests: 1, via: 'tls' }, suite('origin', { a: right })).verdict).toBe('unknown')
    const tls = [...suite('origin', { a: right }), ...suite('tls', { a: wrong }), ...suite('edge', { a: right })]
    expect(judge('conformance-through-edge', { tests: 1, via: 'tls' }, tls)).toMatchObject({ verdict: 'fail', fingerprint: 'conformance-through-edge/a/any/none/tls' })
  })
})

describe('the suite', () => {
  it('is the one whose tests were counted', () => {
    const main = createRequire(import.meta.url).resolve('@durable-streams/server-conformance-tests')
    const { version } = JSON.parse(readFileSync(path.join(path.dirname(main), '..', 'package.json'), 'utf8')) as { version: string }
    expect(version).toBe(pinnedSuite.version)
  })

  it('says more than results on its output', () => {
    expect(parseMessage('{"event":"end"}')).toEqual({ event: 'end' })
    expect(parseMessage('stderr | a warning')).toBeNull()
  })
})

describe('conformance-is-unchanged', () => {
  const on = (subject: string, via: Via, tests: Record<string, Tries>) => suite(via, tests).map(([atMs, event]): [number, EventBody] => [atMs, { ...event, subject } as EventBody])
  const plain = (a: Tries = right, b: Tries = right) => on('plain', 'origin', { 'A > a': a, 'B > b': b })
  const verdict = (events: [number, EventBody][]) => judge('conformance-is-unchanged', { tests: 2 }, events)
  const logged = (a: Tries, b: Tries = right, via: Via = 'origin') => on('access-log', via, { 'A > a': a, 'B > b': b })
  const notReady: [number, EventBody] = [9, { kind: 'lifecycle', hop: 'origin', what: 'not-ready', because: 'it hung' }]

  it('fails on what passes on the plain origin alone, and names with what and where', () => {
    expect(verdict([...plain(), ...logged(right), ...logged(right, right, 'edge')])).toMatchObject({ verdict: 'pass', examined: 4 })
    const red = verdict([...plain(), ...logged(wrong, right, 'edge'), ...on('metrics', 'origin', { 'A > a': right, 'B > b': wrong })])
    expect(red).toMatchObject({ verdict: 'fail', value: 2, fingerprint: 'conformance-is-unchanged/a+b/access-log+metrics/none/origin' })
    expect(red.evidence).toEqual([
      'at the origin with metrics, 1 test: B > b (expected 404 to be 200)',
      'through the cache with access-log, 1 test: A > a (expected 404 to be 200)',
    ])
    expect(red.because).toBe('2 tests that pass on the plain origin fail at the origin with metrics, and through the cache with access-log.')
    expect(verdict([...plain(), ...logged(wrong, right, 'edge')]).fingerprint).toBe('conformance-is-unchanged/a/access-log/none/edge')
  })

  it('leaves to others what fails on the plain origin', () => {
    expect(verdict([...plain(wrong), ...logged(wrong)])).toMatchObject({ verdict: 'pass', examined: 1 })
  })

  it('is unknown where a suite did not end, a test is unsteady, or a variant was not come to', () => {
    expect(verdict([]).verdict).toBe('unknown')
    expect(verdict(plain()).verdict).toBe('unknown')
    expect(verdict([...on('plain', 'origin', { 'A > a': right }), ...logged(right)]).verdict).toBe('unknown')
    expect(verdict([...plain(), ...on('access-log', 'origin', { 'A > a': right })]).verdict).toBe('unknown')
    expect(verdict([...plain(), ...logged(unstable)]).verdict).toBe('unknown')
    expect(verdict([...plain(), ...logged(right), notReady])).toMatchObject({ verdict: 'unknown', because: expect.stringContaining('it hung') as string })
    const crash: [number, EventBody] = [9, { kind: 'shortfall', what: 'conformance/edge/access-log', because: 'It ended by SIGKILL.' }]
    expect(verdict([...plain(), ...logged(right), crash])).toMatchObject({ verdict: 'unknown', because: expect.stringContaining('SIGKILL') as string })
    // What was seen to fail stands.
    expect(verdict([...plain(), ...logged(wrong), notReady]).verdict).toBe('fail')
  })

  it('is not taken for the suite of the plain scenario, nor that for it', () => {
    expect(judge('conformance-at-origin', { tests: 2 }, plain()).verdict).toBe('unknown')
    expect(verdict([...suite('origin', { 'A > a': right, 'B > b': right }), ...logged(right)]).verdict).toBe('unknown')
  })
})
