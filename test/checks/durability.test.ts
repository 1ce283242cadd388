import { describe, expect, it } from 'vitest'
import { appended, created, judge, killed, operation, read, started } from './judging.ts'

const both = [...created(0), ...appended(10, 20, 's/1.1'), ...appended(30, 40, 's/1.2')]

describe('nothing-is-refused', () => {
  const verdict = (events: Parameters<typeof judge>[2]) => judge('nothing-is-refused', {}, events)
  const refused = operation(10, 20, { op: 'append', kind: 'fail', status: 404, append: { record: 's/1.1', bytes: 10 } })

  it('passes when every write was accepted, and is unknown without one', () => {
    expect(verdict(both)).toMatchObject({ verdict: 'pass', examined: 3 })
    expect(verdict([]).verdict).toBe('unknown')
  })

  it('fails on a refused write, and on any request that failed', () => {
    expect(verdict([...created(0), ...refused])).toMatchObject({ verdict: 'fail', value: 1, examined: 2 })
    expect(verdict([...created(0), ...refused]).fingerprint).toBe('nothing-is-refused/404/no-expiry/none/origin')
    const failed = operation(10, 20, { op: 'read', kind: 'info', status: 500 })
    expect(verdict([...created(0), ...failed]).verdict).toBe('fail')
    expect(verdict(operation(0, 1, { op: 'create', kind: 'fail', status: 503, create: { streamKind: 'json', contentType: 'x' } })).verdict).toBe('fail')
  })

  it('leaves reads that find nothing to others, and streams that may have ended', () => {
    expect(verdict([...both, ...operation(50, 60, { op: 'read', kind: 'fail', status: 404 })]).verdict).toBe('pass')
    expect(verdict([...created(0, { ttlSeconds: 2 }), ...refused]).verdict).toBe('pass')
    for (const op of ['close', 'delete'] as const) {
      expect(verdict([...created(0), ...operation(5, 6, { op }), ...refused]).verdict).toBe('pass')
    }
  })

  it('judges the origin, not what a cache answers', () => {
    expect(verdict([...both, ...read(50, 60, [], { via: 'edge', kind: 'info', status: 503 })])).toMatchObject({ verdict: 'pass', examined: 3 })
  })
})

describe('nothing-refused-is-stored', () => {
  const verdict = (events: Parameters<typeof judge>[2]) => judge('nothing-refused-is-stored', {}, events)
  const one = [...created(0), ...appended(10, 20, 's/1.1')]
  const refusal = operation(30, 40, { op: 'append', kind: 'fail', status: 404, append: { record: 's/1.2', bytes: 10 } })

  it('passes when what was refused is not read back, and fails when it is', () => {
    expect(verdict([...one, ...refusal, ...read(50, 60, ['s/1.1'])])).toMatchObject({ verdict: 'pass', examined: 1 })
    const found = verdict([...one, ...refusal, ...read(50, 60, ['s/1.1', 's/1.2'])])
    expect(found).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'nothing-refused-is-stored/stored/no-expiry/none/origin' })
    expect(found.evidence[0]).toContain('s/1.2 was refused (404)')
  })

  it('says nothing of an append of which another attempt may have happened', () => {
    const unanswered = appended(21, 29, 's/1.2', 'info')
    expect(verdict([...one, ...unanswered, ...refusal, ...read(50, 60, ['s/1.1', 's/1.2'])]).verdict).toBe('pass')
    expect(verdict([...one, ...refusal, ...appended(41, 45, 's/1.2'), ...read(50, 60, ['s/1.1', 's/1.2'])]).verdict).toBe('pass')
  })

  it('is unknown when nothing was read', () => {
    expect(verdict([...one, ...refusal])).toMatchObject({ verdict: 'unknown' })
  })
})

