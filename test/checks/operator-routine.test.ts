/** What live readers and other clients see while an operator is at work. */
import { describe, expect, it } from 'vitest'
import type { EventBody, Follow, HopId, Look } from '../../harness/history.ts'
import { appended, created, judge, operation } from './judging.ts'

type Events = [number, EventBody][]

const base = { kind: 'follow' as const, reader: 'sse-edge-s', mode: 'sse' as const, via: 'edge' as const, stream: 's', incarnation: 1 }
const follow = (atMs: number, what: Follow['what'], more: Partial<Follow> = {}): Events => [[atMs, { ...base, what, ...more }]]
const received = (atMs: number, numbers: number[], more: Partial<Follow> = {}) => follow(atMs, 'received', { records: numbers.map((n) => `s/1.${n}`), ...more })
const ended = (atMs: number, at: NonNullable<Follow['at']> = 'closed') => follow(atMs, 'ended', { at })
const lifecycle = (atMs: number, what: 'stopping' | 'stopped' | 'killed' | 'started', more: { hop?: HopId; tookMs?: number } = {}): Events => [
  [atMs, { kind: 'lifecycle', hop: 'origin', what, ...more }],
]
const stopped = (fromMs: number, toMs: number, hop: HopId = 'origin'): Events => [
  ...lifecycle(fromMs, 'stopping', { hop }),
  ...lifecycle((fromMs + toMs) / 2, 'stopped', { hop, tookMs: (toMs - fromMs) / 2 }),
  ...lifecycle(toMs, 'started', { hop, tookMs: 1 }),
]
const routine = (fromMs: number, toMs: number, fault: string, more: object = { proven: true, proof: 'seen' }, hop: HopId = 'tls'): Events => [
  [fromMs, { kind: 'fault', fault, hop, phase: 'injected' }],
  [toMs, { kind: 'fault', fault, hop, phase: 'healed', ...more }],
]
/** Appends 1 to n, acknowledged at 11, 21, 31... */
const acknowledged = (n: number): Events => Array.from({ length: n }, (_, at) => appended(10 + at * 10, 11 + at * 10, `s/1.${at + 1}`)).flat()

