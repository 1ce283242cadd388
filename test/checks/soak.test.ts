/** What a soak is judged by: drift of what is sampled, and a memory that does not grow with the night. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { figuresIn } from '../../harness/services/origin-figures.ts'
import type { EventBody, HistoryEvent } from '../../harness/history.ts'
import type { Concern } from '../../harness/checks/soak-series.ts'
import { RunJudge } from '../../harness/run-judge.ts'
import { randomFor } from '../../harness/seed.ts'
import { upsetEveryMs } from '../../harness/steps/soak.ts'
import soak from '../../scenarios/soak.ts'
import { appended, created, judge, operation, read, started } from './judging.ts'

const MiB = 2 ** 20
type Values = (second: number) => Record<string, number>

/** Once a second for so long. */
function sampled(seconds: number, values: Values): [number, EventBody][] {
  return Array.from({ length: seconds }, (_, second): [number, EventBody] => [second * 1_000, { kind: 'samples', values: values(second) }])
}

function verdict(of: Concern, events: [number, EventBody][], limits: Record<string, number> = {}) {
  return judge('nothing-drifts', { of, limits }, events)
}

describe('nothing drifts', () => {
  const leak = (perMinute: number): Values => (second) => ({ 'origin.memoryBytes': 60 * MiB + (second % 7) * 2 ** 14 + (perMinute * second) / 60 })

  it('where memory holds, and says how near the limit is', () => {
    const found = verdict('memory', sampled(1_200, leak(0)))
    expect(found).toMatchObject({ verdict: 'pass', examined: 1_200 })
    expect(found.because).toContain('memory of the origin holds at 60')
  })

  it('but it does where it grows by a MiB a minute, with the time until the limit', () => {
    const found = verdict('memory', sampled(600, leak(MiB)))
    expect(found).toMatchObject({ verdict: 'fail', unit: 'MiB/h', fingerprint: 'nothing-drifts/memory/origin-memoryBytes/none/origin' })
    expect(found.value).toBeGreaterThan(59)
    expect(found.value).toBeLessThan(61)
    expect(found.because).toMatch(/^The memory of the origin grows by \+60 MiB an hour \(95 % between .* and .*\): 15 h \d+ min to the limit of 1 GiB\.$/)
  })

  it('by a limit of its own: one step inside it holds, one step beyond it grows', () => {
    const slow = sampled(3_600, leak(MiB / 10))
    const week = 7 * 24 * 6 * MiB
    expect(verdict('memory', slow, { 'origin.memoryBytes': 66 * MiB + 1.05 * week }).verdict).toBe('pass')
    expect(verdict('memory', slow, { 'origin.memoryBytes': 66 * MiB + 0.95 * week }).verdict).toBe('fail')
  })

  it('is not said of a program that has just been started', () => {
    expect(verdict('memory', sampled(120, leak(8 * MiB)))).toMatchObject({ verdict: 'unknown' })
    expect(verdict('memory', sampled(120, leak(100 * MiB)))).toMatchObject({ verdict: 'fail' })
  })

  it('is unknown of what was not sampled, and does not apply to what nobody tells', () => {
    expect(verdict('memory', [])).toMatchObject({ verdict: 'unknown', because: 'Nothing was sampled.' })
    expect(verdict('disk', sampled(100, leak(0))).verdict).toBe('not-applicable')
    expect(verdict('memory', sampled(3, leak(0)))).toMatchObject({ verdict: 'unknown', because: '3 samples are too few to tell anything of memory.' })
  })

  it('takes no restart for growth or its end', () => {
    const events = [...sampled(600, (second) => ({ 'origin.memoryBytes': (second < 300 ? 60 : 90) * MiB })), ...started(300_000, 5)]
    expect(verdict('memory', events).verdict).toBe('pass')
  })

  it('finds descriptors that are never closed, and files beyond the pool', () => {
    const setting: [number, EventBody] = [0, { kind: 'sample', name: 'max-file-handles', value: 100 }]
    const files = (of: Values) => verdict('handles', [setting, ...sampled(600, of)])
    expect(files((second) => ({ 'origin.openFiles': 40 + Math.floor(second / 10) })).fingerprint).toBe('nothing-drifts/handles/origin-openFiles/none/origin')
    expect(files((second) => ({ 'origin.openFiles': 40, 'origin.dataFiles': Math.min(124, second) })).verdict).toBe('pass')
    expect(files((second) => ({ 'origin.openFiles': 40, 'origin.dataFiles': Math.min(125, second) })).verdict).toBe('fail')
  })

  it('holds disk beyond live data against what was written', () => {
    const disk = (share: number): Values => (second) => ({ 'disk.beyondLiveBytes': MiB + share * 100_000 * second, 'disk.writtenBytes': 100_000 * second })
    expect(verdict('disk', sampled(600, disk(0.019))).verdict).toBe('pass')
    expect(verdict('disk', sampled(600, disk(0.021)))).toMatchObject({ verdict: 'fail', fingerprint: 'nothing-drifts/disk/disk-beyondLiveBytes/none/origin' })
  })

  it('finds appends that take ever longer, and says nothing of operations that are seldom', () => {
    const slower = (op: 'append' | 'close', msASecond: number, every: number) =>
      Array.from({ length: 600 / every }, (_, n) => operation(n * every * 1_000, n * every * 1_000 + 5 + n * every * msASecond, { op, append: { record: `s/1.${n + 1}`, bytes: 1 } })).flat()
    const ticks = sampled(600, () => ({}))
    expect(verdict('latency', [...ticks, ...slower('append', 0.05, 1)]).fingerprint).toBe('nothing-drifts/latency/latency-append-origin/none/origin')
    expect(verdict('latency', [...ticks, ...slower('append', 0, 1)]).verdict).toBe('pass')
    expect(verdict('latency', [...ticks, ...slower('close', 0.05, 10)]).verdict).not.toBe('fail')
  })
})