describe('nothing-acknowledged-is-lost', () => {
  const verdict = (events: Parameters<typeof judge>[2]) => judge('nothing-acknowledged-is-lost', {}, events)

  it('passes when everything acknowledged is read back', () => {
    expect(verdict([...both, ...read(50, 60, ['s/1.1', 's/1.2'])])).toMatchObject({ verdict: 'pass', examined: 2 })
  })

  it('fails on one missing append, names it, and gives a fingerprint without numbers', () => {
    const found = verdict([...both, ...killed(45, 1, 2), ...started(48, 3), ...read(50, 60, ['s/1.1'])])
    expect(found).toMatchObject({ verdict: 'fail', value: 1 })
    expect(found.evidence[0]).toContain('s/1.2')
    expect(found.fingerprint).toBe('nothing-acknowledged-is-lost/lost/no-expiry/kill/origin')
  })

  it('names the mildest fault, whichever stream was read first: what a stop loses is lost by a kill, too', () => {
    const other = (at: number) => appended(at, at + 1, 's/1.2')
    const stop: Parameters<typeof judge>[2] = [[45, { kind: 'lifecycle', hop: 'origin', what: 'stopped', tookMs: 1 }]]
    const events = [...created(0), ...appended(10, 20, 's/1.1'), ...other(30), ...stop, ...read(50, 60, ['s/1.1']), ...killed(70, 1, 2), ...started(72, 3), ...read(80, 90, [])]
    expect(verdict(events)).toMatchObject({ value: 2, fingerprint: 'nothing-acknowledged-is-lost/lost/no-expiry/stop/origin' })
    const onlyByKill = [...created(0), ...appended(10, 20, 's/1.1'), ...stop, ...read(50, 60, ['s/1.1']), ...killed(70, 1, 2), ...started(72, 3), ...read(80, 90, [])]
    expect(verdict(onlyByKill)).toMatchObject({ value: 1, fingerprint: 'nothing-acknowledged-is-lost/lost/no-expiry/kill/origin' })
  })

  it('names the hop that is nearest to the origin, though it was seen behind the cache first', () => {
    const lostBy = (via: 'origin' | 'edge', at: number) => read(at, at + 1, ['s/1.1'], { via })
    const later = 2_000
    expect(verdict([...both, ...lostBy('edge', later), ...lostBy('origin', later + 10)])).toMatchObject({ value: 1, fingerprint: 'nothing-acknowledged-is-lost/lost/no-expiry/none/origin' })
    expect(verdict([...both, ...lostBy('edge', later)]).fingerprint).toBe('nothing-acknowledged-is-lost/lost/no-expiry/none/edge')
  })

  it('is unknown where a kind of stream took no append at all', () => {
    const json = operation(60, 61, { op: 'create', stream: 'j', status: 201, create: { streamKind: 'json', contentType: 'application/json' } })
    const append = (kind: 'ok' | 'fail') => operation(62, 63, { op: 'append', stream: 'j', kind, append: { record: 'j/1.1', bytes: 10 } })
    const all = [...both, ...json, ...read(80, 90, ['s/1.1', 's/1.2'])]
    const readBack = read(80, 90, ['j/1.1'], { stream: 'j' })
    expect(verdict([...all, ...append('fail')])).toMatchObject({ verdict: 'unknown', because: expect.stringContaining('json (append)') })
    expect(verdict([...all, ...append('ok'), ...readBack]).verdict).toBe('pass')
  })

  it('counts a stream that answers 404 as lost', () => {
    const gone = operation(50, 60, { op: 'read', kind: 'fail', status: 404 })
    expect(verdict([...both, ...gone])).toMatchObject({ verdict: 'fail', value: 2 })
  })

  it('lets an unanswered append be either', () => {
    const unanswered = [...created(0), ...appended(10, 20, 's/1.1'), ...appended(30, 40, 's/1.2', 'info')]
    expect(verdict([...unanswered, ...read(50, 60, ['s/1.1'])]).verdict).toBe('pass')
    expect(verdict([...unanswered, ...read(50, 60, ['s/1.1', 's/1.2'])]).verdict).toBe('pass')
  })

  it('does not expect what was acknowledged after the read was sent', () => {
    expect(verdict([...both, ...read(35, 60, ['s/1.1'])]).verdict).toBe('pass')
  })

  it('lets a cached read miss what is younger than the bound, and nothing older', () => {
    const late = (atMs: number) => [...both, ...read(atMs, atMs + 5, ['s/1.1'], { via: 'edge' })]
    expect(verdict(late(1_039)).verdict).toBe('pass')
    expect(verdict(late(1_041)).verdict).toBe('fail')
  })

  it('is unknown when a written stream was never read, or nothing was', () => {
    expect(verdict(both).verdict).toBe('unknown')
    expect(verdict([]).verdict).toBe('unknown')
  })
})

