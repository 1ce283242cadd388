import { describe, expect, it } from 'vitest'
import type { EventBody, Outcome } from '../../harness/history.ts'
import { created, judge, operation } from './judging.ts'

const ttl = created(0, { streamKind: 'expires-idle', ttlSeconds: 2 })
const look = (fromMs: number, status: number, more: Partial<Outcome> = {}): [number, EventBody][] =>
  operation(fromMs, fromMs + 5, { op: 'read', mode: 'catch-up', kind: status < 400 ? 'ok' : 'fail', status, ...more })

describe('expired-is-gone', () => {
  const verdict = (events: Parameters<typeof judge>[2]) => judge('expired-is-gone', { boundMs: 1_000, staleMs: 500 }, events)

  it('fails one step beyond the bound and says nothing one step inside it', () => {
    // Created between 0 and 1 ms, so expired at 2,001 ms at the latest; the bound ends at 3,001 ms.
    expect(verdict([...ttl, ...look(3_002, 200)]).verdict).toBe('fail')
    expect(verdict([...ttl, ...look(3_000, 200)]).verdict).toBe('unknown')
    expect(verdict([...ttl, ...look(3_002, 404)])).toMatchObject({ verdict: 'pass', examined: 1 })
  })

  it('allows the staleness bound behind the cache, and no more', () => {
    expect(verdict([...ttl, ...look(3_400, 200, { via: 'edge' })]).verdict).toBe('unknown')
    expect(verdict([...ttl, ...look(3_502, 200, { via: 'edge' })]).verdict).toBe('fail')
  })

  it('counts a renewal by a read, and none by HEAD', () => {
    const renewed = [...ttl, ...look(1_500, 200)]
    expect(verdict([...renewed, ...look(4_400, 200)]).verdict).toBe('unknown')
    expect(verdict([...renewed, ...look(4_600, 200)]).verdict).toBe('fail')
    const head = operation(1_500, 1_505, { op: 'head' })
    expect(verdict([...ttl, ...head, ...look(3_100, 200)]).verdict).toBe('fail')
  })

  it('does not slide an absolute end', () => {
    const fixed = created(0, { streamKind: 'expires-at', expiresAtMs: 2_000 })
    expect(verdict([...fixed, ...look(1_500, 200), ...look(3_010, 200)]).verdict).toBe('fail')
  })
})

describe('what is found beyond a lifetime is named', () => {
  const fingerprint = (events: Parameters<typeof judge>[2]) => judge('expired-is-gone', { boundMs: 1_000, staleMs: 500 }, events).fingerprint
  const of = (stream: string, create: object) => created(0, create).map(([atMs, body]): [number, EventBody] => [atMs, { ...body, stream } as EventBody])
  const idle = of('a', { streamKind: 'idle', ttlSeconds: 2 })
  const append = of('b', { streamKind: 'append', ttlSeconds: 2 })
  const fixed = of('c', { streamKind: 'fixed', expiresAtMs: 2_000 })
  const found = (stream: string, more: Partial<Outcome> = {}) => look(4_000, 200, { stream, ...more })

  it('by its group where that alone was hit, else by the lifetime that did not count', () => {
    expect(fingerprint([...idle, ...found('a')])).toBe('expired-is-gone/undead/ttl/idle/origin')
    expect(fingerprint([...idle, ...append, ...found('a'), ...found('b')])).toBe('expired-is-gone/undead/ttl/any/origin')
    // Another defect: nothing ends.
    expect(fingerprint([...idle, ...fixed, ...found('a'), ...found('c')])).toBe('expired-is-gone/undead/any/any/origin')
  })

  it('at the hop nearest to the origin, whatever is seen behind it', () => {
    expect(fingerprint([...idle, ...fixed, ...found('c', { via: 'edge' }), ...found('a')])).toBe('expired-is-gone/undead/ttl/idle/origin')
    expect(fingerprint([...fixed, ...found('c', { via: 'edge' })])).toBe('expired-is-gone/undead/expires-at/fixed/edge')
  })
})

