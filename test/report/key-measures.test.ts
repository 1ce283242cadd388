import { expect, test } from 'vitest'
import { expiryByWay, keyMeasures } from '../../harness/report/key-measures.ts'
import type { CheckResult, FanOutMeasurement, Measurements } from '../../harness/report/result.ts'

const crowd: FanOutMeasurement = {
  mode: 'long-poll',
  path: 'edge-http1',
  generation: '1',
  readers: 10_000,
  answered: 10_000,
  identical: 10_000,
  upstreamRequests: 1,
  probeRequests: 0,
  upstreamRequestsMax: 1,
  arrivalMs: 900,
  connectMs: 800,
  spreadP50Ms: 300,
  spreadP99Ms: 900,
  readerBytes: 3_900,
  spread: [],
}

function passed(id: string): CheckResult {
  return { id, rows: [], severity: 'high', verdict: 'pass', because: '', evidence: [], examined: 1 }
}

function said(measurements: Measurements, checks: CheckResult[] = []): string[] {
  return keyMeasures({ measurements, checks })
}

test('the crowds of a mode are one sentence, which names the worst of them', () => {
  const worse = { ...crowd, path: 'tls-h2' as const, identical: 9_999, upstreamRequests: 3, spreadP99Ms: 1_200 }
  expect(said({ fanOut: [crowd, worse] })).toEqual([
    'long-poll: 2 crowds, 19,999 of 20,000 answers right, at worst 3 upstream requests (1 allowed), p99 at most 1.2 s.',
  ])
})

test('what the stock configuration met is a sentence a mode', () => {
  const stockCache = { configuration: 'varnish/stock.vcl', modes: [{ mode: 'catch-up-tail' as const, crowds: 2, readers: 200, upstreamRequests: 0, wrong: 200 }] }
  expect(said({ stockCache })).toEqual([
    'catch-up at the tail, stock configuration: 200 readers in 2 crowds were 0 upstream requests, and 200 were served old or wrong answers.',
  ])
})

test('probes beyond the limit make a crowd the worst, too', () => {
  expect(said({ fanOut: [crowd, { ...crowd, probeRequests: 2, probeRequestsMax: 1 }] })[0]).toContain(
    'at worst 1 upstream request (1 allowed), 2 probes (1 allowed)',
  )
})

test('a crowd without the cache is the control, and never the worst', () => {
  const control = { ...crowd, path: 'direct' as const, readers: 3_000, identical: 3_000, upstreamRequests: 3_000 }
  expect(said({ fanOut: [crowd, control] })).toEqual([
    'long-poll: 1 crowd, 10,000 of 10,000 answers right, at worst 1 upstream request (1 allowed), p99 at most 900 ms.',
    'Without the cache 3,000 readers were 3,000 upstream requests: the control.',
  ])
})

const durability = {
  kills: 30,
  killsVoid: 1,
  restarts: 31,
  appendsAcknowledged: 12_042,
  lost: 0,
  doubled: 0,
  reordered: 0,
  torn: 0,
  readyMsMax: 94,
}

test('clean kills come with the failure rate they leave possible, unless they are too few', () => {
  const judged = ['nothing-acknowledged-is-lost', 'nothing-is-twice', 'order-is-kept', 'nothing-is-torn'].map(passed)
  const bound = (changes: object) => said({ durability: { ...durability, failureRateBound: 0.1, ...changes } }, judged)[1]
  expect(bound({})).toContain('up to 10 %')
  expect(bound({ kills: 1, failureRateBound: 3 })).toBe('1 clean kill: too few to bound the failure rate.')
  expect(bound({ failureRateBound: null })).toBe(undefined)
  expect(bound({ doubled: 1 })).toBe(undefined)
  expect(said({ durability: { ...durability, failureRateBound: 0.1 } }).length).toBe(1)
})

test('what nobody looked at is not called harmless', () => {
  const seen = { durability: { ...durability, failureRateBound: null } }
  expect(said(seen)).toEqual(['30 kills under load (1 void), 31 starts: 12,042 acknowledged appends, not judged; slowest start 94 ms.'])
  const read = passed('nothing-acknowledged-is-lost')
  expect(said(seen, [read])[0]).toContain('of 12,042 acknowledged appends 0 lost; slowest')
  expect(said(seen, [{ ...read, verdict: 'unknown' }])[0]).toContain('not judged')
  expect(said({ durability: { ...seen.durability, torn: 2 } })[0]).toContain('of 12,042 acknowledged appends 2 torn;')
})

test('looks at expired streams are joined by way, and only late sights are named', () => {
  const looks = [
    { mode: 'sse', via: 'edge', lateByMsMax: 1_200, probes: 3 },
    { mode: 'sse', via: 'edge', lateByMsMax: 0, probes: 4 },
    { mode: 'sse', via: 'origin', lateByMsMax: 0, probes: 2 },
    { mode: 'head', via: 'edge', lateByMsMax: 0, probes: 0 },
  ]
  expect(expiryByWay(looks).find((one) => one.via === 'edge' && one.mode === 'sse')).toEqual({
    mode: 'sse',
    via: 'edge',
    lateByMsMax: 1_200,
    probes: 7,
  })
  expect(said({ expiry: looks })).toEqual([
    '9 looks at expired streams in 2 ways; last seen after the expiry by sse through edge 1.2 s.',
  ])
  expect(said({ expiry: looks.slice(1) })).toEqual(['6 looks at expired streams in 2 ways found nothing.'])
})

test('how far events come behind their append is one sentence for all modes', () => {
  const came = (mode: 'long-poll' | 'sse', via: 'origin' | 'edge' | 'tls', maxMs: number) => ({ mode, via, events: 4, p50Ms: maxMs / 2, maxMs })
  expect(said({ passage: [came('long-poll', 'origin', 0.4), came('long-poll', 'tls', 1.4), came('sse', 'edge', 1_600)] })).toEqual([
    'Events behind their append, at most: long-poll 0.4 ms (origin alone), 1.4 ms (TLS and cache); SSE 1.6 s (cache).',
  ])
})
