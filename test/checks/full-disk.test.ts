/** A full disk, by small histories: one step inside each bound, one beyond. */
import { describe, expect, test } from 'vitest'
import type { EventBody, Outcome } from '../../harness/history.ts'
import { appended, created, judge, operation, read } from './judging.ts'

const full = (atMs: number): [number, EventBody][] => [[atMs, { kind: 'fault', fault: 'full', what: 'disk-full', phase: 'injected' }]]
const roomAgain = (atMs: number, proven = true): [number, EventBody][] => [[atMs, { kind: 'fault', fault: 'full', what: 'disk-full', phase: 'healed', proven, proof: '' }]]
const refused = (fromMs: number) => operation(fromMs, fromMs + 1, { op: 'append', kind: 'info', status: 500, append: { record: `r${fromMs}`, bytes: 10 } })
const unanswered = (fromMs: number) => {
  const [invoke, outcome] = refused(fromMs)
  const { status: _, ...body } = outcome![1] as Outcome
  return [invoke!, [outcome![0], { ...body, error: 'timed out' }]] as [number, EventBody][]
}

describe('full-disk-is-reported', () => {
  const check = (...events: [number, EventBody][][]) => judge('full-disk-is-reported', { recoverMs: 1_000 }, events.flat())

  test('passes when appends were refused, and one is acknowledged within the bound', () => {
    const verdict = check(full(10), refused(20), refused(30), roomAgain(100), appended(1_090, 1_100, 's/1'))
    expect(verdict).toMatchObject({ verdict: 'pass', examined: 2, value: 1_000 })
  })

  test('fails when the first acknowledgement comes one step later, or not at all', () => {
    expect(check(full(10), refused(20), roomAgain(100), appended(1_090, 1_101, 's/1'))).toMatchObject({ verdict: 'fail', fingerprint: 'full-disk-is-reported/recovers-late/any/disk-full/origin' })
    expect(check(full(10), refused(20), roomAgain(100), refused(1_101))).toMatchObject({ verdict: 'fail', fingerprint: 'full-disk-is-reported/does-not-recover/any/disk-full/origin' })
  })

  test('is not told of a recovery by an append that was sent while the disk was full', () => {
    expect(check(full(10), refused(20), appended(50, 150, 's/1'), roomAgain(100), refused(1_101)).verdict).toBe('fail')
  })

  test('fails for an append that got no answer while the disk was full, not for one outside', () => {
    expect(check(full(10), unanswered(20), roomAgain(100), appended(110, 120, 's/1'))).toMatchObject({ verdict: 'fail', fingerprint: 'full-disk-is-reported/unanswered/any/disk-full/origin' })
    expect(check(unanswered(1), full(10), refused(20), roomAgain(100), appended(110, 120, 's/1')).verdict).toBe('pass')
  })

  test('is unknown without a full disk, without a refusal, and before anything was written again', () => {
    expect(check(appended(1, 2, 's/1')).verdict).toBe('unknown')
    expect(check(full(10), appended(20, 30, 's/1'), roomAgain(100), appended(110, 120, 's/2')).verdict).toBe('unknown')
    expect(check(full(10), refused(20), roomAgain(100)).verdict).toBe('unknown')
    expect(check(full(10), refused(20), roomAgain(100, false), appended(110, 120, 's/1')).verdict).toBe('unknown')
  })
})

describe('every-stream-can-be-read', () => {
  const check = (...events: [number, EventBody][][]) => judge('every-stream-can-be-read', {}, events.flat())
  const failedRead = (atMs: number, status?: number) => operation(atMs, atMs + 1, { op: 'read', mode: 'catch-up', kind: 'info', ...(status === undefined ? { error: 'timed out' } : { status }) }).map(([ms, body]) => {
    if (status !== undefined || !('status' in body)) return [ms, body] as [number, EventBody]
    const { status: _, ...rest } = body
    return [ms, rest as EventBody] as [number, EventBody]
  })

  test('passes when the last read of each way was answered, also after errors', () => {
    expect(check(created(0), failedRead(10, 500), read(20, 30, ['s/1']))).toMatchObject({ verdict: 'pass', examined: 1 })
  })

  test('fails when the last one was an error of the server, by any way', () => {
    const events = [created(0), full(5), read(20, 30, ['s/1']), read(20, 30, ['s/1'], { via: 'edge' }), failedRead(40, 500)]
    expect(check(...events)).toMatchObject({ verdict: 'fail', value: 1, examined: 2, fingerprint: 'every-stream-can-be-read/unreadable/no-expiry/disk-full/origin' })
  })

  test('does not ask it of a stream that was deleted, nor blame the server for one that is gone', () => {
    expect(check(created(0), failedRead(10, 500), operation(20, 21, { op: 'delete', status: 204 }), read(30, 40, [], { stream: 'other' })).verdict).toBe('pass')
    expect(check(created(0), operation(10, 11, { op: 'read', mode: 'catch-up', kind: 'fail', status: 404 })).verdict).toBe('pass')
  })

  test('is unknown when nothing was read, or when the last read got no answer', () => {
    expect(check(created(0)).verdict).toBe('unknown')
    expect(check(created(0), failedRead(10)).verdict).toBe('unknown')
  })
})
