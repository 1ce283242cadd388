import { describe, expect, it } from 'vitest'
import type { EventBody, Exchange, Handshake, HistoryEvent } from '../../harness/history.ts'
import { filesStayBoundedCheck } from '../../harness/checks/files-stay-bounded.ts'
import { recommendFileHandles } from '../../harness/checks/recommend-file-handles.ts'
import { appended, judge, read } from './judging.ts'

function shake(more: Partial<Handshake> = {}): [number, EventBody] {
  const base: Handshake = {
    kind: 'handshake',
    via: 'tls',
    label: 'offers-h2',
    host: 'localhost',
    authorized: true,
    alpn: 'h2',
    protocol: 'TLSv1.3',
    subjectAltNames: ['DNS:localhost'],
    validToMs: 1,
    chainLength: 3,
  }
  return [0, { ...base, ...more }]
}

describe('chain-is-verified', () => {
  it('fails on an unverified chain and when h2 is not chosen', () => {
    expect(judge('chain-is-verified', {}, [shake()]).verdict).toBe('pass')
    expect(judge('chain-is-verified', {}, [shake({ authorized: false, error: 'expired' })]).verdict).toBe('fail')
    expect(judge('chain-is-verified', {}, [shake({ alpn: 'http/1.1' })]).verdict).toBe('fail')
    expect(judge('chain-is-verified', {}, [shake(), shake({ via: 'origin-tls', alpn: null })]).verdict).toBe('fail')
    expect(judge('chain-is-verified', {}, [shake({ label: 'offers-http1-only' })]).verdict).toBe('unknown')
    expect(judge('chain-is-verified', {}, []).verdict).toBe('unknown')
  })
})

describe('plain-http-serves-nothing', () => {
  const plain = (status: number | null): [number, EventBody] => {
    const exchange: Exchange = { kind: 'exchange', label: 'plain-http', via: 'plain', method: 'GET', path: '/s', invokedAtMs: 0, status, headers: {}, bytes: 5 }
    return [0, exchange]
  }

  it('fails on 200, passes on a redirect, is unknown without an answer', () => {
    expect(judge('plain-http-serves-nothing', {}, [plain(200)]).verdict).toBe('fail')
    expect(judge('plain-http-serves-nothing', {}, [plain(308)]).verdict).toBe('pass')
    expect(judge('plain-http-serves-nothing', {}, [plain(null)]).verdict).toBe('unknown')
  })
})

describe('events-pass-unbuffered', () => {
  const arrival = (afterAckMs: number): [number, EventBody] => [
    0,
    { kind: 'arrival', mode: 'sse', via: 'edge', stream: 's', actor: 'f', record: 'r', appendAckAtMs: 0, afterAckMs },
  ]
  const limits = { afterAckMs: 100, arrivalsMin: 1 }

  it('passes at the bound, fails beyond it and for an event that never came', () => {
    expect(judge('events-pass-unbuffered', limits, [arrival(100)]).verdict).toBe('pass')
    expect(judge('events-pass-unbuffered', limits, [arrival(101)]).verdict).toBe('fail')
    const missing: [number, EventBody] = [0, { kind: 'sample', name: 'no-arrival/sse/tls', value: 1, label: 'r' }]
    expect(judge('events-pass-unbuffered', limits, [arrival(1), missing]).verdict).toBe('fail')
    expect(judge('events-pass-unbuffered', limits, []).verdict).toBe('unknown')
  })
})

describe('recommend-file-handles', () => {
  const round = (maxFileHandles: number, appendsPerSecond: number, p99Ms = 10) => ({
    maxFileHandles,
    appendsPerSecond,
    p99Ms,
    streams: 1_000,
    errors: 0,
    lost: 0,
    openFilesMax: maxFileHandles,
  })
  const advised = (...rounds: ReturnType<typeof round>[]) => recommendFileHandles(rounds)

  it('takes the smallest setting from the default up that keeps up with the fastest', () => {
    expect(advised(round(1_000, 1_000), round(8, 400), round(100, 850))).toMatchObject({ streams: 1_000, maxFileHandles: 100 })
    expect(advised(round(1_000, 1_000), round(8, 400), round(100, 849))).toMatchObject({ maxFileHandles: 1_000 })
    expect(advised(round(1_000, 1_000), round(100, 1_000, 20))!.maxFileHandles).toBe(100)
    expect(advised(round(1_000, 1_000), round(100, 1_000, 21))!.maxFileHandles).toBe(1_000)
  })

  it('says what smaller settings cost, or that they cost nothing', () => {
    expect(advised(round(1_000, 1_000), round(8, 400), round(100, 900))!.because).toBe(
      'with it 900 appends/s, p99 10 ms; with 8 at 44 % of that rate or with longer waits',
    )
    expect(advised(round(100, 1_000), round(8, 990))!.because).toBe(
      'even 8 handles cost nothing that could be measured here (990 appends/s, p99 10 ms), so the server\'s default is enough',
    )
  })

  it('takes a larger pool that was slower for a machine that was busy', () => {
    expect(advised(round(8, 915), round(100, 328, 276), round(1_000, 699))!.maxFileHandles).toBe(100)
  })

  it('never below the server\'s default, and never a setting with errors', () => {
    expect(advised(round(8, 1_000), round(100, 990))!.maxFileHandles).toBe(100)
    expect(advised({ ...round(100, 1_000), errors: 1 }, round(1_000, 900))!.maxFileHandles).toBe(1_000)
    expect(advised({ ...round(100, 1_000), errors: 1 })).toBe(null)
    expect(advised()).toBe(null)
  })
})

