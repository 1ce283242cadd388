import { describe, expect, it } from 'vitest'
import type { ClientHead, EventBody, Exchange } from '../../harness/history.ts'
import { appended, judge, read } from './judging.ts'

type Timed = [number, EventBody]

describe('exchange-is-answered', () => {
  const exchange = (atMs: number, label: string, status: number | null, headers: Record<string, string> = {}): Timed => {
    const body: Exchange = { kind: 'exchange', label, via: 'origin', method: 'DELETE', path: '/a', invokedAtMs: atMs, status, headers, bytes: 0, ...(status === null ? { error: 'ECONNRESET' } : {}) }
    return [atMs, body]
  }
  const verdict = (limits: object, ...events: Timed[]) => judge('exchange-is-answered', { label: 'second', statuses: [410], after: { first: 204 }, ...limits }, events)

  it('passes on the right status, fails on another one', () => {
    expect(verdict({}, exchange(1, 'first', 204), exchange(2, 'second', 410)).verdict).toBe('pass')
    expect(verdict({}, exchange(1, 'first', 204), exchange(2, 'second', 204))).toMatchObject({ verdict: 'fail', fingerprint: 'exchange-is-answered/status/second/none/origin' })
  })

  it('is unknown where what leads to it did not happen, where it got no answer, and where it was not sent', () => {
    expect(verdict({}, exchange(1, 'first', 404), exchange(2, 'second', 410)).verdict).toBe('unknown')
    expect(verdict({}, exchange(1, 'first', 404), exchange(2, 'second', 204)).verdict).toBe('unknown')
    expect(verdict({}, exchange(1, 'first', 204), exchange(2, 'second', null)).verdict).toBe('unknown')
    expect(verdict({}, exchange(1, 'first', 204)).verdict).toBe('unknown')
  })

  it('wants headers, with any value or with one', () => {
    const given = (headers: Record<string, string>, wanted: Record<string, string>) => verdict({ headers: wanted }, exchange(1, 'first', 204), exchange(2, 'second', 410, headers))
    expect(given({ 'stream-cursor': '7' }, { 'stream-cursor': '' }).verdict).toBe('pass')
    expect(given({}, { 'stream-cursor': '' })).toMatchObject({ verdict: 'fail', fingerprint: 'exchange-is-answered/header/second/none/origin' })
    expect(given({ 'stream-closed': 'false' }, { 'stream-closed': 'true' }).verdict).toBe('fail')
    expect(given({ 'stream-closed': 'true' }, { 'stream-closed': 'true' }).verdict).toBe('pass')
  })
})

describe('offsets-only-advance', () => {
  const told = (fromMs: number, toMs: number, record: string, offset: string): Timed[] =>
    appended(fromMs, toMs, record).map(([atMs, body]) => [atMs, body.kind === 'ok' ? { ...body, headers: { 'stream-next-offset': offset } } : body])
  const readTo = (fromMs: number, toMs: number, nextOffset: string): Timed[] =>
    read(fromMs, toMs, []).map(([atMs, body]) => [atMs, body.kind === 'ok' ? { ...body, read: { ...body.read!, nextOffset } } : body])
  const verdict = (...events: Timed[]) => judge('offsets-only-advance', {}, events)

  it('passes where appends at once are told offsets of their own, and the tail is behind them', () => {
    expect(verdict(...told(1, 5, 's/1.1', '01'), ...told(2, 6, 's/1.2', '02'), ...readTo(7, 8, '02'))).toMatchObject({ verdict: 'pass', examined: 3 })
  })

  it('fails where two are told the same', () => {
    expect(verdict(...told(1, 5, 's/1.1', '01'), ...told(2, 6, 's/1.2', '01'))).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'offsets-only-advance/shared/any/none/origin' })
  })

  it('fails where the tail lies before what was acknowledged when it was asked for, not where it came meanwhile', () => {
    const both = [...told(1, 5, 's/1.1', '01'), ...told(2, 6, 's/1.2', '02')]
    expect(verdict(...both, ...readTo(7, 8, '01'))).toMatchObject({ verdict: 'fail', fingerprint: 'offsets-only-advance/behind/any/none/origin' })
    expect(verdict(...both, ...readTo(5.5, 8, '01')).verdict).toBe('pass')
  })

  it('is unknown where no two were under way at once', () => {
    expect(verdict(...told(1, 2, 's/1.1', '01'), ...told(3, 4, 's/1.2', '02')).verdict).toBe('unknown')
    expect(verdict().verdict).toBe('unknown')
  })
})

describe('first-read-is-shared', () => {
  const asked = (cell: string, mode: 'catch-up' | 'sse'): Timed => [1, { kind: 'client-request', cell, what: 'request', mode }]
  const verdict = (...events: Timed[]) => judge('first-read-is-shared', {}, events)

  it('looks at the first request of each reader only', () => {
    expect(verdict(asked('a', 'catch-up'), asked('a', 'sse'), asked('b', 'catch-up'))).toMatchObject({ verdict: 'pass', examined: 2 })
    expect(verdict(asked('a', 'catch-up'), asked('b', 'sse'), asked('b', 'catch-up'))).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'first-read-is-shared/live/sse/none/client' })
    expect(verdict().verdict).toBe('unknown')
  })
})

describe('client-head-ends', () => {
  const head = (isThere: boolean, more: Partial<ClientHead>): Timed => [1, { kind: 'client-head', client: 'the-client 1.0', stream: '/a', isThere, outcome: isThere ? 'state' : 'error', requests: 1, tookMs: 5, ...more }]
  const verdict = (...events: Timed[]) => judge('client-head-ends', { requestsMax: 3 }, events)

  it('passes within its bound, and fails one request beyond it', () => {
    expect(verdict(head(true, {}), head(false, { requests: 3, status: 404 })).verdict).toBe('pass')
    expect(verdict(head(true, {}), head(false, { requests: 4 }))).toMatchObject({ verdict: 'fail', fingerprint: 'client-head-ends/retried/any/not-found-404/client' })
  })

  it('fails where there is no end, and where the stream is believed to be there', () => {
    expect(verdict(head(true, {}), head(false, { outcome: 'none' }))).toMatchObject({ fingerprint: 'client-head-ends/no-end/any/not-found-404/client' })
    expect(verdict(head(true, {}), head(false, { outcome: 'state' }))).toMatchObject({ fingerprint: 'client-head-ends/believed/any/not-found-404/client' })
  })

  it('is unknown where the stream that is there gave no state, and where nothing was asked', () => {
    expect(verdict(head(true, { outcome: 'error' }), head(false, {})).verdict).toBe('unknown')
    expect(verdict(head(true, {}), head(false, { requests: 0 })).verdict).toBe('unknown')
    expect(verdict().verdict).toBe('unknown')
  })
})
