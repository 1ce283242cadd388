import { describe, expect, it } from 'vitest'
import type { Crowd, EventBody } from '../../harness/history.ts'
import { judge } from './judging.ts'

function crowd(more: Partial<Crowd> = {}): [number, EventBody] {
  const base: Crowd = {
    kind: 'crowd',
    crowd: 'long-poll edge-http1 1',
    mode: 'long-poll',
    path: 'edge-http1',
    generation: '1',
    stream: 's',
    readers: 100,
    answered: 100,
    outcomes: { complete: 100 },
    statuses: { 200: 100 },
    hashes: { right: 100 },
    expectedSha256: 'right',
    nextOffsets: { o2: 100 },
    expectedNextOffset: 'o2',
    upToDate: 100,
    cursors: { 5: 100 },
    upstreamRequests: 1,
    probeRequests: 0,
    cacheFetches: 2,
    upstreamRequestsAny: 2,
    appendAckAtMs: 0,
    firstSentAtMs: 0,
    lastSentAtMs: 100,
    connectMs: 50,
    arrivalMs: 100,
    spread: [[0.5, 3], [0.99, 9]],
    readerBytes: 3_000,
    columnsFile: '',
  }
  return [0, { ...base, ...more }]
}

describe('stock-cache-is-measured', () => {
  const stock: [number, EventBody] = [0, { kind: 'sample', name: 'stock-configuration', value: 1, label: 'a/stock.conf' }]

  it('adds up the crowds of each mode, however bad, and judges nothing', () => {
    const bad = crowd({ mode: 'catch-up-tail', upstreamRequests: 0, hashes: { old: 60, right: 40 } })
    const verdict = judge('stock-cache-is-measured', {}, [stock, bad, bad, crowd({ upstreamRequests: 100 }), crowd({ path: 'direct' })])
    expect(verdict).toMatchObject({ verdict: 'pass', examined: 300 })
    expect(verdict.evidence).toEqual([
      'catch-up at the tail: 200 readers, 0 upstream requests, 120 wrong answers',
      'long-poll: 100 readers, 100 upstream requests, 0 wrong answers',
    ])
  })

  it('is unknown where the cache was another one, or no crowd came', () => {
    expect(judge('stock-cache-is-measured', {}, [crowd()]).verdict).toBe('unknown')
    expect(judge('stock-cache-is-measured', {}, [stock]).examined).toBe(0)
  })
})

describe('crowd-collapses', () => {
  const verdict = (events: [number, EventBody][], mode: Crowd['mode'] = 'long-poll') =>
    judge('crowd-collapses', { mode, staleMs: 1_000 }, events)

  it('allows one request for a parked crowd and fails on two, however long it took to arrive', () => {
    expect(verdict([crowd({ arrivalMs: 5_000 })]).verdict).toBe('pass')
    const two = crowd({ upstreamRequests: 2, arrivalMs: 5_000, cacheFetches: 3, upstreamRequestsAny: 3 })
    expect(verdict([two])).toMatchObject({ verdict: 'fail', value: 2, limit: 1 })
  })

  it('allows a catch-up crowd one more for each full staleMs of its arrival', () => {
    const catchUp = (arrivalMs: number) => crowd({ mode: 'catch-up', upstreamRequests: 3, arrivalMs })
    expect(verdict([catchUp(2_000)], 'catch-up').verdict).toBe('pass')
    expect(verdict([catchUp(1_999)], 'catch-up').verdict).toBe('fail')
  })

  it('holds the edge\'s own probes against the same limit', () => {
    expect(verdict([crowd({ probeRequests: 1 })]).verdict).toBe('pass')
    expect(verdict([crowd({ probeRequests: 2, arrivalMs: 999 })]).verdict).toBe('fail')
    expect(verdict([crowd({ probeRequests: 2, arrivalMs: 1_000 })]).verdict).toBe('pass')
  })

  it('tells the figure that failed, be it requests or probes, and names the crowd', () => {
    const probes = crowd({ probeRequests: 4, path: 'tls-h2', generation: '2' })
    expect(verdict([crowd(), probes])).toMatchObject({
      verdict: 'fail',
      value: 4,
      unit: 'upstream probes',
      limit: 1,
      because:
        '100 readers at one offset became 4 existence probes (HEAD), where 1 is allowed (long-poll through TLS and the cache over h2, crowd 2).',
    })
    const worse = crowd({ upstreamRequests: 9, upstreamRequestsAny: 10 })
    const both = verdict([probes, worse])
    expect(both).toMatchObject({ value: 9, unit: 'upstream requests', limit: 1 })
    expect(both.because).toMatch(/, and so did 1 other crowd\.$/)
    expect(both.evidence.length).toBe(2)
  })

  it('is unknown when the cache counted more than the tap, when most got no answer, or nothing came', () => {
    expect(verdict([crowd({ cacheFetches: 3 })]).verdict).toBe('unknown')
    expect(verdict([crowd({ answered: 40 })]).verdict).toBe('unknown')
    expect(verdict([])).toMatchObject({ verdict: 'unknown', examined: 0 })
  })

  it('is unknown, not failed, where the host could not hold the crowd', () => {
    const shortfall: EventBody = { kind: 'shortfall', what: 'crowd long-poll edge-http1', because: 'few files' }
    expect(verdict([[0, shortfall], crowd()])).toMatchObject({ verdict: 'unknown', because: 'few files' })
  })
})

