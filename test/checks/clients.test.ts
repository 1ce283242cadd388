import { describe, expect, it } from 'vitest'
import type { ClientCell, ClientRequest, ClientSaw, ClientWrite, EventBody } from '../../harness/history.ts'
import { appended, created, judge, read } from './judging.ts'

type Timed = [number, EventBody]

const told: Omit<ClientCell, 'phase'> = {
  kind: 'client-cell',
  cell: 'c',
  stream: 's',
  fault: 'unavailable-503',
  when: 'reconnect',
  mode: 'sse',
  contentType: 'text/plain',
  expects: 'retry',
  client: 'the-client 1.0',
}

/** One reader from 0 to 10,000 ms, whose fault struck. */
function reader(more: Partial<ClientCell>, ...events: Timed[]): Timed[] {
  const cell = { ...told, ...more }
  return [[0, { ...cell, phase: 'begin' }], ...events, [10_000, { ...cell, phase: 'end', struck: more.struck ?? 1 }]]
}

const request = (atMs: number, injectedStatus?: number): Timed => {
  const base: ClientRequest = { kind: 'client-request', cell: 'c', what: 'request', mode: 'sse' }
  return [atMs, injectedStatus === undefined ? base : { ...base, injectedStatus }]
}
const saw = (atMs: number, what: ClientSaw['what'], more: Partial<ClientSaw> = {}): Timed => [atMs, { kind: 'client-saw', cell: 'c', what, ...more }]
const batch = (atMs: number, ...records: string[]): Timed => saw(atMs, 'batch', { records })

describe('errors-reach-the-handler', () => {
  const verdict = (events: Timed[]) => judge('errors-reach-the-handler', {}, events)
  const stopped = { expects: 'stop', fault: 'unauthorized-401' } as const

  it('passes where onError was called, fails where it was not, and is unknown without a reader', () => {
    expect(verdict(reader(stopped, request(10, 401), saw(20, 'on-error', { status: 401, returned: 'stop' })))).toMatchObject({ verdict: 'pass', examined: 1 })
    const silent = verdict(reader(stopped, request(10, 401), saw(20, 'ended', { status: 401, error: 'HTTP 401' })))
    expect(silent).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'errors-reach-the-handler/not-called-on-reconnect/sse/unauthorized-401/client' })
    expect(silent.because).toContain('the-client 1.0')
    expect(verdict([]).verdict).toBe('unknown')
  })

  it('asks nothing of a transient error that the client outlasts, but of one that ends the session', () => {
    expect(verdict(reader({}, request(10, 503), request(200))).verdict).toBe('pass')
    expect(verdict(reader({}, request(10, 503), saw(20, 'ended', { error: 'terminated' }))).verdict).toBe('fail')
    const asked = saw(20, 'on-error', { returned: 'stop' })
    expect(verdict(reader({}, request(10, 503), asked, saw(30, 'ended', { error: 'terminated' }))).verdict).toBe('pass')
  })

  it('wants a call for each session that ends', () => {
    const asked = saw(20, 'on-error', { returned: 'stop' })
    const twice = [asked, saw(30, 'ended', { error: 'x' }), saw(40, 'resumed'), saw(50, 'ended', { error: 'x' })]
    expect(verdict(reader({}, request(10, 503), ...twice)).verdict).toBe('fail')
  })

  it('is unknown where a fault never struck', () => {
    expect(verdict(reader({ ...stopped, struck: 0 })).verdict).toBe('unknown')
  })
})

describe('handler-is-honoured', () => {
  const verdict = (events: Timed[]) => judge('handler-is-honoured', { onTheWayMs: 250, giveUpMs: 1_000 }, events)

  it('counts what was seen before the end, however late it is told, and nothing that came after it', () => {
    const told = (late: Timed) => verdict([...reader({}, request(10, 503), saw(20, 'on-error', { returned: 'retry' })), late]).fingerprint
    expect(told(request(9_999))).toBeUndefined()
    expect(told(request(10_001))).toContain('/did-not-retry/')
  })
  const stopped = { expects: 'stop', fault: 'forbidden-403' } as const
  const stop = saw(20, 'on-error', { status: 403, returned: 'stop' })

  it('lets a request arrive that was on its way, and none after', () => {
    expect(verdict(reader(stopped, request(10, 403), stop, request(270))).verdict).toBe('pass')
    const late = verdict(reader(stopped, request(10, 403), stop, request(271)))
    expect(late).toMatchObject({ verdict: 'fail', fingerprint: 'handler-is-honoured/asked-on-after-stop/sse/forbidden-403/client' })
  })

  it('wants a permanent error to end the requests even if nobody was asked', () => {
    expect(verdict(reader(stopped, request(10, 403), request(1_010, 403))).verdict).toBe('pass')
    expect(verdict(reader(stopped, request(10, 403), request(1_011, 403))).fingerprint).toContain('went-on-after-permanent')
  })

  it('wants a request after "retry"', () => {
    const retry = saw(20, 'on-error', { returned: 'retry' })
    expect(verdict(reader({}, request(10, 503), retry, request(30))).verdict).toBe('pass')
    expect(verdict(reader({}, request(10, 503), retry)).fingerprint).toContain('did-not-retry')
  })
})

