/** A byte that changed on the disk, by small histories: what a server may make of it, and what it may not. */
import { describe, expect, it } from 'vitest'
import type { EventBody, Outcome, ReadBack } from '../../harness/history.ts'
import { appended, created, judge, operation, read } from './judging.ts'

type Events = [number, EventBody][]

const three = [...created(0), ...[1, 2, 3].flatMap((n) => appended(10 * n, 10 * n + 1, `s/1.${n}`))]
const flipped = (where: 'payload' | 'length' = 'payload', stream = 's'): Events => [
  [50, { kind: 'damaged-record', stream, incarnation: 1, record: `${stream}/1.2`, where, file: 'streams/s/data.seg', at: 1_234, before: 97, after: 96 }],
]
const error = (fromMs: number, status = 500) => operation(fromMs, fromMs + 1, { op: 'read', mode: 'catch-up', kind: status < 500 ? 'fail' : 'info', status })
const back = (records: string[], more: Partial<ReadBack>) => read(60, 70, records, { read: { records, damaged: [], bytes: 30, sha256: '', nextOffset: 'x', upToDate: true, closed: false, ...more } })
const altered = { at: 10, bytes: 10, what: '"@r s/1.2"' }
const verdict = (...events: Events[]) => judge('damage-is-reported', {}, events.flat())