describe('crowd-is-served-right', () => {
  const verdict = (more: Partial<Crowd>) => judge('crowd-is-served-right', { mode: 'long-poll' }, [crowd(more)])

  it('passes when all got what was written', () => {
    expect(verdict({})).toMatchObject({ verdict: 'pass', examined: 100, value: 0 })
  })

  it('fails when all got the same, but not what was written', () => {
    expect(verdict({ hashes: { stale: 100 } })).toMatchObject({ verdict: 'fail', value: 100 })
  })

  it('says in its sentence what was wrong', () => {
    expect(verdict({ outcomes: { complete: 98, ended: 2 }, statuses: { 200: 98, 502: 2 }, answered: 98 }).because).toBe(
      '2 of 100 readers did not get exactly what was written: 2 answered 502 (long-poll through the cache over HTTP/1.1, crowd 1).',
    )
    expect(verdict({ outcomes: { complete: 99, truncated: 1 }, answered: 99 }).because).toContain(': 1 truncated (')
    expect(verdict({ hashes: { right: 97, stale: 3 } }).because).toContain(': 3 got other bytes (')
    expect(verdict({ nextOffsets: { o2: 99, o1: 1 } }).because).toContain(': 1 were told another next offset (')
  })

  it('fails on one cut body, one wrong status, one old offset', () => {
    expect(verdict({ outcomes: { complete: 99, truncated: 1 }, answered: 99 })).toMatchObject({ verdict: 'fail', value: 1 })
    expect(verdict({ statuses: { 200: 99, 503: 1 } })).toMatchObject({ verdict: 'fail', value: 1 })
    expect(verdict({ nextOffsets: { o2: 99, o1: 1 } })).toMatchObject({ verdict: 'fail', value: 1 })
  })
})

describe('count-can-be-wrong', () => {
  it('wants one upstream request for each reader without a cache', () => {
    expect(judge('count-can-be-wrong', {}, [crowd({ path: 'direct', upstreamRequests: 100 })]).verdict).toBe('pass')
    expect(judge('count-can-be-wrong', {}, [crowd({ path: 'direct', upstreamRequests: 99 })]).verdict).toBe('unknown')
    expect(judge('count-can-be-wrong', {}, []).verdict).toBe('unknown')
  })
})

describe('cursor-moves-on', () => {
  const verdict = (...cursors: Record<string, number>[]) => judge('cursor-moves-on', {}, cursors.map((given) => crowd({ cursors: given })))

  it('wants a later cursor in the next generation', () => {
    expect(verdict({ 5: 100 }, { 6: 100 }).verdict).toBe('pass')
    expect(verdict({ 5: 100 }, { 5: 100 })).toMatchObject({ verdict: 'fail' })
    expect(verdict({ 5: 100 }, { 6: 99, 5: 1 })).toMatchObject({ verdict: 'fail' })
    expect(verdict({ 5: 99 }, { 6: 100 })).toMatchObject({ verdict: 'fail' })
    expect(verdict({ 5: 100 }).verdict).toBe('unknown')
  })
})
