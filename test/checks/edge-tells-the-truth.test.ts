/** The differential history: what a truthful cache says is never held against it, one step beyond is. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Answer, EventBody, ReadMode, Upstream } from '../../harness/history.ts'
import { answered, applied, claimOf, judged, nothing, statesOf, upstream, written, type State, type Write } from './scheduled.ts'

const staleMs = 1_000
const modes: ReadMode[] = ['history', 'tail', 'long-poll', 'head', 'now']

/** Writes one after another, each handled somewhere between its sending and its answer. */
const writes = fc
  .array(
    fc.record({
      op: fc.constantFrom('create' as const, 'append' as const, 'append' as const, 'close' as const, 'delete' as const),
      via: fc.constantFrom('edge' as const, 'origin' as const),
      pauseMs: fc.integer({ min: 1, max: 3_000 }),
      toOriginMs: fc.integer({ min: 0, max: 20 }),
      backMs: fc.integer({ min: 0, max: 20 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((drawn) => {
    let nowMs = 0
    return drawn.map(({ op, via, pauseMs, toOriginMs, backMs }): Write => {
      const fromMs = nowMs + pauseMs
      nowMs = fromMs + toOriginMs + backMs
      return { op, via, fromMs, atMs: fromMs + toOriginMs, ackMs: nowMs }
    })
  })

const reading = fc.record({ atMs: fc.integer({ min: 0, max: 30_000 }), tookMs: fc.integer({ min: 0, max: 50 }), at: fc.double({ min: 0, max: 1, noNaN: true }), from: fc.integer({ min: 0, max: 3 }) })

/** The state that the origin was in at a moment. */
function stateAt(states: ReturnType<typeof statesOf>, atMs: number): State {
  return states.findLast(({ fromMs }) => fromMs <= atMs)!.state
}

const canAsk = (state: State, from: number) => (state.exists ? from <= state.records : true)

describe('a cache that keeps to the bounds', () => {
  it.each(modes)('is never wrong: %s', (mode) => {
    fc.assert(
      fc.property(writes, fc.array(reading, { minLength: 1, maxLength: 20 }), (given, reads) => {
        const states = statesOf(given)
        const events = reads.flatMap(({ atMs, tookMs, at, from }) => {
          // As old as may be: the last write through the cache bounds it, and writes at the origin by a second.
          const seen = given.filter(({ via, ackMs }) => ackMs + (via === 'edge' ? 0 : staleMs) < atMs).at(-1)?.ackMs ?? -1
          const moment = Math.max(seen, atMs - staleMs) + at * (atMs + tookMs - Math.max(seen, atMs - staleMs))
          const state = stateAt(states, moment)
          return canAsk(state, from) ? [answered(atMs, atMs + tookMs, state, { mode, from })] : []
        })
        const verdict = judged('edge-tells-the-truth', { mode, staleMs }, [...written(given), ...events])
        expect(verdict.evidence).toEqual([])
        expect(verdict.verdict).toBe(events.length > 0 ? 'pass' : 'unknown')
      }),
      { numRuns: 300 },
    )
  })
})

describe('one step beyond the bound', () => {
  it.each(modes)('is found: %s', (mode) => {
    fc.assert(
      fc.property(writes, fc.nat(), fc.constantFrom(0, 1, 400), fc.integer({ min: 0, max: 2 }), (given, which, laterMs, from) => {
        const states = statesOf(given)
        fc.pre(states.length > 1)
        const missed = 1 + (which % (states.length - 1))
        const [before, write] = [states[missed - 1]!.state, states[missed]!.by!]
        fc.pre(canAsk(before, from))
        const atMs = write.ackMs + (write.via === 'edge' ? 0 : staleMs) + 1 + laterMs
        const answer = answered(atMs, atMs, before, { mode, from })
        // What a later state would have been answered with in the same words is no lie.
        const later = states.filter(({ fromMs, by }, n) => n >= missed && by!.fromMs <= atMs && fromMs > -Infinity)
        fc.pre(!later.some(({ state }) => canAsk(state, from) && JSON.stringify(answered(atMs, atMs, state, { mode, from })[1]).replace(/"id":\d+/, '') === JSON.stringify(answer[1]).replace(/"id":\d+/, '')))
        const verdict = judged('edge-tells-the-truth', { mode, staleMs }, [...written(given), answer])
        expect(verdict).toMatchObject({ verdict: 'fail', value: 1 })
        expect(verdict.fingerprint).toMatch(new RegExp(`^edge-tells-the-truth/stale-after-[a-z-]+/${mode}/none/edge$`))
      }),
      { numRuns: 300 },
    )
  })

  it('the same answer one step inside is right', () => {
    const given: Write[] = [write('create', 'origin', 0), write('append', 'origin', 100)]
    const before = applied(nothing, { op: 'create' })!
    const verdict = (atMs: number, via: 'edge' | 'origin') =>
      judged('edge-tells-the-truth', { mode: 'tail', staleMs }, [...written([given[0]!, { ...given[1]!, via }]), answered(atMs, atMs + 1, before, { mode: 'tail' })]).verdict
    expect([verdict(1_110, 'origin'), verdict(1_111, 'origin')]).toEqual(['pass', 'fail'])
    expect([verdict(110, 'edge'), verdict(111, 'edge')]).toEqual(['pass', 'fail'])
  })
})

/** A write that takes 10 ms, handled in the middle. */
function write(op: Write['op'], via: Write['via'], fromMs: number): Write {
  return { op, via, fromMs, atMs: fromMs + 5, ackMs: fromMs + 10 }
}

const created = applied(nothing, { op: 'create' })!
const one = applied(created, { op: 'append' })!
const closed = applied(one, { op: 'close' })!
const truth = (mode: ReadMode, events: [number, EventBody][]) => judged('edge-tells-the-truth', { mode, staleMs }, events)

describe('whose doing it is', () => {
  const past = written([write('create', 'edge', 0), write('append', 'edge', 100)])

  it("is the cache's, where the origin's response was right when it was made", () => {
    expect(truth('tail', [...past, upstream(1, 50, 52), answered(200, 201, created, { mode: 'tail', upstream: 1 })]).fingerprint).toContain('stale-after-append/tail/none/edge')
  })

  it("is the origin's, where its response was wrong already", () => {
    const verdict = truth('tail', [...past, upstream(1, 190, 195), answered(180, 201, created, { mode: 'tail', upstream: 1 })])
    expect(verdict.fingerprint).toContain('stale-after-append/tail/none/origin')
    expect(verdict.evidence[0]).toContain('the origin, asked for this reader, had said 200')
  })

  it("is the origin's, where it allowed the cache to keep what is only so now", () => {
    const kept = { headers: { 'cache-control': 'public, max-age=60' } }
    expect(truth('tail', [...past, upstream(1, 50, 52, kept), answered(200, 201, created, { mode: 'tail', upstream: 1 })]).fingerprint).toContain('/origin')
  })

  it('is nobody\'s, where a piece of history is within the lifetime that it was given', () => {
    const gone = [...past, ...written([write('create', 'edge', 0), write('append', 'edge', 100), write('delete', 'edge', 300)]).slice(2)]
    const chunk = { claims: [{ ...claimOf(one, 'history', 0, 0), upToDate: false }], upstream: 1 }
    const verdict = (cacheControl: string, atMs: number) =>
      truth('history', [...gone, upstream(1, 150, 151, { headers: { 'cache-control': cacheControl } }), answered(atMs, atMs + 1, one, chunk)])
    expect(verdict('public, max-age=60', 60_000)).toMatchObject({ verdict: 'pass', because: expect.stringContaining('1 of them old within') as string })
    expect(verdict('public, max-age=60', 60_200)).toMatchObject({ verdict: 'fail' })
    expect(verdict('public, s-maxage=1, max-age=60', 1_200)).toMatchObject({ verdict: 'fail' })
    expect(verdict('no-cache, max-age=60', 1_200)).toMatchObject({ verdict: 'fail' })
  })

  it('stale-while-revalidate allows an old answer only to the one for which the cache asks again', () => {
    const swr = { headers: { 'cache-control': 'public, max-age=1, stale-while-revalidate=300' } }
    const gone = written([write('create', 'edge', 0), write('append', 'edge', 100), write('delete', 'edge', 300)])
    const chunk = { claims: [{ ...claimOf(one, 'history', 0, 0), upToDate: false }], upstream: 1 }
    const first = [...gone, upstream(1, 150, 151, swr), answered(5_000, 5_010, one, chunk), upstream(2, 5_001, 5_005, { status: 404 })]
    expect(truth('history', first).verdict).toBe('pass')
    expect(truth('history', [...first, answered(5_002, 5_012, one, chunk)]).verdict).toBe('fail')
  })

  it('is the origin\'s, for a reader at the origin', () => {
    expect(truth('tail', [...past, answered(200, 201, created, { mode: 'tail', via: 'origin' }), answered(200, 201, one, { mode: 'tail' })]).fingerprint).toContain('/origin')
  })
})

describe('what is told', () => {
  const past = written([write('create', 'edge', 0), write('append', 'edge', 100), write('close', 'edge', 200), write('delete', 'edge', 300), write('create', 'edge', 400)])

  it('of a former life, of a missing stream and of an open one is found by what was missed', () => {
    const told = (atMs: number, state: State) => truth('history', [...past, answered(atMs, atMs + 1, state)]).fingerprint
    expect(told(50, nothing)).toContain('stale-after-create')
    expect(told(250, one)).toContain('stale-after-close')
    expect(told(350, closed)).toContain('stale-after-delete')
    expect(told(450, closed)).toContain('stale-after-delete')
    expect(told(450, nothing)).toContain('stale-after-re-create')
  })

  it('but never was, or is yet to come, is found', () => {
    const mixed = { claims: [{ ...claimOf(one, 'history', 0, 0), nextOffset: 'o7' }] }
    expect(truth('history', [...past, answered(150, 151, one, mixed)]).fingerprint).toContain('never-so')
    const damaged = { claims: [{ ...claimOf(one, 'history', 0, 0), damaged: 1 }] }
    expect(truth('history', [...past, answered(150, 151, one, damaged)]).fingerprint).toContain('never-so')
    expect(truth('history', [...past, answered(50, 51, one)]).fingerprint).toContain('ahead-of-its-time')
  })

  it('while a write got no answer is not judged', () => {
    const unanswered = written([write('create', 'edge', 0)])
    const close = { ...written([write('create', 'edge', 0), write('append', 'edge', 100)])[1]![1], kind: 'info' as const } as EventBody
    const answers = [answered(50, 51, created), answered(150, 151, one), answered(250, 251, created)]
    expect(truth('history', [...unanswered, [110, close], ...answers])).toMatchObject({ verdict: 'unknown', examined: 1 })
  })

  it('by nobody proves nothing', () => {
    expect(truth('history', past)).toMatchObject({ verdict: 'unknown', examined: 0 })
    const failed = Array.from({ length: 3 }, (_, n) => answered(150 + n, 151 + n, one, { status: 503, claims: [] }))
    expect(truth('history', [...past, answered(150, 151, one), ...failed])).toMatchObject({ verdict: 'unknown', examined: 1 })
  })
})

describe('an expired stream', () => {
  const life: [number, EventBody][] = written([write('create', 'edge', 0)]).map(([atMs, body]) => [atMs, { ...body, create: { streamKind: 'k', contentType: 'text/plain', expiresAtMs: 500 } } as EventBody])

  it('may be told of until the bound for its expiry and for the cache have passed', () => {
    const verdict = (atMs: number, via: 'edge' | 'origin') =>
      judged('edge-tells-the-truth', { mode: 'history', staleMs, expiryMs: 200 }, [...life, answered(100, 101, created), answered(atMs, atMs + 1, created, { via })])
    expect(verdict(1_700, 'edge').verdict).toBe('pass')
    expect(verdict(1_701, 'edge').fingerprint).toContain('stale-after-expire/history/none/edge')
    expect(verdict(700, 'origin').verdict).toBe('pass')
    expect(verdict(701, 'origin').fingerprint).toContain('stale-after-expire/history/none/origin')
  })

  it('may be gone from its expiry on, not before', () => {
    const verdict = (atMs: number) => truth('history', [...life, answered(atMs - 1, atMs, nothing)])
    expect(verdict(500).verdict).toBe('pass')
    // The same words as before its creation.
    expect(verdict(499).fingerprint).toContain('stale-after-create')
  })
})

describe('a live reader', () => {
  const past = written([write('create', 'edge', 0), write('append', 'edge', 5_000)])

  it('that waits is to be told in time', () => {
    const quiet = (untilMs: number) => truth('long-poll', [...past, answered(1_000, untilMs, created, { mode: 'long-poll', status: 204 })]).verdict
    expect([quiet(7_010), quiet(7_011)]).toEqual(['pass', 'fail'])
  })

  it('of an event stream may be shown how it came to be, and is to end up to date', () => {
    const claims = [claimOf(created, 'sse', 0, 6_000), claimOf(one, 'sse', 0, 6_000)]
    const followed = (given: typeof claims, untilMs: number) => truth('sse', [...past, answered(5_999, untilMs, one, { mode: 'sse', claims: given })])
    expect(followed(claims, 6_001).verdict).toBe('pass')
    expect(followed(claims.slice(0, 1), 7_010).verdict).toBe('pass')
    expect(followed(claims.slice(0, 1), 7_011).fingerprint).toContain('stale-after-append/sse')
  })

  it('gets nothing of an event stream that the origin has ended', () => {
    const claims = [claimOf(one, 'sse', 0, 6_000)]
    const shared = (endedAtMs: number | null, others: [number, EventBody][] = []) => truth('sse', [...past, upstream(1, 5_100, endedAtMs), ...others, answered(6_000, 6_001, one, { mode: 'sse', claims, upstream: 1 })])
    expect([shared(null).verdict, shared(6_000).verdict, shared(5_900).verdict]).toEqual(['pass', 'pass', 'pass'])
    expect(shared(5_899).fingerprint).toBe('edge-tells-the-truth/ended-event-stream/sse/none/edge')
    // One who came before shows when the end had reached the cache.
    const follower = (endMs: number, more: Partial<Answer> = {}) => [answered(5_200, endMs, one, { mode: 'sse', claims: [claimOf(one, 'sse', 0, 5_300)], upstream: 1, ...more })]
    expect([shared(5_950, follower(6_000)).verdict, shared(5_950, follower(5_999)).verdict]).toEqual(['pass', 'fail'])
    expect([shared(5_899, follower(6_000)).verdict, shared(3_999, follower(6_000)).verdict]).toEqual(['pass', 'fail'])
    // Not one who left by himself, who came later, or whom the cache did not serve.
    expect(shared(5_899, follower(6_000, { left: true })).verdict).toBe('fail')
    expect(shared(5_899, follower(6_000, { invokedAtMs: 5_900 })).verdict).toBe('fail')
    expect(shared(5_899, follower(6_000, { via: 'origin' })).verdict).toBe('fail')
  })

  const reborn = (via: Write['via']) => written([write('create', 'edge', 0), write('append', 'edge', 100), write('delete', via, 5_000), write('create', via, 5_100)])
  const ofFormerLife = (via: Write['via'], atMs: number, endedAtMs: number | null) => {
    const claims = [claimOf(one, 'sse', 0, atMs)]
    return truth('sse', [...reborn(via), upstream(1, 200, endedAtMs), answered(atMs, atMs + 1, one, { mode: 'sse', claims, upstream: 1 })])
  }

  it('that comes anew gets no record of a former life', () => {
    expect(ofFormerLife('edge', 4_999, null).verdict).toBe('pass')
    expect(ofFormerLife('edge', 5_011, null).fingerprint).toContain('stale-after-delete/sse/none/edge')
  })

  it('at an offset of a former life is not judged by where this life comes to it later', () => {
    const again = written([write('create', 'edge', 0), write('append', 'edge', 100), write('delete', 'edge', 5_000), write('create', 'edge', 5_100), write('append', 'edge', 5_200)])
    const secondLife = { exists: true, life: 2, records: 1, closed: false }
    const answer = (mode: ReadMode, fromMs: number) => answered(fromMs, 5_300, secondLife, { mode, from: 1, claims: [claimOf(secondLife, mode, 0, 5_299)] })
    for (const mode of ['sse', 'long-poll'] as const) {
      expect(truth(mode, [...again, answer(mode, 5_150)]).verdict).toBe('pass')
      expect(truth(mode, [...again, answer(mode, 5_211)]).fingerprint).toContain(`never-so/${mode}/none/edge`)
    }
    expect(truth('history', [...again, answer('history', 5_150)]).verdict).toBe('fail')
  })

  it('may share what the origin leaves open, which is then its own doing', () => {
    expect(ofFormerLife('origin', 7_000, null).verdict).toBe('pass')
    expect(ofFormerLife('origin', 7_200, null).fingerprint).toContain('stale-after-re-create/sse/none/origin')
  })
})

describe('readers that ask together', () => {
  const past = written([write('create', 'edge', 0), write('append', 'edge', 100)])
  const group = (numbers: number[], atMs = (n: number) => 200 + n) =>
    numbers.map((number, n) => answered(atMs(n), atMs(n) + 5, one, { upstream: number, together: 'g' }))
  const asked = (count: number, endedAtMs = 210) => Array.from({ length: count }, (_, n) => upstream(n + 1, 200, endedAtMs))

  it('make one request', () => {
    expect(truth('history', [...past, ...asked(1), ...group([1, 1, 1])])).toMatchObject({ verdict: 'pass', because: expect.stringContaining('1 group of 3 readers made 1 request.') as string })
    expect(truth('history', [...past, ...asked(2), ...group([1, 1, 2])])).toMatchObject({ verdict: 'fail', fingerprint: 'edge-tells-the-truth/stampede/history/none/edge' })
  })

  it('make one more for each full bound over which they come', () => {
    expect(truth('history', [...past, ...asked(2), ...group([1, 1, 2], (n) => 200 + n * 500)]).verdict).toBe('pass')
    expect(truth('history', [...past, ...asked(2), ...group([1, 1, 2], (n) => 200 + n * 499)]).verdict).toBe('fail')
  })

  it('make one more where the machine took so long to bring them to the cache', () => {
    const slowly = (apartMs: number) => truth('history', [...past, upstream(1, 202, 203), upstream(2, 202 + apartMs, 203 + apartMs), ...group([1, 1, 2])]).verdict
    expect([slowly(1_000), slowly(999)]).toEqual(['pass', 'fail'])
  })

  it('make one more for a write meanwhile, for one that the cache did not see, and for a path that it finds gone', () => {
    const racing = written([write('create', 'edge', 0), write('append', 'edge', 201)])
    expect(truth('history', [...racing, ...asked(2), ...group([1, 2])]).verdict).toBe('pass')
    const unseen = written([write('create', 'edge', 0), write('append', 'origin', 100)])
    expect(truth('history', [...unseen, ...asked(2), ...group([1, 2])]).verdict).toBe('pass')
    expect(truth('history', [...past, ...asked(2), upstream(9, 201, 202, { method: 'HEAD', status: 404 }), ...group([1, 2])]).verdict).toBe('pass')
  })

  it('of an event stream make one more for each that had ended when the next was asked for', () => {
    const ended = (endedAtMs: number) =>
      truth('sse', [...past, upstream(1, 200, endedAtMs), upstream(2, 210, null), ...[1, 2].map((number, n) => answered(200 + n, 220, one, { mode: 'sse', upstream: number, together: 'g', claims: [claimOf(one, 'sse', 0, 215)] }))]).verdict
    expect([ended(209), ended(211)]).toEqual(['pass', 'fail'])
  })

  it('are not counted where they said who they are, as an origin asks of everybody', () => {
    const asSomebody = [1, 2].map((number) => upstream(number, 200, 210, { asked: { authorization: true, cookie: false } }))
    expect(truth('history', [...past, ...asSomebody, ...group([1, 2])]).verdict).toBe('pass')
    expect(truth('history', [...past, asSomebody[0]!, upstream(2, 200, 210), upstream(3, 200, 210), ...group([2, 3])]).verdict).toBe('fail')
  })

  it('are not counted where they may not share', () => {
    const marked = (cacheControl: string) => [1, 2].map((number) => upstream(number, 200, 210, { headers: { 'cache-control': cacheControl } }))
    expect(truth('history', [...past, ...marked('private'), ...group([1, 2])]).verdict).toBe('pass')
    expect(truth('history', [...past, ...marked('max-age=0'), ...group([1, 2])]).verdict).toBe('fail')
    expect(truth('now', [...past, ...asked(2), ...[1, 2].map((number) => answered(200, 205, one, { mode: 'now', upstream: number, together: 'g' }))]).verdict).toBe('pass')
  })

  it('are not counted for as long as the cache could not know that the URL is not private any more', () => {
    const made = (via: Write['via']) => written([write('create', via, 0), write('append', via, 100)])
    const told = (atMs: number, more: Partial<Upstream> = {}) => upstream(9, atMs, atMs + 2, { headers: { 'cache-control': 'private' }, ...more })
    const verdict = (via: Write['via'], before: [number, EventBody]) => truth('history', [...made(via), before, ...[1, 2, 3].map((number) => upstream(number, 1_093, 1_094)), ...group([1, 2, 3], (n) => 1_090 + n)]).verdict
    expect(verdict('origin', told(90))).toBe('pass')
    expect(verdict('origin', told(88))).toBe('fail')
    expect(verdict('edge', told(90))).toBe('fail')
    expect(verdict('origin', told(90, { headers: {} }))).toBe('fail')
    expect(verdict('origin', told(90, { asked: { authorization: true, cookie: false } }))).toBe('fail')
    expect(verdict('origin', told(90, { target: '/p?offset=1' }))).toBe('fail')
  })
})
