import { describe, expect, it } from 'vitest'
import type { EventBody, Exchange, Handshake } from '../../harness/history.ts'
import { judge } from './judging.ts'

function shake(more: Partial<Handshake> = {}): [number, EventBody] {
  const base: Handshake = {
    kind: 'handshake',
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