describe('nothing-is-twice', () => {
  it('passes on distinct records and fails on a double', () => {
    expect(judge('nothing-is-twice', {}, [...both, ...read(50, 60, ['s/1.1', 's/1.2'])]).verdict).toBe('pass')
    const doubled = judge('nothing-is-twice', {}, [...both, ...read(50, 60, ['s/1.1', 's/1.2', 's/1.1'])])
    expect(doubled).toMatchObject({ verdict: 'fail', value: 1 })
  })

  it('is unknown when nothing was read', () => {
    expect(judge('nothing-is-twice', {}, both).verdict).toBe('unknown')
  })
})

describe('order-is-kept', () => {
  it('fails when one that was acknowledged first stands second', () => {
    expect(judge('order-is-kept', {}, [...both, ...read(50, 60, ['s/1.1', 's/1.2'])]).verdict).toBe('pass')
    expect(judge('order-is-kept', {}, [...both, ...read(50, 60, ['s/1.2', 's/1.1'])]).verdict).toBe('fail')
  })

  it('lets appends that were in flight together stand in either order', () => {
    const together = [...created(0), ...appended(10, 40, 's/1.1'), ...appended(20, 30, 's/1.2')]
    expect(judge('order-is-kept', {}, [...together, ...read(50, 60, ['s/1.2', 's/1.1'])]).verdict).toBe('pass')
  })
})

describe('nothing-is-torn', () => {
  it('fails on damage and on a record of an earlier life of the path', () => {
    const damaged = [{ at: 3, bytes: 7, what: 'junk' }]
    const torn = read(50, 60, ['s/1.1'], {})
    ;(torn[1]![1] as { read: { damaged: unknown[] } }).read.damaged = damaged
    expect(judge('nothing-is-torn', {}, [...both, ...torn]).verdict).toBe('fail')
    const old = [...both, ...created(100).map(again), ...read(200, 210, ['s/1.1'], { incarnation: 2 })]
    expect(judge('nothing-is-torn', {}, old)).toMatchObject({ verdict: 'fail', fingerprint: 'nothing-is-torn/foreign/no-expiry/none/origin' })
  })

  it('accepts what a fork inherits', () => {
    const fork = [...created(0, { inherits: ['other/1.1'] }), ...read(50, 60, ['other/1.1', 's/1.1'])]
    expect(judge('nothing-is-torn', {}, fork).verdict).toBe('pass')
  })
})

function again([atMs, body]: [number, unknown]): [number, never] {
  return [atMs, { ...(body as object), incarnation: 2 } as never]
}

describe('every-stream-still-exists', () => {
  const verdict = (events: Parameters<typeof judge>[2]) => judge('every-stream-still-exists', {}, events)
  const closed = [...created(0), ...operation(10, 20, { op: 'close', status: 204 })]

  it('passes for streams that kept type and state', () => {
    const headers = { 'content-type': 'text/plain', 'stream-closed': 'true' }
    expect(verdict([...closed, ...read(30, 40, [], { headers })]).verdict).toBe('pass')
  })

  it('fails for a closed stream that is open again, another type, a 404, and one that came back', () => {
    expect(verdict([...closed, ...read(30, 40, [])]).fingerprint).toContain('/closed/')
    expect(verdict([...created(0), ...read(30, 40, [], { headers: { 'content-type': 'text/html' } })]).fingerprint).toContain('/type/')
    expect(verdict([...created(0), ...read(30, 40, [], { kind: 'fail', status: 404 })]).fingerprint).toContain('/gone/')
    const deleted = [...created(0), ...operation(10, 20, { op: 'delete', status: 204 })]
    expect(verdict([...deleted, ...read(30, 40, [])]).fingerprint).toContain('/undead/')
    expect(verdict([...deleted, ...read(30, 40, [], { kind: 'fail', status: 404 })]).verdict).toBe('pass')
  })
})