describe('transients-are-outlasted', () => {
  const verdict = (events: Timed[]) => judge('transients-are-outlasted', {}, events)

  it('passes where no session ended, and fails where one did, resumed by the application or not', () => {
    expect(verdict(reader({}, request(10, 503), request(100)))).toMatchObject({ verdict: 'pass', examined: 1 })
    const ended = verdict(reader({}, request(10, 503), saw(20, 'ended', { error: 'terminated' }), saw(30, 'resumed'), request(40)))
    expect(ended).toMatchObject({ verdict: 'fail', fingerprint: 'transients-are-outlasted/ended-on-reconnect/sse/unavailable-503/client' })
    expect(verdict(reader({ expects: 'stop' }, saw(20, 'ended', { error: 'HTTP 401' }))).verdict).toBe('unknown')
  })
})

describe('readers-miss-nothing', () => {
  const verdict = (events: Timed[]) => judge('readers-miss-nothing', {}, events)
  const stream = [...created(1), ...appended(2, 3, 's/1.1'), ...appended(4, 5, 's/1.2'), ...appended(6, 7, 's/1.3')]
  const judged = (...batches: Timed[]) => verdict([...stream, ...reader({}, request(8, 503), ...batches)])

  it('passes on each record once and in order', () => {
    expect(judged(batch(10, 's/1.1'), batch(20, 's/1.2', 's/1.3'))).toMatchObject({ verdict: 'pass', value: 0 })
  })

  it.each([
    ['lost', [batch(10, 's/1.1'), batch(20, 's/1.2')]],
    ['lost', [batch(10, 's/1.1', 's/1.3')]],
    ['doubled', [batch(10, 's/1.1', 's/1.2'), batch(20, 's/1.2', 's/1.3')]],
    ['reordered', [batch(10, 's/1.2', 's/1.1', 's/1.3')]],
    ['torn', [saw(10, 'batch', { records: ['s/1.1', 's/1.2', 's/1.3'], damaged: 1 })]],
  ])('fails on what is %s', (what, batches) => {
    expect(judged(...batches).fingerprint).toBe(`readers-miss-nothing/${what}-on-reconnect/sse/unavailable-503/client`)
  })

  it('owes the rest to nobody who was told that the session has ended', () => {
    expect(judged(batch(10, 's/1.1'), saw(20, 'ended', { error: 'terminated' })).verdict).toBe('pass')
    expect(judged(batch(10, 's/1.1'), saw(20, 'ended', { error: 'terminated' }), saw(30, 'resumed')).verdict).toBe('fail')
  })

  it('lays an offset that the server told backwards at no client', () => {
    const back: Timed = [15, { kind: 'client-request', cell: 'c', what: 'offset-went-back' }]
    expect(judged(batch(10, 's/1.1', 's/1.2'), back, batch(20, 's/1.2', 's/1.3')).verdict).not.toBe('fail')
  })
})

describe('retry-after-is-honoured', () => {
  const verdict = (events: Timed[]) => judge('retry-after-is-honoured', { toleranceMs: 50 }, events)
  const told = { retryAfterMs: 2_000, fault: 'rate-limited-429' }

  it('passes at the tolerance, and fails one step before', () => {
    expect(verdict(reader(told, request(10, 429), request(1_960)))).toMatchObject({ verdict: 'pass', value: 1_950 })
    expect(verdict(reader(told, request(10, 429), request(1_959)))).toMatchObject({ verdict: 'fail', value: 1_949, limit: 2_000 })
    expect(verdict(reader(told, request(10, 429))).verdict).toBe('unknown')
  })
})

describe('retries-are-paced', () => {
  const verdict = (events: Timed[]) => judge('retries-are-paced', { perSecondMax: 3 }, events)

  it('counts what arrives in any one second', () => {
    expect(verdict(reader({}, request(10, 503), request(400, 503), request(1_009, 503), request(1_010)))).toMatchObject({ verdict: 'pass', value: 3 })
    const storm = [request(10, 503), request(400, 503), request(500, 503), request(1_009)]
    expect(verdict(reader({}, ...storm))).toMatchObject({ verdict: 'fail', value: 4 })
    expect(verdict(reader({}, ...storm, [1_010, { kind: 'client-request', cell: 'c', what: 'offset-went-back' }])).verdict).toBe('unknown')
    expect(verdict([]).verdict).toBe('unknown')
  })
})

