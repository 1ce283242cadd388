/** What a cache does with headers, with private answers, with ETags and with URLs: each check on small histories. */
import { describe, expect, it } from 'vitest'
import { movesOfPath } from '../../harness/schedule/generate.ts'
import { answered, applied, claimOf, judged, nothing, upstream, written, type Write } from './scheduled.ts'

const write = (op: Write['op'], fromMs: number, via: Write['via'] = 'edge'): Write => ({ op, via, fromMs, atMs: fromMs + 5, ackMs: fromMs + 10 })
const created = applied(nothing, { op: 'create' })!
const one = applied(created, { op: 'append' })!
const past = written([write('create', 0), write('append', 100)])

describe('headers', () => {
  const sent = { 'cache-control': 'no-cache', etag: '"a"', 'stream-cursor': '7', 'stream-next-offset': 'o1' }
  const verdict = (received: Record<string, string>, more: object = {}, answerMore: object = {}) =>
    judged('headers-reach-the-client', {}, [...past, upstream(1, 200, 201, { headers: sent, ...more }), answered(199, 202, one, { upstream: 1, headers: received, ...answerMore })])

  it('that arrive as they were sent are right', () => {
    expect(verdict(sent)).toMatchObject({ verdict: 'pass', examined: 1, because: '1 answers through the cache carry the origin\'s headers: Cache-Control on 1, ETag on 1, Stream-Cursor on 1.' })
  })

  it.each(Object.keys(sent))('are found where %s is lost or changed', (name) => {
    const { [name as 'etag']: _, ...lost } = sent
    expect(verdict(lost).fingerprint).toBe(`headers-reach-the-client/lost-${name}/history/none/edge`)
    expect(verdict({ ...sent, [name]: 'x' }).fingerprint).toBe(`headers-reach-the-client/changed-${name}/history/none/edge`)
  })

  it('are found where one was added, but for a wider Vary', () => {
    expect(verdict({ ...sent, expires: 'x' }).fingerprint).toContain('added-expires')
    expect(verdict({ ...sent, 'content-range': 'bytes 0-9/60' }, {}, { status: 206 }).fingerprint).toContain('added-content-range')
    expect(verdict({ ...sent, vary: 'Accept-Encoding' }).verdict).toBe('pass')
  })

  it('of a 304 made from a full response need not tell what the body is', () => {
    const full = { headers: { ...sent, 'content-type': 'text/plain' } }
    expect(verdict(sent, full, { status: 304 }).verdict).toBe('pass')
    expect(verdict(sent, full).fingerprint).toContain('lost-content-type')
    expect(verdict({}, full, { status: 304 }).verdict).toBe('fail')
  })

  it('that cannot be traced, or were never sent, prove nothing', () => {
    const untraced = judged('headers-reach-the-client', {}, [...past, answered(199, 202, one, { headers: sent })])
    expect(untraced).toMatchObject({ verdict: 'unknown', because: expect.stringContaining('could be traced') as string })
    expect(judged('headers-reach-the-client', {}, [...past, upstream(1, 200, 201), answered(199, 202, one, { upstream: 1 })])).toMatchObject({ verdict: 'unknown', because: expect.stringContaining('no cache-control, no etag') as string })
    expect(judged('headers-reach-the-client', {}, past).verdict).toBe('unknown')
  })
})

describe('private answers', () => {
  const asked = { authorization: false, cookie: false }
  const all = [
    upstream(1, 200, 201, { headers: { 'cache-control': 'no-store' } }),
    upstream(2, 200, 201, { asked: { ...asked, authorization: true } }),
    upstream(3, 200, 201, { asked: { ...asked, cookie: true } }),
    upstream(4, 200, 201, { target: '/p?live=sse&offset=now' }),
    upstream(5, 200, 201, { headers: { 'cache-control': 'private' } }),
    upstream(6, 200, 201, { headers: { 'set-cookie': 'a=b' } }),
    upstream(7, 200, 201, { asked: { ...asked, authorization: true }, headers: { 'cache-control': 'public, max-age=60' } }),
    upstream(8, 200, 201, { headers: { 'cache-control': 'no-cache' } }),
  ]
  const to = (...numbers: number[]) => numbers.map((number) => answered(199, 202, one, { upstream: number }))
  const verdict = (...numbers: number[]) => judged('private-answers-stay-private', {}, [...past, ...all, ...to(...numbers)])

  it('given once are right', () => {
    expect(verdict(1, 2, 3, 4, 5, 6, 7, 8)).toMatchObject({ verdict: 'pass', examined: 6 })
  })

  it.each([
    [1, 'no-store'],
    [2, 'authorization'],
    [3, 'cookie'],
    [4, 'offset-now'],
    [5, 'private'],
    [6, 'set-cookie'],
  ])('given twice are found: %i, %s', (number, kind) => {
    expect(verdict(1, 2, 3, 4, 5, 6, number).fingerprint).toBe(`private-answers-stay-private/${kind}/history/none/edge`)
  })

  it('are not those marked public, nor an open event stream', () => {
    expect(verdict(1, 2, 3, 4, 7, 7, 8, 8).verdict).toBe('pass')
  })

  it('of which none was seen prove nothing', () => {
    expect(verdict(8, 8).verdict).toBe('unknown')
    expect(verdict(1)).toMatchObject({ verdict: 'unknown', because: 'No response was seen that was: asked for with Authorization; asked for with a cookie; asked for with offset=now.' })
  })
})

