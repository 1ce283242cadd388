/** What checks remember is bounded, and what they may forget changes no verdict. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Findings, findingsMax } from '../../harness/checks/findings.ts'
import { RecordTimes } from '../../harness/checks/record-times.ts'
import { numberIn, recordSeries, splitRecordId } from '../../harness/record-id.ts'
import { evidenceMax } from '../../harness/verdict.ts'
import { appended, created, judge, operation, read } from './judging.ts'

const ids = fc.oneof(
  fc.tuple(fc.constantFrom('s', 't/u', 'a.b'), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 40 })).map(([s, i, n]) => `${s}/${i}.${n}`),
  fc.constantFrom('', 'x', 's/1.', 's/1.0', 's/1.007', 's/1.1x', 's/1.900000', 's/1.99999999999', '.5', '7'),
)

/** The same by a plain map, which forgets by the ids' beginning. */
class PlainTimes extends Map<string, number> {
  drop(series: string): void {
    for (const id of this.keys()) if (splitRecordId(id).series === series) this.delete(id)
  }
  upTo(untilMs: number, present: string[]) {
    const due = [...this].filter(([, atMs]) => atMs <= untilMs)
    return { count: due.length, absent: due.filter(([id]) => !present.includes(id)) }
  }
}

describe('times of records', () => {
  const command = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), id: ids, atMs: fc.integer({ min: 0, max: 100 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('get' as const), id: ids }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('upTo' as const), atMs: fc.integer({ min: 0, max: 100 }), present: fc.array(ids) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), series: fc.constantFrom('s/1.', 't/u/1.', 'a.b/2.', 'none') }) },
  )

  it('are those of a plain map, whatever the ids are', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const times = new RecordTimes()
        const plain = new PlainTimes()
        for (const one of commands) {
          if (one.do === 'set') for (const each of [times, plain]) each.set(one.id, one.atMs)
          if (one.do === 'drop') for (const each of [times, plain]) each.drop(one.series)
          if (one.do === 'get') expect(times.get(one.id)).toBe(plain.get(one.id))
          if (one.do !== 'upTo') continue
          const [found, right] = [times, plain].map((each) => each.upTo(one.atMs, one.present))
          expect({ count: found!.count, absent: found!.absent.toSorted() }).toEqual({ count: right!.count, absent: right!.absent.toSorted() })
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are asked by the series and number of an id', () => {
    const id = `${recordSeries('with.dot/and-slash', 3)}17`
    expect(splitRecordId(id)).toEqual({ series: 'with.dot/and-slash/3.', number: 17 })
    expect([numberIn('s/1.', 's/1.17'), numberIn('s/1.', 's/11.7'), numberIn('s/1.', 's/1.07'), numberIn('s/1.', 's/1.7x')]).toEqual([17, 0, 0, 0])
  })
})

describe('findings', () => {
  it('are counted once each, and only the first few are put into words', () => {
    const findings = new Findings()
    let worded = 0
    for (let n = 0; n < 100; n += 1) {
      const describe = () => `${(worded += 1)}: ${n}`
      findings.note(`key ${n % 50}`, `fingerprint ${n}`, describe)
    }
    expect(findings).toMatchObject({ count: 50, counted: '50', fingerprint: 'fingerprint 0' })
    expect([findings.evidence.length, worded]).toEqual([evidenceMax, evidenceMax])
  })

  it('are counted up to a bound, and say so', () => {
    const findings = new Findings()
    for (let n = 0; n < findingsMax + 5; n += 1) findings.note(String(n), 'f', () => '')
    expect(findings).toMatchObject({ count: findingsMax, counted: 'at least 100,000' })
  })
})

describe('a stream that was deleted', () => {
  const named = (name: string, atMs: number) => {
    const on = { stream: name }
    return [...operation(atMs, atMs + 1, { op: 'create', status: 201, create: { streamKind: 'k', contentType: 'text/plain' }, ...on }), ...operation(atMs + 2, atMs + 3, { op: 'delete', status: 204, ...on })]
  }
  const others = (count: number) => Array.from({ length: count }, (_, n) => named(`other-${n}`, 100 + n)).flat()
  const deleted = named('s', 0)
  const foundAgain = read(9_000, 9_001, [])

  it('is known until a thousand others were', () => {
    const verdict = (count: number) => judge('every-stream-still-exists', {}, [...deleted, ...others(count), ...foundAgain])
    expect(verdict(999)).toMatchObject({ verdict: 'fail', fingerprint: 'every-stream-still-exists/undead/k/none/origin' })
    expect(verdict(1_000)).toMatchObject({ verdict: 'unknown' })
  })

  it('is counted also when it is no longer known', () => {
    const looked = operation(9_000, 9_001, { op: 'head', stream: 'other-1499', kind: 'fail', status: 404 })
    expect(judge('every-stream-still-exists', {}, [...deleted, ...others(1_500), ...looked]).because).toContain('1,501 streams kept')
  })

  it('owes no record of its former life, but each of its new one', () => {
    const again = operation(50, 51, { op: 'create', status: 201, incarnation: 2, create: { streamKind: 'k', contentType: 'text/plain' } })
    const late = operation(40, 60, { op: 'append', append: { record: 's/1.2', bytes: 1 } })
    const anew = operation(70, 71, { op: 'append', incarnation: 2, append: { record: 's/2.1', bytes: 1 } })
    const verdict = (records: string[]) =>
      judge('nothing-acknowledged-is-lost', {}, [...created(0), ...appended(5, 6, 's/1.1'), ...operation(10, 11, { op: 'delete', status: 204 }), ...again, ...late, ...anew, ...read(80, 81, records, { incarnation: 2 })])
    expect(verdict(['s/2.1'])).toMatchObject({ verdict: 'pass', examined: 1 })
    expect(verdict([])).toMatchObject({ verdict: 'fail', value: 1 })
  })

  it('may be gone before its lifetime ends', () => {
    const lived = created(0, { ttlSeconds: 5 })
    const gone = operation(40, 45, { op: 'read', kind: 'fail', status: 404 })
    const removed = operation(30, 60, { op: 'delete', status: 204 })
    expect(judge('alive-until-expiry', {}, [...lived, ...gone]).verdict).toBe('fail')
    expect(judge('alive-until-expiry', {}, [...lived, ...removed, ...gone]).verdict).toBe('unknown')
  })
})

describe('a stream whose create got no answer', () => {
  it('keeps the run from being green where it was written', () => {
    const unanswered = operation(0, 5, { op: 'create', kind: 'info', create: { streamKind: 'k', contentType: 'text/plain' } })
    const on = { stream: 'other' }
    const other = [
      ...operation(0, 1, { op: 'create', status: 201, create: { streamKind: 'k', contentType: 'text/plain' }, ...on }),
      ...operation(2, 3, { op: 'append', append: { record: 'other/1.1', bytes: 1 }, ...on }),
      ...read(90, 95, ['other/1.1'], on),
    ]
    expect(judge('nothing-acknowledged-is-lost', {}, other).verdict).toBe('pass')
    const withUnanswered = [...other, ...unanswered, ...appended(10, 20, 's/1.1'), ...read(50, 60, [])]
    expect(judge('nothing-acknowledged-is-lost', {}, withUnanswered)).toMatchObject({ verdict: 'unknown', examined: 1 })
  })
})