describe('a stream that nobody asks for again', () => {
  const lived = [...created(0), ...appended(5, 6, 's/1.1')]
  const retired: [number, EventBody] = [20, { kind: 'retired', stream: 's', incarnation: 1 }]

  it('owes nothing any more', () => {
    expect(judge('nothing-acknowledged-is-lost', {}, [...lived, ...read(30, 31, [])]).verdict).toBe('fail')
    expect(judge('nothing-acknowledged-is-lost', {}, [...lived, retired, ...read(30, 31, [])]).verdict).toBe('unknown')
  })

  it('is another one in its next life', () => {
    expect(judge('nothing-acknowledged-is-lost', {}, [...lived, [20, { kind: 'retired', stream: 's', incarnation: 2 }], ...read(30, 31, [])]).verdict).toBe('fail')
  })

  it('that was read while the origin was down lost nothing: nobody answered', () => {
    const refused = operation(30, 31, { op: 'read', kind: 'fail' }).map(([at, body]): [number, EventBody] => {
      const { status: _status, ...unanswered } = body as typeof body & { status?: number }
      return [at, unanswered as EventBody]
    })
    expect(judge('nothing-acknowledged-is-lost', {}, [...lived, ...refused]).verdict).toBe('unknown')
  })
})

it('ten minutes hold one restart, half an hour two, a night a dozen', () => {
  const restarts = (minutes: number) => Math.floor((minutes * 60_000) / upsetEveryMs(minutes * 60_000) - 0.25)
  expect([10, 30, 480].map(restarts)).toEqual([1, 2, 11])
})

it('figures of the origin are those of its metrics, or none', () => {
  expect(figuresIn('# HELP x\ngo_goroutines 15\ngo_memstats_next_gc_bytes 7.5e+06\n')).toEqual({ goroutines: 15, heapBytes: 3_750_000 })
  expect(figuresIn('go_goroutines 15\n')).toBeNull()
})

