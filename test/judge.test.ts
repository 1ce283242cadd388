import { describe, expect, it } from 'vitest'
import type { EventBody, HistoryEvent } from '../harness/history.ts'
import { Judge, mergeMeasurements } from '../harness/judge.ts'
import { defineScenario, type Scenario } from '../harness/scenario.ts'
import { expiredIsGone, nothingAcknowledgedIsLost, readyWithin } from '../harness/checks.ts'
import { appended, created, read } from './checks/judging.ts'

const scenario = defineScenario({
  id: 'judged',
  title: 'Judged',
  why: '',
  proves: ['ops-restart'],
  timeoutMs: { quick: 1, full: 1 },
  world: { hops: ['origin'] },
  runs: 'alone',
  steps: [],
  checks: [readyWithin({ readyMs: 5_000 })],
})

function judged(events: [number, EventBody][], stoppedBecause: string | null = null, of: Scenario = scenario) {
  const judge = new Judge(of)
  events.forEach(([atMs, body], index) => judge.write({ ...body, seq: index, atMs, scenario: of.id } as HistoryEvent))
  return judge.finish({ stoppedBecause })
}

const step = (atMs: number, label: string, phase: 'begin' | 'end'): [number, EventBody] => [atMs, { kind: 'step', step: label, label, phase }]
const life = (atMs: number, what: 'started' | 'stopped' | 'killed' | 'not-ready' | 'refused', more = {}): [number, EventBody] => [
  atMs,
  { kind: 'lifecycle', hop: 'origin', what, ...more },
]

describe('the timeline', () => {
  it('has its steps in the order in which they began, and is shaded from a kill until the next start is ready', () => {
    const { timeline } = judged([
      step(100, 'append', 'begin'),
      step(100, 'kill', 'begin'),
      life(150, 'killed'),
      step(150, 'kill', 'end'),
      life(190, 'started', { tookMs: 40 }),
      step(300, 'append', 'end'),
    ])
    expect(timeline).toEqual([
      { kind: 'step', label: 'append', fromMs: 0, toMs: 200 },
      { kind: 'step', label: 'kill', fromMs: 0, toMs: 50 },
      { kind: 'fault', label: 'origin down after a kill', fromMs: 50, toMs: 90 },
    ])
  })

  it('stays shaded to the end after a start that never was ready, and marks where it was given up', () => {
    const { timeline } = judged([life(0, 'started'), life(10, 'stopped'), life(90, 'not-ready', { reason: 'deadline' }), step(100, 'x', 'begin')])
    expect(timeline).toContainEqual({ kind: 'fault', label: 'origin down after a stop', fromMs: 10, toMs: 100 })
    expect(timeline).toContainEqual({ kind: 'moment', label: 'origin not ready: given up', fromMs: 90, toMs: 90 })
  })

  it('does not call the origin down when a second server is refused; the attempt itself is shaded', () => {
    const { timeline } = judged([
      [0, { kind: 'fault', fault: 'second-server-on-port', phase: 'injected' }],
      life(50, 'refused', { label: 'port', because: 'exited' }),
      [50, { kind: 'fault', fault: 'second-server-on-port', phase: 'healed', proof: 'it ended', proven: true }],
      step(100, 'x', 'begin'),
    ])
    expect(timeline.filter((mark) => mark.kind === 'fault')).toEqual([{ kind: 'fault', label: 'second server on port', fromMs: 0, toMs: 50 }])
  })
})

describe('faults', () => {
  it('that happened several times say so', () => {
    const kill = (proof: string): [number, EventBody] => [0, { kind: 'fault', fault: 'kill', phase: 'injected', proof, proven: true }]
    expect(judged([kill('gone')]).faults).toEqual([{ id: 'kill', proof: 'gone', proven: true }])
    expect(judged([kill('gone'), kill('gone again')]).faults).toEqual([{ id: 'kill', proof: '2 times; the last time gone again', proven: true }])
  })
})

describe('figures of several checks', () => {
  const durability = { kills: 30, failureRateBound: 0.1 }

  it('bound the failure rate only where every kill was clean', () => {
    expect(mergeMeasurements([{ durability }, { durability: { lost: 0 } }]).durability).toMatchObject({ lost: 0, failureRateBound: 0.1 })
    expect(mergeMeasurements([{ durability }, { durability: { lost: 1 } }]).durability).toMatchObject({ lost: 1, failureRateBound: null })
  })
})

describe('checks', () => {
  it('that stand several times in a scenario are told apart by their titles', () => {
    const twice = { ...scenario, checks: [expiredIsGone({ group: 'expires' }), expiredIsGone({ group: 'slides' }), readyWithin({})] }
    expect(judged([], null, twice).checks.map((check) => check.title)).toEqual([
      'An expired stream is gone for every reader within the bound (expires)',
      'An expired stream is gone for every reader within the bound (slides)',
      'Every start is ready within the deadline',
    ])
  })

  it('that hang on time hold nothing against anybody on a machine that could not keep up, and show what they found', () => {
    const usage = (atMs: number, keptMs: number): [number, EventBody] => [atMs, { kind: 'usage', hops: {}, loopbackBytes: null, keptMs }]
    const late = (keptMs: number[]) => judged([life(0, 'started', { tookMs: 9_000 }), ...keptMs.map((ms, n) => usage(n, ms))]).checks[0]!
    expect(late([20, 499, 30])).toMatchObject({ verdict: 'fail', value: 9_000 })
    expect(late([20, 500, 30])).toMatchObject({ verdict: 'unknown', because: expect.stringMatching(/^1 of 1 start took longer than 5 s.* But this machine was too busy to tell: 1 time in 3 looks .* up to 500 ms\.$/) as string })
    expect(late([20, 500, 30]).evidence).toEqual(late([20]).evidence)
    expect(late([]).verdict).toBe('fail')
    // In a night one such moment is nothing.
    expect(late([1_000, ...Array.from({ length: 49 }, () => 20)]).verdict).toBe('fail')
    expect(late([1_000, 1_000, ...Array.from({ length: 48 }, () => 20)]).verdict).toBe('unknown')
    const quick = judged([life(0, 'started', { tookMs: 9 }), usage(1, 5_000)]).checks[0]!
    expect(quick.verdict).toBe('pass')
  })

  it('of what was written stand, however busy the machine was', () => {
    const lost = { ...scenario, checks: [nothingAcknowledgedIsLost({})] }
    const events: [number, EventBody][] = [...created(0), ...appended(1, 2, 's/1.1'), ...read(3, 4, []), [5, { kind: 'usage', hops: {}, loopbackBytes: null, keptMs: 9_000 }]]
    expect(judged(events, null, lost).verdict).toBe('fail')
  })

  it('of a scenario that stopped early are unknown with the reason and what was seen until then, unless they failed', () => {
    const reason = 'the origin was not ready 10 s after its start.'
    expect(judged([life(0, 'started', { tookMs: 9 })], reason).checks[0]).toMatchObject({
      verdict: 'unknown',
      because: 'The scenario stopped early: the origin was not ready 10 s after its start. Until then: 1 start was ready, the slowest after 9 ms.',
    })
    const failed = [life(0, 'started'), life(1, 'killed'), life(9, 'not-ready', { reason: 'deadline', tookMs: 10_000 })]
    expect(judged(failed, reason)).toMatchObject({ verdict: 'fail', because: 'Start 2, after a kill, was not ready within 10 s.' })
  })
})
