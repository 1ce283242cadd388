/** The check on replayed requests: what counts as drift, and what does not. */
import { describe, expect, test } from 'vitest'
import type { EventBody, Replayed } from '../../harness/history.ts'
import { judge } from './judging.ts'

const sound: Replayed = { kind: 'replayed', method: 'GET', live: null, stream: '/a', recordedStatus: 200, recordedMs: 1, status: 200, tookMs: 1 }

function judged(limits: object, ...events: Partial<Replayed>[]) {
  return judge('answers-are-as-recorded', limits, events.map((event, index): [number, EventBody] => [index, { ...sound, ...event }]))
}

describe('an answer', () => {
  test.each<[string, Partial<Replayed>]>([
    ['as it was', {}],
    ['an error as it was', { recordedStatus: 404, status: 404 }],
    ['a poll that ends without data today', { live: 'long-poll', status: 204 }],
    ['whole, where the client had it already', { recordedStatus: 304 }],
  ])('%s is no drift', (_name, event) => expect(judged({}, event).verdict).toBe('pass'))

  test.each<[string, Partial<Replayed>]>([
    ['of another status', { status: 404 }],
    ['that did not come', { status: null, error: 'reset' }],
    ['without data where there was some', { status: 204 }],
    ['that is an error where a poll was held', { live: 'long-poll', status: 503 }],
  ])('%s is drift', (_name, event) => expect(judged({}, event)).toMatchObject({ verdict: 'fail', value: 1 }))

  test('whose client had left is not compared', () => {
    expect(judged({}, { recordedStatus: 499, status: 200 }, {}).because).toBe('1 of 1 answers were as recorded; 1 request whose client had left was not compared.')
    expect(judged({}, { recordedStatus: 0, status: null }).verdict).toBe('unknown')
  })

  test('may differ as often as the scenario says, and not once more', () => {
    const many = (wrong: number) => Array.from({ length: 100 }, (_, n) => (n < wrong ? { status: 500 } : {}))
    expect(judged({ driftMax: 0.02 }, ...many(2)).verdict).toBe('pass')
    expect(judged({ driftMax: 0.02 }, ...many(3)).verdict).toBe('fail')
  })

  test('is unknown where none was seen', () => expect(judged({}).verdict).toBe('unknown'))
})