describe('files-stay-bounded', () => {
  const sample = (name: string, value: number): [number, EventBody] => [0, { kind: 'sample', name, value, label: 'at 8' }]
  const round = (open: number, extra: [number, EventBody][] = []) =>
    judge('files-stay-bounded', { slack: 4 }, [
      sample('max-file-handles', 8),
      sample('churn-streams', 100),
      sample('open-data-files', open),
      sample('churn-append-ok-ms', 2),
      ...extra,
    ])

  it('passes at the setting and its slack, fails one beyond, and on one failed operation', () => {
    expect(round(12).verdict).toBe('pass')
    expect(round(13)).toMatchObject({ verdict: 'fail', value: 13, limit: 12 })
    expect(round(8, [sample('churn-append-info-ms', 1)]).fingerprint).toContain('/errors/')
  })

  it('counts what was acknowledged in a round and is missing later, in that round', () => {
    const state = filesStayBoundedCheck.init({})
    const events = [
      sample('max-file-handles', 8),
      sample('churn-streams', 100),
      ...appended(1, 2, 'r1'),
      ...appended(3, 4, 'r2'),
      ...read(3.5, 5, ['r1']),
      ...appended(6, 7, 'r3'),
      ...read(8, 9, ['r1', 'r3']),
      ...read(10, 11, ['r1', 'r3']),
    ]
    for (const [atMs, body] of events.toSorted((a, b) => a[0] - b[0])) {
      filesStayBoundedCheck.step(state, { ...body, seq: 1, atMs, scenario: 'test' } as HistoryEvent)
    }
    expect(filesStayBoundedCheck.measure!(state).fileHandles).toMatchObject([{ maxFileHandles: 8, streams: 100, lost: 1 }])
  })

  it('takes the faster of two passes at one setting, and the errors of both', () => {
    const state = filesStayBoundedCheck.init({})
    const pass = (fromMs: number, stepMs: number, kind: string): [number, EventBody][] => [
      [fromMs, { kind: 'sample', name: 'churn-streams', value: 100, label: 'own' }],
      ...Array.from({ length: 11 }, (_, n): [number, EventBody] => [fromMs + n * stepMs, { kind: 'sample', name: 'churn-append-ok-ms', value: stepMs, label: 'own' }]),
      [fromMs + 10 * stepMs, { kind: 'sample', name: `churn-append-${kind}-ms`, value: 1, label: 'own' }],
    ]
    for (const [atMs, body] of [sample('max-file-handles', 8), ...pass(1, 100, 'fail'), ...pass(2_000, 10, 'ok')]) {
      filesStayBoundedCheck.step(state, { ...body, seq: 1, atMs, scenario: 'test' } as HistoryEvent)
    }
    expect(filesStayBoundedCheck.measure!(state).fileHandles).toMatchObject([{ errors: 1, p99Ms: 10, appendsPerSecond: 120 }])
  })

  it('does not apply to an origin without such a pool', () => {
    expect(judge('files-stay-bounded', {}, [sample('no-file-handle-pool', 1)]).verdict).toBe('not-applicable')
    expect(judge('files-stay-bounded', {}, []).verdict).toBe('unknown')
  })
})

describe('second-server-is-refused', () => {
  const attempt = (because: string): [number, EventBody] => [0, { kind: 'lifecycle', hop: 'origin', what: 'refused', label: 'port', because }]

  it('passes only when it ended by itself', () => {
    expect(judge('second-server-is-refused', {}, [attempt('exited')]).verdict).toBe('pass')
    for (const because of ['ready', 'deadline', 'port-taken']) {
      expect(judge('second-server-is-refused', {}, [attempt(because)]).verdict).toBe('fail')
    }
    expect(judge('second-server-is-refused', {}, []).verdict).toBe('unknown')
  })
})