describe('live readers miss nothing', () => {
  const verdict = (events: Events) => judge('live-readers-miss-nothing', {}, [...created(0), ...events])

  it('where each record comes once and in order, in whatever pieces', () => {
    expect(verdict([...acknowledged(4), ...received(50, [1]), ...received(60, [2, 3, 4]), ...ended(70)])).toMatchObject({ verdict: 'pass', examined: 4 })
  })

  it.each<[string, Events]>([
    ['missed', [...received(50, [1, 3, 4]), ...ended(70)]],
    ['missed', [...received(50, [1, 2, 3]), ...ended(70)]],
    ['missed', ended(70)],
    ['twice', [...received(50, [1, 2]), ...received(60, [2, 3, 4]), ...ended(70)]],
    ['missed', [...received(50, [1, 3, 2, 4]), ...ended(70)]],
    ['damaged', [...received(50, [1, 2, 3, 4], { damaged: ['3 bytes'] }), ...ended(70)]],
    ['foreign', [...received(50, [1, 2, 3, 4]), ...follow(55, 'received', { records: ['t/1.1'] }), ...ended(70)]],
    ['no-end', [...received(50, [1, 2, 3, 4]), ...ended(70, 'behind')]],
  ])('but not with one %s', (invariant, events) => {
    expect(verdict([...acknowledged(4), ...events])).toMatchObject({ verdict: 'fail', fingerprint: `live-readers-miss-nothing/${invariant}/sse/any/edge` })
  })

  it('but name no way where readers come by several: which of them is hit first is chance', () => {
    const hit = (via: 'origin' | 'edge') => {
      const readers = (['origin', 'edge'] as const).flatMap((way) => [
        ...received(50, way === via ? [1, 3, 4] : [1, 2, 3, 4], { via: way, reader: way }),
        ...follow(70, 'ended', { at: 'closed', via: way, reader: way }),
      ])
      return verdict([...acknowledged(4), ...readers]).fingerprint
    }
    expect([hit('origin'), hit('edge')]).toEqual(Array(2).fill('live-readers-miss-nothing/missed/sse/any/any'))
  })

  it('of a record that was acknowledged after readers had gone past it', () => {
    expect(verdict([...appended(10, 90, 's/1.1'), ...appended(20, 21, 's/1.2'), ...received(50, [2]), ...ended(95)])).toMatchObject({ verdict: 'fail' })
  })

  it('of an append that got no answer: it may come, late or not at all', () => {
    const unanswered = appended(15, 16, 's/1.2', 'info')
    const others = [...appended(10, 11, 's/1.1'), ...unanswered, ...appended(20, 21, 's/1.3')]
    expect(verdict([...others, ...received(50, [1, 3]), ...ended(70)]).verdict).toBe('pass')
    expect(verdict([...others, ...received(50, [1, 3, 2]), ...ended(70)]).verdict).toBe('pass')
  })

  it('and receive nothing that was refused, unless it was tried anew', () => {
    const refused = appended(10, 11, 's/1.1', 'fail')
    expect(verdict([...refused, ...received(50, [1]), ...ended(70)])).toMatchObject({ verdict: 'fail' })
    expect(verdict([...refused, ...appended(12, 60, 's/1.1'), ...received(50, [1]), ...ended(70)]).verdict).toBe('pass')
    // The first one may have been stored, whatever became of the second.
    expect(verdict([...appended(5, 6, 's/1.1', 'info'), ...refused, ...received(50, [1]), ...ended(70)]).verdict).toBe('pass')
  })

  it('is unknown without readers, or without their end', () => {
    expect(verdict(acknowledged(4)).verdict).toBe('unknown')
    expect(verdict([...acknowledged(1), ...received(50, [1])]).verdict).toBe('unknown')
  })
})

describe('live readers resume', () => {
  const limits = { resumeMs: 500, keepUpMs: 300, staleMs: 100 }
  const verdict = (events: Events) => judge('live-readers-resume', limits, events)

  it('keep up at their bound, which is wider through the cache, and not a millisecond beyond', () => {
    expect(verdict([...acknowledged(1), ...received(411, [1]), ...ended(500)])).toMatchObject({ verdict: 'pass', value: 400 })
    expect(verdict([...acknowledged(1), ...received(412, [1]), ...ended(500)])).toMatchObject({ verdict: 'fail', fingerprint: 'live-readers-resume/kept-up/sse/none/edge' })
    expect(verdict([...acknowledged(1), ...received(312, [1], { via: 'origin' }), ...ended(500)]).verdict).toBe('fail')
  })

  it('are asked for what was there before them from when they begin', () => {
    const begun = follow(2_000, 'begun')
    expect(verdict([...acknowledged(1), ...begun, ...received(2_400, [1]), ...ended(2_500)])).toMatchObject({ verdict: 'pass', value: 400 })
    expect(verdict([...acknowledged(1), ...begun, ...received(2_401, [1]), ...ended(2_500)])).toMatchObject({ verdict: 'fail', fingerprint: 'live-readers-resume/kept-up/sse/none/edge' })
    expect(verdict([...follow(5, 'begun'), ...acknowledged(1), ...received(412, [1]), ...ended(500)]).verdict).toBe('fail')
  })

  it('are asked for nothing while a hop is down, and come back by the bound after it', () => {
    const down = [...acknowledged(1), ...follow(20, 'cut', { error: 'reset' }), ...stopped(15, 2_000)]
    expect(verdict([...down, ...follow(2_500, 'attached'), ...received(2_600, [1]), ...ended(3_000)]).verdict).toBe('pass')
    expect(verdict([...down, ...follow(2_501, 'attached'), ...received(2_600, [1]), ...ended(3_000)])).toMatchObject({ verdict: 'fail', fingerprint: 'live-readers-resume/resumed/sse/stopping/edge' })
    expect(verdict([...down, ...follow(2_400, 'attached'), ...received(2_601, [1]), ...ended(3_000)])).toMatchObject({ verdict: 'fail', fingerprint: 'live-readers-resume/kept-up/sse/stopping/edge' })
    expect(verdict([...down, ...ended(2_501)])).toMatchObject({ verdict: 'fail' })
  })

  it('count a hop that is not on their way as no excuse', () => {
    const own = { via: 'origin' as const }
    expect(verdict([...acknowledged(1), ...stopped(15, 2_000, 'edge'), ...received(2_100, [1], own), ...ended(2_200)]).verdict).toBe('fail')
  })

  it('fail where some were never attached, and are unknown where there were none', () => {
    expect(verdict([[5, { kind: 'followers', attached: 3, of: 4 }]])).toMatchObject({ verdict: 'fail' })
    expect(verdict([]).verdict).toBe('unknown')
  })
})

