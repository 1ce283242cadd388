import { describe, expect, it } from 'vitest'
import type { EventBody, PageOperation, PagePreflight } from '../../harness/history.ts'
import { judge } from './judging.ts'

type Event = [number, EventBody]

const noBrowser: Event = [9, { kind: 'shortfall', what: 'browser', because: 'No Chromium was found.' }]
const otherShortfall: Event = [9, { kind: 'shortfall', what: 'plain HTTP', because: 'There is none.' }]

function operation(where: 'page' | 'node', outcome: string, more: Partial<PageOperation> = {}): Event {
  const base = { kind: 'page-operation' as const, via: 'edge' as const, where, by: 'Chromium 1', operation: 'append', streamKind: 'text' as const, answers: [] }
  return [0, { ...base, outcome, ...more }]
}

describe('operations-work-from-another-origin', () => {
  const verdict = (...events: Event[]) => judge('operations-work-from-another-origin', {}, events)

  it('passes where page and Node have the same outcome, also of an error, and fails where not', () => {
    expect(verdict(operation('page', 'appended'), operation('node', 'appended'))).toMatchObject({ verdict: 'pass', examined: 1 })
    expect(verdict(operation('page', 'FetchError: status 404'), operation('node', 'FetchError: status 404')).verdict).toBe('pass')
    const red = verdict(operation('page', 'TypeError:', { kept: ['MissingAllowOriginHeader'] }), operation('node', 'FetchError: status 404'))
    expect(red).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'operations-work-from-another-origin/append/text/none/edge' })
    expect(red.evidence).toEqual(['append (text) through the cache: in the page "TypeError:" (MissingAllowOriginHeader), in Node "FetchError: status 404"'])
  })

  it('names the origin where that is wrong by itself', () => {
    const wrong = (via: 'origin' | 'tls') => [operation('page', 'a', { via }), operation('node', 'b', { via })]
    expect(verdict(...wrong('tls'), ...wrong('origin')).fingerprint).toBe('operations-work-from-another-origin/append/text/none/origin')
  })

  it('is unknown without events, without a browser, without the control, or when that got nowhere', () => {
    expect(verdict().verdict).toBe('unknown')
    expect(verdict(noBrowser)).toMatchObject({ verdict: 'unknown', because: 'No Chromium was found.' })
    expect(verdict(operation('page', 'appended')).verdict).toBe('unknown')
    expect(verdict(operation('node', 'appended')).verdict).toBe('unknown')
    const late = 'no outcome within 15000 ms'
    expect(verdict(operation('page', late), operation('node', late)).verdict).toBe('unknown')
    expect(verdict(operation('page', late), operation('node', 'appended')).verdict).toBe('fail')
    expect(verdict(operation('page', 'appended'), operation('node', 'appended'), otherShortfall).verdict).toBe('pass')
    expect(verdict(operation('page', 'appended'), operation('node', 'appended'), noBrowser).verdict).toBe('unknown')
  })
})

describe('page-reads-every-header', () => {
  const limits = { headers: ['etag', 'stream-cursor'] }
  const answer = (where: 'page' | 'node', headers: string[], status = 200) => operation(where, 'read', { answers: [{ method: 'GET', status, headers }] })
  const verdict = (...events: Event[]) => judge('page-reads-every-header', limits, events)

  it('fails by the name of a header that came and could not be read', () => {
    expect(verdict(answer('node', ['etag', 'stream-cursor']), answer('page', ['etag', 'stream-cursor']))).toMatchObject({ verdict: 'pass', examined: 2 })
    const red = verdict(answer('node', ['etag', 'stream-cursor']), answer('page', ['etag']))
    expect(red).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'page-reads-every-header/stream-cursor/any/none/edge' })
    expect(red.evidence[0]).toContain('stream-cursor through the cache: in 200 to GET (append, text)')
  })

  it('minds neither what the client does not read, nor what did not come, nor answers that the page never got', () => {
    expect(verdict(answer('node', ['etag', 'server']), answer('page', ['etag'])).verdict).toBe('pass')
    expect(verdict(answer('node', ['etag']), answer('page', ['etag']), answer('node', ['stream-cursor'], 404)).verdict).toBe('pass')
  })

  it('is unknown without events, without a browser, and when no such header came', () => {
    expect(verdict().verdict).toBe('unknown')
    expect(verdict(noBrowser)).toMatchObject({ verdict: 'unknown', because: 'No Chromium was found.' })
    expect(verdict(answer('node', ['server']), answer('page', [])).verdict).toBe('unknown')
    expect(verdict(answer('node', ['etag'])).verdict).toBe('unknown')
  })
})

describe('preflight-allows-everything', () => {
  const ask = (allowed: boolean, more: Partial<PagePreflight> = {}): Event => [
    0,
    { kind: 'page-preflight', via: 'edge', method: 'GET', header: 'if-none-match', allowed, ...(allowed ? {} : { because: 'HeaderDisallowedByPreflightResponse if-none-match' }), ...more },
  ]
  const verdict = (...events: Event[]) => judge('preflight-allows-everything', {}, events)

  it('fails by method and header on one that is refused', () => {
    expect(verdict(ask(true))).toMatchObject({ verdict: 'pass', examined: 1 })
    const red = verdict(ask(true, { via: 'origin' }), ask(false))
    expect(red).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'preflight-allows-everything/get-with-if-none-match/any/none/edge' })
    expect(red.evidence).toEqual(['GET with if-none-match through the cache: HeaderDisallowedByPreflightResponse if-none-match'])
    expect(verdict(ask(false, { method: 'PUT', header: null })).fingerprint).toBe('preflight-allows-everything/put/any/none/edge')
  })

  it('is unknown without events and without a browser', () => {
    expect(verdict().verdict).toBe('unknown')
    expect(verdict(noBrowser).verdict).toBe('unknown')
    expect(verdict(ask(true), noBrowser).verdict).toBe('unknown')
  })
})

describe('browsers-are-not-held-to-six', () => {
  const tabs = (via: 'edge' | 'tls', attached: number, appendMs: number | null): Event => [
    0,
    { kind: 'page-tabs', via, protocol: via === 'tls' ? 'h2' : 'http/1.1', tabs: 7, attached, appendMs, waitMs: 5_000 },
  ]
  const held = tabs('edge', 6, null)
  const verdict = (...events: Event[]) => judge('browsers-are-not-held-to-six', {}, events)

  it('passes with seven and an append, and fails one tab or the append below', () => {
    expect(verdict(held, tabs('tls', 7, 30))).toMatchObject({ verdict: 'pass', examined: 7 })
    expect(verdict(held, tabs('tls', 6, 30))).toMatchObject({ verdict: 'fail', value: 6, limit: 7 })
    expect(verdict(held, tabs('tls', 7, null)).verdict).toBe('fail')
  })

  it('proves nothing where the control was not held, or one of the two is missing', () => {
    expect(verdict(tabs('edge', 7, 30), tabs('tls', 7, 30)).verdict).toBe('unknown')
    expect(verdict(tabs('edge', 7, 30), tabs('tls', 6, null)).verdict).toBe('unknown')
    expect(verdict(tabs('tls', 7, 30)).verdict).toBe('unknown')
    expect(verdict(held).verdict).toBe('unknown')
    expect(verdict().verdict).toBe('unknown')
    expect(verdict(noBrowser)).toMatchObject({ verdict: 'unknown', because: 'No Chromium was found.' })
  })
})