describe('kills-hit-a-working-server', () => {
  const verdict = (events: Parameters<typeof judge>[2]) => judge('kills-hit-a-working-server', {}, events)

  it('counts only kills with an append in flight and 20 acknowledged before', () => {
    const good = Array.from({ length: 5 }, (_, n) => killed(n, 1, 20)).flat()
    expect(verdict(good)).toMatchObject({ verdict: 'pass', value: 5 })
    expect(verdict([...good.slice(0, 3), ...killed(9, 0, 50), ...killed(10, 3, 19)])).toMatchObject({ verdict: 'unknown', value: 3 })
    expect(verdict([]).verdict).toBe('unknown')
  })
})

describe('nothing-acknowledged-is-lost, of streams that others judge,', () => {
  it('expects none of those to be read back', () => {
    const other = [
      ...operation(70, 71, { op: 'create', stream: 't-1', status: 201, create: { streamKind: 'no-expiry', contentType: 'text/plain' } }),
      ...operation(80, 90, { op: 'append', stream: 't-1', append: { record: 't-1/1.1', bytes: 10 } }),
    ]
    const verdict = (except: string) => judge('nothing-acknowledged-is-lost', { except }, [...both, ...read(50, 60, ['s/1.1', 's/1.2']), ...other]).verdict
    expect([verdict(''), verdict('t-')]).toEqual(['unknown', 'pass'])
  })

  it('does not ask whether any of those took an append', () => {
    const refused = [
      ...operation(70, 71, { op: 'create', stream: 't-1', status: 201, create: { streamKind: 'scheduled', contentType: 'text/plain' } }),
      ...operation(80, 90, { op: 'append', stream: 't-1', kind: 'fail', status: 404, append: { record: 't-1/1.1', bytes: 10 } }),
    ]
    const verdict = (except: string) => judge('nothing-acknowledged-is-lost', { except }, [...both, ...read(50, 60, ['s/1.1', 's/1.2']), ...refused]).verdict
    expect([verdict(''), verdict('t-')]).toEqual(['unknown', 'pass'])
  })
})

describe('nothing-acknowledged-is-lost, in words', () => {
  it('names the streams, their kinds, what they lost and after what', () => {
    const events = [
      ...created(0),
      ...appended(1, 2, 'r1'),
      ...appended(3, 4, 'r2'),
      ...killed(5, 0, 2),
      ...started(6, 1),
      ...read(7, 8, []),
      ...read(9, 10, []),
    ]
    const found = judge('nothing-acknowledged-is-lost', {}, events)
    expect(found).toMatchObject({ verdict: 'fail', value: 2 })
    expect(found.because).toBe('2 acknowledged appends of 1 stream (no-expiry) were missing when read back after a kill.')
    expect(found.evidence).toEqual(['s (no-expiry) lost 2 appends: r1 was acknowledged at +2 ms, missing at +8 ms through origin, after a kill'])
  })
})

describe('ready-within', () => {
  it('passes at the deadline, fails one millisecond beyond it, and when a start never was ready', () => {
    expect(judge('ready-within', { readyMs: 100 }, started(0, 100)).verdict).toBe('pass')
    expect(judge('ready-within', { readyMs: 100 }, started(0, 101)).verdict).toBe('fail')
    const hung = [[5, { kind: 'lifecycle', hop: 'origin', what: 'not-ready', because: 'it hung', logLines: ['last words'] }]]
    const found = judge('ready-within', { readyMs: 100 }, [...started(0, 10), ...(hung as never[])])
    expect(found.verdict).toBe('fail')
    expect(found.evidence).toContain('last words')
    expect(judge('ready-within', {}, []).verdict).toBe('unknown')
  })
})