describe('no answer is wrong', () => {
  const verdict = (events: Events) => judge('no-answer-is-wrong', { settleMs: 100, drainMs: 1_000 }, [...created(0), ...follow(2, 'attached'), ...events])
  const append = (fromMs: number, toMs: number, more: object) => operation(fromMs, toMs, { op: 'append', append: { record: 's/1.1', bytes: 1 }, ...more })

  it('while nothing goes on and all is answered', () => {
    expect(verdict(acknowledged(3))).toMatchObject({ verdict: 'pass', examined: 5 })
  })

  it.each<[string, Events]>([
    ['404 to a reader', follow(50, 'refused', { status: 404 })],
    ['404 to a reader during a stop', [...stopped(40, 60), ...follow(50, 'refused', { status: 404 })]],
    ['401 to a writer', append(40, 50, { kind: 'fail', status: 401 })],
    ['200 without an offset, during a stop', [...stopped(40, 60), ...follow(50, 'refused', { status: 200, lacks: ['stream-next-offset'] })]],
    ['503 while all is up', follow(50, 'refused', { status: 503 })],
    ['a reset while all is up', follow(50, 'cut', { error: 'ECONNRESET' })],
    ['a reset before a kill was sent', [...follow(44, 'cut', { error: 'reset' }), ...lifecycle(50, 'killed', { tookMs: 5 }), ...lifecycle(60, 'started')]],
    ['503 too long after a stop', [...stopped(20, 40), ...follow(141, 'refused', { status: 503 })]],
    ['500 during a stop', [...stopped(40, 60), ...follow(50, 'refused', { status: 500 })]],
    ['503 because of a hop behind', [...stopped(40, 60, 'edge'), ...follow(50, 'cut', { via: 'origin', error: 'reset' })]],
    ['503 while a certificate is replaced', [...routine(40, 60, 'certificate-replacement'), ...follow(50, 'refused', { via: 'tls', status: 503 })]],
    ['a reset while the cache is flushed', [...routine(40, 60, 'flush', {}, 'edge'), ...follow(50, 'cut', { error: 'reset' })]],
  ])('but for %s', (_what, events) => {
    expect(verdict(events)).toMatchObject({ verdict: 'fail', value: 1 })
  })

  it.each<[string, Events]>([
    ['503 during a stop', [...stopped(40, 60), ...follow(50, 'refused', { status: 503 })]],
    ['503 right after it', [...stopped(20, 40), ...follow(140, 'refused', { status: 503 })]],
    ['no answer during it', [...stopped(40, 60), ...append(45, 50, { kind: 'info', status: undefined, error: 'reset' })]],
    ['a reset before a kill was done', [...follow(45, 'cut', { error: 'reset' }), ...lifecycle(50, 'killed', { tookMs: 5 }), ...lifecycle(60, 'started')]],
    ['a reset after a certificate was replaced', [...routine(40, 60, 'certificate-replacement'), ...follow(1_060, 'cut', { via: 'tls', error: 'reset' })]],
    ['404 for a stream that was deleted', [...operation(20, 21, { op: 'delete', status: 204 }), ...operation(30, 31, { op: 'read', kind: 'fail', status: 404 })]],
  ])('with %s', (_what, events) => {
    expect(verdict(events).verdict).toBe('pass')
  })

  it('named by what is wrong at any time, not by what is missing beside it', () => {
    const gone = follow(50, 'refused', { status: 404 })
    const missing = follow(60, 'cut', { error: 'reset', reader: 'other' })
    for (const events of [gone, [...gone, ...missing], [...missing, ...gone]]) expect(verdict(events).fingerprint).toBe('no-answer-is-wrong/404/sse/none/edge')
    expect(verdict(missing).fingerprint).toBe('no-answer-is-wrong/unanswered/sse/none/edge')
    expect(verdict([...gone, ...missing])).toMatchObject({ value: 2 })
  })

  it('on streams that other checks judge', () => {
    expect(judge('no-answer-is-wrong', { except: 's' }, [...created(0), ...append(5, 6, { kind: 'fail', status: 400 })]).verdict).toBe('unknown')
  })

  it('is unknown where nothing was asked', () => {
    expect(judge('no-answer-is-wrong', {}, []).verdict).toBe('unknown')
  })
})

