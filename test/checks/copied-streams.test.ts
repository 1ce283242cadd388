/** The check on copied streams: what the files lacked, what the server lost, and what may be so. */
import { describe, expect, test } from 'vitest'
import type { CopiedStream, EventBody } from '../../harness/history.ts'
import { judge } from './judging.ts'

const amounts = { committed: { messages: 2, payloadBytes: 20 }, whole: { messages: 3, payloadBytes: 25 } }
const stored = { committedBytes: 28, wholeBytes: 37, tornBytes: 0, damage: null, ...amounts }
const served = { status: 200, bytes: 20, messages: null, upToDate: true, closed: false }
const sound: CopiedStream = { kind: 'copied-stream', stream: '/v1/stream/a', json: false, closed: false, forked: false, mayHaveExpired: false, stored, served }

function judged(...events: Partial<CopiedStream>[]) {
  return judge('copied-streams-are-whole', {}, events.map((event, index): [number, EventBody] => [index, { ...sound, ...event }]))
}

describe('a copied stream', () => {
  test.each<[string, Partial<CopiedStream>]>([
    ['served to what was acknowledged', {}],
    ['served with what was written and not acknowledged', { served: { ...served, bytes: 25 } }],
    ['of JSON', { json: true, served: { ...served, bytes: 99, messages: 2 } }],
    ['closed, and served as closed', { closed: true, served: { ...served, closed: true } }],
    ['that is a fork, with what it inherits', { forked: true, served: { ...served, bytes: 1_000 } }],
    ['that may have expired', { mayHaveExpired: true, served: { ...served, status: 404 } }],
    ['with half a message at its end', { stored: { ...stored, tornBytes: 3 } }],
  ])('%s is whole', (_name, event) => expect(judged(event).verdict).toBe('pass'))

  test.each<[string, Partial<CopiedStream>, string]>([
    ['served a byte short', { served: { ...served, bytes: 19 } }, 'served-less'],
    ['served a byte more than its file holds', { served: { ...served, bytes: 26 } }, 'served-more'],
    ['of JSON served a message short', { json: true, served: { ...served, messages: 1 } }, 'served-less'],
    ['that is a fork served short', { forked: true, served: { ...served, bytes: 19 } }, 'served-less'],
    ['answered 404 before it can have expired', { served: { ...served, status: 404 } }, 'not-served'],
    ['answered 500 when it may have expired', { mayHaveExpired: true, served: { ...served, status: 500 } }, 'not-served'],
    ['without an answer', { served: null, error: 'reset' }, 'no-answer'],
    ['whose end is never reached', { served: { ...served, upToDate: false } }, 'no-tail'],
    ['that was closed and is open', { closed: true }, 'open-again'],
    ['whose file is gone', { stored: null, served: { ...served, status: 404 } }, 'file-is-gone'],
    ['whose file ends before what was acknowledged', { stored: { ...stored, wholeBytes: 27 } }, 'file-is-short'],
    ['whose file holds what no server writes', { stored: { ...stored, damage: 'a message of 4 GiB' } }, 'file-is-damaged'],
  ])('%s is not', (_name, event, invariant) => {
    expect(judged(event)).toMatchObject({ verdict: 'fail', fingerprint: `copied-streams-are-whole/${invariant}/any/copy/origin`, value: 1 })
  })

  test('that was not asked for yet is judged by its files', () => {
    const { served: _served, ...files } = sound
    const asked = (event: CopiedStream) => judge('copied-streams-are-whole', {}, [[0, event]]).verdict
    expect(asked(files)).toBe('pass')
    expect(asked({ ...files, stored: null })).toBe('fail')
  })

  test('read twice is one stream', () => {
    expect(judged({}, {}).because).toBe('1 copied stream was served with all that was acknowledged.')
    expect(judged({ served: null }, { served: null }).because).toBe('1 of 1 copied stream is not whole.')
  })

  test('of which there is none is unknown', () => expect(judged().verdict).toBe('unknown'))
})
