/** Live readers behind a cache, and a cache whose origin is down: each check on small histories. */
import { describe, expect, it } from 'vitest'
import type { Answer, EventBody } from '../../harness/history.ts'
import { answered, applied, claimOf, judged, nothing, offset, upstream, written, type Write } from './scheduled.ts'

const write = (op: Write['op'], fromMs: number, via: Write['via'] = 'edge'): Write => ({ op, via, fromMs, atMs: fromMs + 5, ackMs: fromMs + 10 })
const created = applied(nothing, { op: 'create' })!
const one = applied(created, { op: 'append' })!
const past = written([write('create', 0), write('append', 100)])

describe('readers-never-spin', () => {
  /** A reader at the tail that is told nothing new, `tookMs` after it asked. */
  const poll = (fromMs: number, tookMs: number, more: Partial<Answer> = {}): [number, EventBody] => {
    const target = `/p?cursor=${fromMs}&live=long-poll&offset=${offset(1)}`
    return answered(fromMs, fromMs + tookMs, one, { mode: 'long-poll', from: 1, status: 204, fromOffset: offset(1), target, ...more })
  }
  const verdict = (answers: [number, EventBody][], limits = {}) => judged('readers-never-spin', limits, [...past, ...answers])

  it('passes readers that are held until there is something, or the origin lost its patience', () => {
    expect(verdict([poll(1_000, 1_000), poll(2_000, 1_000), poll(3_000, 1_000)])).toMatchObject({ verdict: 'pass', examined: 3, limit: 5 })
  })

  it('allows two quick answers without news in a row, and no third', () => {
    const quick = [poll(1_000, 240), poll(2_000, 240)]
    expect(verdict([...quick, poll(3_000, 260)]).verdict).toBe('pass')
    expect(verdict([...quick, poll(3_000, 240)])).toMatchObject({ verdict: 'fail', fingerprint: 'readers-never-spin/spin/long-poll/none/edge' })
  })

  it('counts what brings news as no spin', () => {
    const news = { status: 200, claims: [claimOf(one, 'long-poll', 0, 0)], fromOffset: offset(0) }
    expect(verdict([poll(1_000, 10), poll(2_000, 10), poll(3_000, 10, news), poll(4_000, 10)]).verdict).toBe('pass')
  })

  it('fails where one reader is given the same response twice; two readers may share it', () => {
    expect(verdict([poll(1_000, 1_000, { upstream: 7 }), poll(2_000, 1_000, { upstream: 7, actor: 'another' })]).verdict).toBe('pass')
    expect(verdict([poll(1_000, 1_000, { upstream: 7 }), poll(2_000, 1_000, { upstream: 7 })])).toMatchObject({ verdict: 'fail', fingerprint: 'readers-never-spin/loop/long-poll/none/edge' })
  })

  it('bounds the requests of a reader in a second', () => {
    const news = (n: number) => poll(1_000 + n * 200, 10, { status: 200, claims: [claimOf(one, 'long-poll', 0, 0)], fromOffset: offset(0) })
    const answers = (count: number) => Array.from({ length: count }, (_, n) => news(n))
    expect(verdict(answers(5)).verdict).toBe('pass')
    expect(verdict(answers(6))).toMatchObject({ verdict: 'fail', fingerprint: 'readers-never-spin/rate/long-poll/none/edge' })
  })

  it('is unknown where no reader carried a cursor, or none was seen', () => {
    expect(verdict([poll(1_000, 1_000, { target: '/p?live=long-poll' })]).verdict).toBe('unknown')
    expect(verdict([]).verdict).toBe('unknown')
  })
})

describe('origin-down-is-not-hidden', () => {
  const lifecycle = (atMs: number, what: 'stopped' | 'started', tookMs?: number): [number, EventBody] => [atMs, { kind: 'lifecycle', hop: 'origin', what, ...(tookMs === undefined ? {} : { tookMs }) }]
  const down = [lifecycle(1_000, 'stopped'), lifecycle(9_000, 'started', 500)]
  const verdict = (answers: [number, EventBody][]) => judged('origin-down-is-not-hidden', { staleMs: 1_000 }, [...past, ...down, ...answers])
  const said = (fromMs: number, more: Partial<Answer> = {}) => answered(fromMs, fromMs + 10, one, { upstream: 1, ...more })
  const told = (headers: Record<string, string> = {}) => upstream(1, 500, 510, { headers })

  it('passes a cache that says the origin is down', () => {
    expect(verdict([said(3_000, { status: 503, claims: [] })])).toMatchObject({ verdict: 'pass', examined: 1 })
  })

  it('fails one that still says "up to date", one step beyond the bound and not before', () => {
    expect(verdict([told(), said(2_000), said(3_000, { status: 503, claims: [] })]).verdict).toBe('pass')
    expect(verdict([told(), said(2_001)])).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'origin-down-is-not-hidden/claimed/history/stop/edge' })
  })

  it.each<[string, Partial<Answer>]>([
    ['that there is no such stream', { status: 404, claims: [] }],
    ['the tail of a HEAD', { mode: 'head', claims: [claimOf(one, 'head', 0, 0)] }],
    ['that it is closed', { claims: [{ ...claimOf(one, 'history', 0, 0), upToDate: false, closed: true }] }],
  ])('fails one that says %s', (_what, more) => {
    expect(verdict([told(), said(3_000, more)]).verdict).toBe('fail')
  })

  it('lets go on what the origin gave a lifetime, as long as that lasts', () => {
    expect(verdict([told({ 'cache-control': 'max-age=4' }), said(4_500)]).verdict).toBe('pass')
    expect(verdict([told({ 'cache-control': 'max-age=4' }), said(4_501)]).verdict).toBe('fail')
  })

  it('holds nothing against what says nothing of now, went to the origin, or came when it was starting', () => {
    const piece = { claims: [{ ...claimOf(one, 'history', 0, 0), upToDate: false }] }
    const others = [said(8_495), said(4_000, { via: 'origin' }), said(4_000, { status: null, claims: [] })]
    expect(verdict([told(), said(3_000, piece), ...others])).toMatchObject({ verdict: 'pass', examined: 1 })
  })

  it('is unknown where nobody asked', () => {
    expect(verdict([]).verdict).toBe('unknown')
  })
})