describe('stops within grace', () => {
  const modes = ['catch-up', 'long-poll', 'sse'] as const
  const readers = modes.flatMap((mode) => follow(5, 'attached', { mode, reader: mode }))
  const stop = (tookMs: number, what: 'stopped' | 'killed' = 'stopped') => [...lifecycle(10, 'stopping'), ...lifecycle(10 + tookMs, what, { tookMs })]
  const verdict = (events: Events) => judge('stops-within-grace', { graceMs: 100 }, events)

  it('at its bound, not beyond it, and not by a kill', () => {
    expect(verdict([...readers, ...stop(100)])).toMatchObject({ verdict: 'pass', value: 100, limit: 100 })
    expect(verdict([...readers, ...stop(101)])).toMatchObject({ verdict: 'fail', fingerprint: 'stops-within-grace/slow/any/stop/origin' })
    expect(verdict([...readers, ...stop(100, 'killed')])).toMatchObject({ verdict: 'fail', fingerprint: 'stops-within-grace/killed/any/stop/origin' })
  })

  it('is unknown without readers of each mode at that moment, or without a stop', () => {
    expect(verdict(stop(50)).verdict).toBe('unknown')
    expect(verdict([...readers, ...follow(6, 'cut', { mode: 'sse', reader: 'sse' }), ...stop(50)]).verdict).toBe('unknown')
    expect(verdict([...readers, ...follow(11, 'cut', { mode: 'sse', reader: 'sse' }), ...stop(50)]).verdict).toBe('pass')
    expect(verdict(readers).verdict).toBe('unknown')
    // Of another hop only those count that come to it.
    const ofTls = (via: 'origin' | 'tls'): Events => [...['catch-up', 'long-poll', 'sse'].flatMap((mode) => follow(5, 'attached', { mode: mode as 'sse', reader: mode, via })), ...lifecycle(10, 'stopping', { hop: 'tls' }), ...lifecycle(60, 'stopped', { hop: 'tls', tookMs: 50 })]
    expect(['tls', 'origin'].map((via) => judge('stops-within-grace', { hop: 'tls', graceMs: 100 }, ofTls(via as 'tls')).verdict)).toEqual(['pass', 'unknown'])
    // A kill that was meant is no stop.
    expect(verdict([...readers, ...lifecycle(10, 'killed')]).verdict).toBe('unknown')
  })
})