describe('crowd-comes-back-spread', () => {
  const verdict = (events: Timed[]) => judge('crowd-comes-back-spread', { readersMin: 4, shareMax: 0.5, windowMs: 100, lagMsMax: 200 }, events)
  const crowd = (times: number[], lagMs = 0): Timed[] => [
    ...times.map((_, n): Timed => [0, { ...told, phase: 'begin', cell: `c${n}`, fault: 'cache-restart' }]),
    [500, { kind: 'lifecycle', hop: 'edge', what: 'started', tookMs: 100 }],
    [600, { kind: 'sample', name: 'client-program-lag-ms', value: lagMs }],
    ...times.flatMap((atMs, n): Timed[] => [
      [300, { kind: 'client-saw', cell: `c${n}`, what: 'sent' }],
      [atMs, { kind: 'client-saw', cell: `c${n}`, what: 'sent' }],
    ]),
  ]

  it('counts from the restart on, and passes at the limit', () => {
    expect(verdict(crowd([410, 480, 700, 900]))).toMatchObject({ verdict: 'pass', value: 0.5, examined: 4 })
    expect(verdict(crowd([410, 480, 505, 900]))).toMatchObject({ verdict: 'fail', value: 0.75 })
  })

  it('is unknown where few came back, or the client program itself was late', () => {
    expect(verdict(crowd([410, 480, 700])).verdict).toBe('unknown')
    expect(verdict(crowd([410, 411, 412, 413], 201)).verdict).toBe('unknown')
  })
})

describe('client-writers-lose-nothing', () => {
  const verdict = (events: Timed[]) => judge('client-writers-lose-nothing', {}, events)
  const write = (atMs: number, records: string[], more: Partial<ClientWrite> = {}): Timed => [
    atMs,
    { kind: 'client-write', case: 'pipelined', stream: 's', writer: 'a', client: 'the-client 1.0', records, outcome: 'acknowledged', epoch: 0, errors: [], ...more },
  ]
  const back = (...records: string[]) => read(50, 60, records)

  it('passes where all is there once and in order, and is unknown without a write or a read', () => {
    expect(verdict([write(10, ['s/1.1', 's/1.2']), write(20, ['s/1.3']), ...back('s/1.1', 's/1.2', 's/1.3')])).toMatchObject({ verdict: 'pass', examined: 3 })
    expect([verdict([]).verdict, verdict([write(10, ['s/1.1'])]).verdict]).toEqual(['unknown', 'unknown'])
  })

  it.each([
    ['lost', [write(10, ['s/1.1', 's/1.2'])], ['s/1.1']],
    ['doubled', [write(10, ['s/1.1'])], ['s/1.1', 's/1.1']],
    ['out-of-order', [write(10, ['s/1.1', 's/1.2'])], ['s/1.2', 's/1.1']],
    ['refused-and-stored', [write(10, ['s/1.1'], { outcome: 'refused' })], ['s/1.1']],
    ['fenced-and-acknowledged', [write(10, ['s/1.1'], { isFenced: true })], ['s/1.1']],
  ] as [string, Timed[], string[]][])('fails on what is %s', (what, writes, there) => {
    expect(verdict([...writes, ...back(...there)])).toMatchObject({ verdict: 'fail', value: 1, fingerprint: `client-writers-lose-nothing/${what}/pipelined/none/client` })
  })

  it('is unknown where an epoch had to be claimed and none was; what is lost is lost all the same', () => {
    const claiming = (epoch: number, ...there: string[]) => judge('client-writers-lose-nothing', { epochMin: 4 }, [write(10, ['s/1.1'], { epoch }), ...back(...there)]).verdict
    expect([claiming(3, 's/1.1'), claiming(4, 's/1.1'), claiming(3)]).toEqual(['unknown', 'pass', 'fail'])
  })

  it('expects no order between writers, and nothing certain of a write that came to no clear end', () => {
    const two = [write(10, ['s/1.1', 's/1.2']), write(10, ['s/1.3'], { writer: 'b' })]
    expect(verdict([...two, ...back('s/1.1', 's/1.3', 's/1.2')]).verdict).toBe('pass')
    expect(verdict([write(10, ['s/1.1'], { outcome: 'unclear' }), ...back('s/1.1')]).verdict).toBe('unknown')
  })
})