describe('alive-until-expiry', () => {
  const verdict = (events: Parameters<typeof judge>[2]) => judge('alive-until-expiry', {}, events)

  it('fails for a stream that is gone before its end, not for one that may have ended', () => {
    expect(verdict([...ttl, ...look(1_900, 404)]).verdict).toBe('fail')
    expect(verdict([...ttl, ...look(1_996, 404)]).verdict).toBe('unknown')
    expect(verdict([...ttl, ...look(1_900, 200)]).verdict).toBe('pass')
  })

  it('fails when a read did not renew, and only where the read surely reached the origin', () => {
    expect(verdict([...ttl, ...look(1_500, 200), ...look(3_000, 404)]).verdict).toBe('fail')
    const cached = [...ttl, ...look(1_500, 200, { via: 'edge' }), ...look(3_000, 404)]
    expect(verdict(cached)).toMatchObject({ verdict: 'pass', examined: 1 })
  })
})

describe('live-readers-end', () => {
  const fixed = created(0, { streamKind: 'expires-attached', expiresAtMs: 2_000 })
  const limits = { boundMs: 100 }
  const timeouts: [number, EventBody][] = [
    [0, { kind: 'sample', name: 'long-poll-timeout-ms', value: 1_000 }],
    [0, { kind: 'sample', name: 'sse-reconnect-ms', value: 3_000 }],
  ]
  const held = (toMs: number, mode: 'long-poll' | 'sse', kind: 'ok' | 'info' = 'ok') => [
    ...timeouts,
    ...operation(1_000, toMs, { op: 'live', mode, kind }),
  ]

  it('holds each mode against its own bound', () => {
    expect(judge('live-readers-end', limits, [...fixed, ...held(3_100, 'long-poll')]).verdict).toBe('pass')
    expect(judge('live-readers-end', limits, [...fixed, ...held(3_101, 'long-poll')]).verdict).toBe('fail')
    expect(judge('live-readers-end', limits, [...fixed, ...held(5_100, 'sse')]).verdict).toBe('pass')
    expect(judge('live-readers-end', limits, [...fixed, ...held(5_101, 'sse')]).verdict).toBe('fail')
  })

  it('is unknown when a reader gave up within the bound, failed when it did beyond it', () => {
    expect(judge('live-readers-end', limits, [...fixed, ...held(5_100, 'sse', 'info')]).verdict).toBe('unknown')
    expect(judge('live-readers-end', limits, [...fixed, ...held(5_101, 'sse', 'info')]).verdict).toBe('fail')
  })

  it('is unknown when no reader was attached at the end', () => {
    expect(judge('live-readers-end', limits, [...fixed, ...held(1_900, 'sse')]).verdict).toBe('unknown')
  })
})

describe('disk-comes-back', () => {
  const sample = (atMs: number, value: number, label: string): [number, EventBody] => [atMs, { kind: 'sample', name: 'data-dir-bytes', value, label }]
  const verdict = (after: number) =>
    judge('disk-comes-back', {}, [sample(0, 1_000, 'before'), sample(1, 11_000, 'full'), sample(2, after, 'after')])

  it('lets a tenth stay, and fails on more', () => {
    expect(verdict(2_000).verdict).toBe('pass')
    expect(verdict(2_001).verdict).toBe('fail')
  })

  it('does not apply without a data_dir and is unknown without all three samples', () => {
    expect(judge('disk-comes-back', {}, []).verdict).toBe('not-applicable')
    expect(judge('disk-comes-back', {}, [sample(0, 1_000, 'before')]).verdict).toBe('unknown')
  })
})

describe('refused-creates-create-nothing', () => {
  const exchange = (label: string, status: number): [number, EventBody] => [
    0,
    { kind: 'exchange', label, via: 'origin', method: 'PUT', path: '/x', invokedAtMs: 0, status, headers: {}, bytes: 0 },
  ]
  const verdict = (put: number, get: number) =>
    judge('refused-creates-create-nothing', {}, [exchange('refused-create/both', put), exchange('refused-look/both', get)])

  it('wants 400 and then 404', () => {
    expect(verdict(400, 404).verdict).toBe('pass')
    expect(verdict(201, 200).verdict).toBe('fail')
    expect(verdict(400, 200).verdict).toBe('fail')
    expect(judge('refused-creates-create-nothing', {}, []).verdict).toBe('unknown')
  })
})