describe('routine is done', () => {
  const verdict = (events: Events) => judge('routine-is-done', { routines: ['reload', 'flush'] }, events)
  const flush = routine(10, 20, 'flush')

  it('where both are proven, is unknown where one is not, and fails where it was refused', () => {
    expect(verdict([...flush, ...routine(30, 40, 'reload')])).toMatchObject({ verdict: 'pass', examined: 2 })
    expect(verdict([...flush, ...routine(30, 40, 'reload', { proven: false })]).verdict).toBe('unknown')
    expect(verdict(flush).verdict).toBe('unknown')
    expect(verdict([...flush, ...routine(30, 40, 'reload', { refused: '400: locked' })])).toMatchObject({ verdict: 'fail', fingerprint: 'routine-is-done/refused/any/reload/any' })
  })
})

describe('answers are the same', () => {
  const headers = { 'content-type': 'text/plain', etag: '"a"', 'stream-cursor': '1', date: 'now', 'cache-control': 'no-store' }
  const look = (atMs: number, group: string, more: Partial<Look> = {}): Events => [
    [atMs, { kind: 'look', group, what: 'text, from the start', via: 'edge', status: 200, headers, bytes: 3, sha256: 'abc', ...more }],
  ]
  const verdict = (...events: Events[]) => judge('answers-are-the-same', {}, [...look(1, 'before'), ...events.flat()])

  it('but for what is of the moment, and what compression takes with it', () => {
    expect(verdict(look(2, 'after', { headers: { ...headers, 'stream-cursor': '2', date: 'later', age: '1' } }))).toMatchObject({ verdict: 'pass', examined: 1 })
    const compressed = { ...headers, etag: '"a-gzip"', 'content-encoding': 'gzip', vary: 'Accept-Encoding' }
    expect(verdict(look(2, 'after', { headers: compressed })).verdict).toBe('pass')
  })

  const { 'stream-cursor': _, ...withoutCursor } = headers
  it.each<[string, Partial<Look>]>([
    ['status', { status: 500 }],
    ['etag', { headers: { ...headers, etag: '"b"' } }],
    ['stream-cursor', { headers: withoutCursor }],
    ['vary', { headers: { ...headers, vary: 'Cookie' } }],
    ['x-new', { headers: { ...headers, 'x-new': '1' } }],
    ['body', { sha256: 'abd' }],
    ['answer', { status: null, error: 'reset' }],
  ])('fail by another %s', (what, more) => {
    expect(verdict(look(2, 'after', more))).toMatchObject({ verdict: 'fail', value: 1, fingerprint: `answers-are-the-same/${what}/text/after/edge` })
  })

  it('of a 304 only what it has to repeat', () => {
    const before = look(1, 'before', { what: 'unchanged', status: 304 })
    const { 'content-type': __, ...bare } = headers
    expect(judge('answers-are-the-same', {}, [...before, ...look(2, 'after', { what: 'unchanged', status: 304, headers: bare })]).verdict).toBe('pass')
    expect(judge('answers-are-the-same', {}, [...before, ...look(2, 'after', { what: 'unchanged', status: 304, headers: { ...bare, etag: '"b"' } })]).verdict).toBe('fail')
  })

  it('is unknown where nothing was compared, or not everything', () => {
    expect(verdict().verdict).toBe('unknown')
    expect(verdict(look(1, 'before', { via: 'tls' }), look(2, 'after')).verdict).toBe('unknown')
    expect(judge('answers-are-the-same', {}, [...look(1, 'before', { status: null }), ...look(2, 'after')]).verdict).toBe('unknown')
  })
})

describe('private stays private', () => {
  const asked = (status: number | null): Events => [[1, { kind: 'stranger', what: 'text, from the start', via: 'edge', status, records: status === 200 ? 1 : 0 }]]
  it.each([
    [401, 'pass'],
    [403, 'pass'],
    [200, 'fail'],
    [404, 'fail'],
    [304, 'fail'],
    [null, 'unknown'],
  ] as const)('%s: %s', (status, kind) => {
    expect(judge('private-stays-private', {}, asked(status)).verdict).toBe(kind)
  })

  it('is unknown where nobody asked', () => {
    expect(judge('private-stays-private', {}, []).verdict).toBe('unknown')
  })
})