describe('errors of the cache', () => {
  const failed = (atMs: number, more: object = {}) => answered(atMs, atMs + 1, nothing, { status: 503, claims: [], ...more })
  const traced = [upstream(1, 200, 201), answered(199, 202, one, { upstream: 1 })]
  const verdict = (...events: Parameters<typeof judged>[2]) => judged('cache-makes-no-errors', {}, [...past, ...events])

  it('are found while the origin can be asked, by the mode that met them', () => {
    expect(verdict(...traced)).toMatchObject({ verdict: 'pass', examined: 1 })
    expect(verdict(...traced, failed(300))).toMatchObject({ verdict: 'fail', value: 1, examined: 2, fingerprint: 'cache-makes-no-errors/503/history/none/edge' })
    expect(verdict(...traced, failed(300, { mode: 'sse', status: 500 })).fingerprint).toBe('cache-makes-no-errors/500/sse/none/edge')
  })

  it('are not those that the origin made, nor what passes no cache', () => {
    expect(verdict(...traced, upstream(2, 290, 301, { status: 503 }), failed(300, { upstream: 2 })).verdict).toBe('pass')
    expect(verdict(...traced, upstream(2, 290, 300, { status: 503 }), failed(300)).verdict).toBe('pass')
    expect(verdict(...traced, failed(300, { via: 'origin' })).verdict).toBe('pass')
    expect(verdict(...traced, failed(300, { status: 404 })).verdict).toBe('pass')
  })

  it('are not those of a time in which the origin could not be asked', () => {
    type Events = Parameters<typeof judged>[2]
    const during = (what: string): Events => [[250, { kind: 'fault', fault: 'the link', what, phase: 'injected' }], [350, { kind: 'fault', fault: 'the link', what, phase: 'healed' }]]
    const stopped: Events = [[250, { kind: 'lifecycle', hop: 'origin', what: 'stopping' }], [350, { kind: 'lifecycle', hop: 'origin', what: 'started' }]]
    expect(verdict(...traced, ...during('link-cut'), failed(300)).verdict).toBe('pass')
    expect(verdict(...traced, ...stopped, failed(300)).verdict).toBe('pass')
    for (const trouble of [during('link-cut'), stopped]) expect(verdict(...traced, ...trouble, failed(400)).verdict).toBe('fail')
    expect(verdict(...traced, ...during('link-slow'), failed(300)).verdict).toBe('fail')
  })

  it('prove nothing where no answer can be traced, or none was seen', () => {
    expect(verdict(failed(300)).verdict).toBe('unknown')
    expect(verdict().verdict).toBe('unknown')
  })
})