describe('damage-is-reported', () => {
  it('passes when every read was answered with an error, or held everything', () => {
    expect(verdict(three, flipped(), error(60), read(70, 80, ['s/1.1', 's/1.2', 's/1.3'], { via: 'edge' }))).toMatchObject({ verdict: 'pass', examined: 2, value: 0, because: expect.stringContaining('1 ended with an error (500)') })
  })

  it('passes when a read ended before the damage and did not say that this was all', () => {
    expect(verdict(three, flipped(), back(['s/1.1'], { upToDate: false })).verdict).toBe('pass')
  })

  it('fails for altered bytes that are served as if they were right, and shows them', () => {
    const found = verdict(three, flipped(), back(['s/1.1', 's/1.3'], { damaged: [altered] }))
    expect(found).toMatchObject({ verdict: 'fail', value: 1, unit: 'streams', fingerprint: 'damage-is-reported/served/no-expiry/flipped-payload/origin' })
    expect(found.because).toBe('1 of 1 damaged stream was read with altered bytes as if they were right; 1 acknowledged record is not in these answers.')
    expect(found.evidence).toEqual([
      's, changed in the payload of s/1.2 (byte 1,234 of streams/s/data.seg: 97 became 96): 200, up to date, with bytes that nobody wrote ("@r s/1.2"), without s/1.2 through origin at +70 ms',
    ])
  })

  it('fails for altered bytes in the middle of a read that broke off, not for the half of a record at its end', () => {
    const brokenOff = (place: typeof altered) => operation(60, 70, { op: 'read', mode: 'catch-up', kind: 'info', status: 500, read: { records: ['s/1.1'], damaged: [place], bytes: 30, sha256: '', nextOffset: null, upToDate: false, closed: false } })
    expect(verdict(three, flipped(), brokenOff(altered)).verdict).toBe('fail')
    expect(verdict(three, flipped(), brokenOff({ ...altered, at: 20 })).verdict).toBe('pass')
  })

  it.each<[string, Events, number]>([
    ['is up to date without what was acknowledged', back(['s/1.1'], {}), 2],
    ['is closed without it', back(['s/1.1'], { upToDate: false, closed: true }), 2],
    ['is not up to date, but leaves the damaged one out', back(['s/1.1', 's/1.3'], { upToDate: false }), 1],
    ['finds the stream empty', back([], {}), 3],
    ['finds no stream', error(60, 404), 3],
    ['finds it gone', error(60, 410), 3],
  ])('fails when a read %s, and says how much that is', (_what, answer, missing) => {
    expect(verdict(three, flipped('length'), answer)).toMatchObject({
      verdict: 'fail',
      fingerprint: 'damage-is-reported/hidden/no-expiry/flipped-length/origin',
      because: expect.stringContaining(`${missing} acknowledged record${missing === 1 ? ' is' : 's are'} not in these answers`),
    })
  })

  it('fails when HEAD finds no stream, and says nothing of one that it finds', () => {
    const head = (status: number) => operation(60, 61, { op: 'head', kind: status < 400 ? 'ok' : 'fail', status })
    expect(verdict(three, flipped(), head(404)).verdict).toBe('fail')
    expect(verdict(three, flipped(), head(200)).verdict).toBe('unknown')
  })

  it('expects what was acknowledged after the damage, too, and not what the cache cannot know yet', () => {
    const later = appended(60, 61, 's/1.4')
    const without = (via: 'origin' | 'edge') => read(70, 80, ['s/1.1', 's/1.2', 's/1.3'], { via })
    expect(verdict(three, flipped(), later, without('origin'))).toMatchObject({ verdict: 'fail', evidence: [expect.stringContaining('without s/1.4')] })
    expect(verdict(three, flipped(), later, error(65), without('edge')).verdict).toBe('pass')
  })

  it('names served bytes where there are any, the way nearest to the origin, and no kind where they differ', () => {
    const json = [...operation(0, 1, { op: 'create', stream: 'j', status: 201, create: { streamKind: 'json', contentType: 'application/json' } }), ...operation(10, 11, { op: 'append', stream: 'j', append: { record: 'j/1.1', bytes: 10 } })]
    const served = read(60, 70, [], { stream: 'j', via: 'edge', read: { records: [], damaged: [altered], bytes: 30, sha256: '', nextOffset: 'x', upToDate: true, closed: false } })
    const hidden = back(['s/1.1'], {})
    const both = [three, json, flipped(), flipped('length', 'j'), served, hidden]
    expect(verdict(...both)).toMatchObject({ value: 2, fingerprint: 'damage-is-reported/served/json/flipped-length/edge' })
    const atOrigin = served.map(([ms, body]): [number, EventBody] => [ms + 5, { ...body, via: 'origin' } as EventBody])
    expect(verdict(...both, atOrigin).fingerprint).toBe('damage-is-reported/served/json/flipped-length/origin')
    const alteredToo = back(['s/1.1'], { damaged: [altered] })
    expect(verdict(...both, atOrigin, alteredToo).fingerprint).toBe('damage-is-reported/served/any/flipped-byte/origin')
  })

  it('judges one kind of damage where it is told to', () => {
    const served = back(['s/1.1', 's/1.3'], { damaged: [altered] })
    const of = (where: string) => judge('damage-is-reported', { where }, [...three, ...flipped(), ...served]).verdict
    expect([of('payload'), of('length')]).toEqual(['fail', 'unknown'])
  })

  it('is unknown without damage, without a read after it, and where no read was answered', () => {
    const [invoke, [endMs, { status: _status, ...outcome }]] = operation(60, 61, { op: 'read', mode: 'catch-up', kind: 'info', error: 'timed out' }) as [Events[0], [number, Outcome]]
    const unanswered: Events = [invoke, [endMs, outcome as EventBody]]
    expect(verdict(three, error(60)).verdict).toBe('unknown')
    expect(verdict(three, flipped(), error(40)).verdict).toBe('unknown')
    expect(verdict(three, flipped(), unanswered)).toMatchObject({ verdict: 'unknown', evidence: [expect.stringContaining('changed in the payload of s/1.2')] })
  })

  it('fails where nothing was answered any more and what stood beside the damage is in no file, which it leaves to the reads otherwise', () => {
    const gone = (records: string[]): Events => [[55, { kind: 'records-gone', stream: 's', incarnation: 1, records }]]
    const found = verdict(three, flipped('length'), gone(['s/1.3', 's/1.9']))
    expect(found).toMatchObject({ verdict: 'fail', value: 1, examined: 1, fingerprint: 'damage-is-reported/destroyed/any/flipped-length/origin' })
    expect(found.because).toBe('1 of 1 damaged stream was stripped of records beside the damage on the disk, and not answered since; 1 acknowledged record is in no file any more.')
    expect(found.evidence).toEqual([expect.stringContaining('the origin answered no read since, and s/1.3 is in no file any more at +55 ms')])
    expect(verdict(three, flipped('length'), gone(['s/1.9'])).verdict).toBe('unknown')
    expect(verdict(three, flipped('length'), gone(['s/1.3']), error(60)).verdict).toBe('pass')
    const byTheCache = read(70, 80, ['s/1.1', 's/1.2', 's/1.3'], { via: 'edge' })
    expect(verdict(three, flipped('length'), gone(['s/1.3']), byTheCache).fingerprint).toContain('/destroyed/')
    expect(verdict(three, flipped('length'), byTheCache).verdict).toBe('unknown')
    expect(verdict(three, flipped('length'), gone(['s/1.3']), back(['s/1.1'], {})).fingerprint).toContain('/hidden/')
  })

  it('does not ask for a stream that was deleted', () => {
    const gone = operation(55, 56, { op: 'delete', status: 204 })
    expect(verdict(three, flipped(), gone, error(60, 404)).verdict).toBe('unknown')
  })
})

describe('the others', () => {
  const torn = back(['s/1.1', 's/1.3'], { damaged: [altered] })
  it.each([
    ['nothing-is-torn', torn],
    ['nothing-acknowledged-is-lost', torn],
    ['every-stream-can-be-read', error(60)],
  ])('%s leaves the streams that it is told to leave', (id, answer) => {
    const other = [...operation(0, 1, { op: 'create', stream: 'other', status: 201, create: { streamKind: 'no-expiry', contentType: 'text/plain' } }), ...operation(5, 6, { op: 'append', stream: 'other', append: { record: 'other/1.1', bytes: 10 } }), ...read(60, 70, ['other/1.1'], { stream: 'other' })]
    const judged = (except: string) => judge(id, { except }, [...three, ...other, ...flipped(), ...answer]).verdict
    expect([judged(''), judged('s'), judged('x')]).toEqual(['fail', 'pass', 'fail'])
  })
})