/** A life as the soak's: born, written, read, gone without a delete, never asked for again. */
function* life(n: number, atMs: number): Generator<[number, EventBody]> {
  const on = { stream: `chat-${n}` }
  const records = Array.from({ length: 20 }, (_, index) => `chat-${n}/1.${index + 1}`)
  yield* operation(atMs, atMs + 1, { op: 'create', status: 201, create: { streamKind: 'chat', contentType: 'text/plain', ttlSeconds: 30 }, ...on })
  for (const [index, record] of records.entries()) yield* operation(atMs + 10 * index + 2, atMs + 10 * index + 5, { op: 'append', append: { record, bytes: 100 }, ...on })
  yield [atMs + 300, { kind: 'follow', what: 'received', reader: `sse-${n}`, mode: 'sse', via: 'edge', stream: on.stream, incarnation: 1, records }]
  yield [atMs + 301, { kind: 'follow', what: 'ended', reader: `sse-${n}`, mode: 'sse', via: 'edge', stream: on.stream, incarnation: 1, at: 'tail' }]
  yield* operation(atMs + 302, atMs + 303, { op: 'append', kind: 'fail', status: 409, append: { record: `chat-${n}/1.21`, bytes: 100 }, ...on })
  yield* read(atMs + 310, atMs + 312, records, on)
  yield* operation(atMs + 34_000, atMs + 34_001, { op: 'head', kind: 'fail', status: 404, ...on })
  yield [atMs + 34_002, { kind: 'retired', stream: on.stream, incarnation: 1 }]
}

it('a night of lives costs the judge no more memory than its first hour', { timeout: 120_000 }, () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const judging = new RunJudge()
  let seq = 0
  const write = (atMs: number, body: EventBody) => judging.write({ ...body, seq: (seq += 1), atMs, scenario: 'soak' } as HistoryEvent)
  const random = randomFor(1, 'night')
  write(0, { kind: 'scenario', phase: 'begin', asserts: soak })
  const heapAfter: number[] = []
  for (let n = 1; n <= 4_800; n += 1) {
    for (const [atMs, body] of life(n, n * 6_000)) write(atMs, body)
    for (let second = 0; second < 6; second += 1) write(n * 6_000 + second * 1_000, { kind: 'samples', values: { 'origin.memoryBytes': 60 * MiB + random.int(MiB), 'origin.openFiles': 40 } })
    if (n % 1_200 !== 0) continue
    collect()
    heapAfter.push(process.memoryUsage().heapUsed)
  }
  // Eight hours.
  expect(seq).toBeGreaterThan(250_000)
  expect(heapAfter.at(-1)! - heapAfter[0]!).toBeLessThan(4 * MiB)
  write(33_000_000, { kind: 'scenario', phase: 'end', stoppedBecause: null })
  const result = judging.resultOf('soak')
  expect(result.throughput.length).toBeLessThanOrEqual(4_000)
  expect(result.throughput.reduce((sum, [, ok, failed]) => sum + ok + failed, 0)).toBe(4_800 * 24)
  expect(result.checks.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id)).toEqual([])
})

describe('a loss as rare as one append in 100,000, around a restart,', () => {
  const streams = 100
  const each = 1_000
  const lost = 's-40/1.500'
  const restart: [number, EventBody][] = [
    [50_000, { kind: 'lifecycle', hop: 'origin', what: 'stopped', tookMs: 50 }],
    ...started(50_100, 50),
  ]
  const live = (stream: string): [number, EventBody][] => {
    const records = Array.from({ length: each }, (_, n) => `${stream}/1.${n + 1}`)
    const at = (n: number) => 100 * n + (n < each / 2 ? 0 : 200)
    const read = { records: records.filter((record) => record !== lost), damaged: [], bytes: 1, sha256: '', nextOffset: 'x', upToDate: true, closed: false }
    return [
      ...operation(0, 1, { op: 'create', stream, status: 201, create: { streamKind: 'chat', contentType: 'text/plain' } }),
      ...records.flatMap((record, n) => operation(at(n) + 2, at(n) + 20, { op: 'append', stream, append: { record, bytes: 10 } })),
      ...operation(200_000, 200_100, { op: 'read', stream, mode: 'catch-up', headers: { 'content-type': 'text/plain' }, read }),
    ]
  }

  it('is found, and named', () => {
    const events = [...restart, ...Array.from({ length: streams }, (_, n) => live(`s-${n}`)).flat()]
    const found = judge('nothing-acknowledged-is-lost', {}, events)
    expect(found).toMatchObject({ verdict: 'fail', value: 1, examined: streams * each, fingerprint: 'nothing-acknowledged-is-lost/lost/chat/stop/origin' })
    expect(found.evidence[0]).toContain(lost)
  })
})