describe('a 304', () => {
  const closing = written([write('create', 0), write('append', 100), write('close', 300)])
  const had = { claims: [claimOf(one, 'tail', 0, 0)], status: 304, ifNoneMatch: '"a"' }
  const asked = (atMs: number, more: object = {}) => answered(atMs, atMs + 1, one, { ...had, ...more })
  const full = answered(350, 351, one, { ifNoneMatch: '"a"' })

  it('for what is still so is right, for what was closed, deleted or made anew is not', () => {
    expect(judged('revalidation-is-right', {}, [...closing, asked(200), full])).toMatchObject({ verdict: 'pass', examined: 2 })
    expect(judged('revalidation-is-right', {}, [...closing, asked(311), full]).fingerprint).toBe('revalidation-is-right/changed-and-not-modified/any/none/edge')
    const again = written([write('create', 0), write('append', 100), write('delete', 300), write('create', 400), write('append', 500)])
    const reborn = judged('revalidation-is-right', {}, [...again, asked(550), full])
    expect([reborn.fingerprint, reborn.evidence[0]]).toEqual(['revalidation-is-right/changed-and-not-modified/any/none/edge', expect.stringContaining('stale after delete')])
  })

  it('made of a response from before the change is stale, as any other answer would be', () => {
    const stale = [...closing, upstream(1, 200, 201), asked(311, { upstream: 1 }), full]
    expect(judged('revalidation-is-right', {}, stale).verdict).toBe('pass')
    expect(judged('edge-tells-the-truth', { mode: 'history' }, stale).fingerprint).toBe('edge-tells-the-truth/stale-after-close/history/none/edge')
    const fresh = [...closing, upstream(1, 311, 312), asked(311, { upstream: 1 }), full]
    expect(judged('revalidation-is-right', {}, fresh).fingerprint).toContain('/edge')
    expect(judged('edge-tells-the-truth', { mode: 'history' }, fresh.slice(0, -1)).verdict).toBe('unknown')
  })

  it("is the origin's doing, where it said so itself", () => {
    expect(judged('revalidation-is-right', {}, [...closing, upstream(1, 320, 330, { status: 304 }), asked(311, { upstream: 1 })]).fingerprint).toContain('/origin')
    const sameEtag = upstream(1, 320, 330, { headers: { etag: 'W/"a"' } })
    expect(judged('revalidation-is-right', {}, [...closing, sameEtag, asked(311, { upstream: 1 })]).fingerprint).toContain('/origin')
    expect(judged('revalidation-is-right', {}, [...closing, asked(311, { via: 'origin' })]).fingerprint).toContain('/origin')
  })

  it('proves nothing while nothing changes, or where none was asked for', () => {
    expect(judged('revalidation-is-right', {}, [...closing, asked(200)])).toMatchObject({ verdict: 'unknown', examined: 1 })
    expect(judged('revalidation-is-right', {}, closing).verdict).toBe('unknown')
  })
})

describe('offset URLs', () => {
  const two = applied(one, { op: 'append' })!
  const longer = written([write('create', 0), write('append', 100), write('append', 200)])
  const orders = (numbers: number[]) =>
    numbers.map((number, n) => answered(300, 305, two, { mode: 'long-poll', upstream: number, together: 'g', target: n % 2 === 0 ? '/p?live=long-poll&offset=0' : '/p?offset=0&live=long-poll' }))
  const asked = [upstream(1, 300, 301), upstream(2, 300, 301)]
  const verdict = (...events: [number, ReturnType<typeof answered>[1]][]) => judged('offset-urls-are-shared', {}, [...longer, ...asked, ...events])

  it('lead to the same bytes as far as they go, in whatever order they are written', () => {
    expect(verdict(...orders([1, 1]), answered(150, 151, one), answered(250, 251, two))).toMatchObject({ verdict: 'pass', examined: 2 })
  })

  it('are found where the order asks the origin again', () => {
    expect(verdict(...orders([1, 2]), answered(250, 251, two)).fingerprint).toBe('offset-urls-are-shared/order/long-poll/none/edge')
  })

  it('are found where the bytes differ', () => {
    const other = { claims: [{ ...claimOf(two, 'history', 0, 0), records: ['p/1.1', 'p/1.7'] }] }
    expect(verdict(...orders([1, 1]), answered(250, 251, two), answered(260, 261, two, other)).fingerprint).toBe('offset-urls-are-shared/other-bytes/history/none/edge')
  })

  it('of which no two orders were asked together prove nothing', () => {
    expect(verdict(answered(250, 251, two)).verdict).toBe('unknown')
    expect(verdict().verdict).toBe('unknown')
  })
})

describe('coverage', () => {
  it('of little is unknown, with what was not met and what cannot be', () => {
    const verdict = judged('schedule-covers-the-product', {}, [...past, answered(50, 51, created)])
    expect(verdict).toMatchObject({ verdict: 'unknown', examined: 1 })
    // After the creation, and before the append.
    expect(verdict.because).toContain('Only 2 of 351 combinations')
    expect(verdict.evidence.join()).toMatch(/^Not met: .*there is no ETag before a first creation/)
  })

  it('is told from what happened', () => {
    const share = (...answers: ReturnType<typeof answered>[]) => judged('schedule-covers-the-product', { shareMin: 0 }, [...past, upstream(1, 40, 41), ...answers]).because
    expect(share(answered(105, 106, one))).toContain('2 of 351')
    expect(share(answered(50, 51, created), answered(60, 61, created, { upstream: 1 }))).toContain('4 of 351')
    expect(share(answered(50, 51, created, { via: 'origin' }))).toContain('Nothing was examined')
  })
})

describe('a drawn path', () => {
  it('is the same for a seed, whatever other paths there are', () => {
    expect(movesOfPath(7, 3)).toEqual(movesOfPath(7, 3))
    expect(movesOfPath(7, 3)).not.toEqual(movesOfPath(8, 3))
  })

  it('is plain data', () => {
    const moves = movesOfPath(7, 3)
    expect(JSON.parse(JSON.stringify(moves))).toEqual(moves)
  })
})
