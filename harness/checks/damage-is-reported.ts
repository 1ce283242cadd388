/**
 * A record that the disk gives back changed is answered with an error. Nobody is given altered bytes as if they
 * were right, and nobody is told that he has read everything where something that was acknowledged is not there.
 */
import { limitsOf, type Check } from '../check.ts'
import type { DamagedRecord, Outcome, ReadBack } from '../history.ts'
import { splitRecordId } from '../record-id.ts'
import { number, plural } from '../report/figures.ts'
import { evidenceMax, fail, pass, unknown } from '../verdict.ts'
import { RecordTimes } from './record-times.ts'
import { keepLedger, newLedger, since, staleAllowanceMs, type Ledger } from './stream-ledger.ts'
import { TraitsByWay } from './traits.ts'

interface Limits {
  /** Which damage is judged. */
  where: DamagedRecord['where'] | 'any'
  /** What a read through the cache may miss of writes made at the origin. */
  staleMs: number
}

/** How a read was wrong: `served` altered bytes as if they were right, or `hidden` that something is not there. */
type Invariant = 'served' | 'hidden'

interface DamagedStream {
  event: DamagedRecord
  kind: string
  /** Reads that were answered with an error, or ended before the damage; and those that held everything. */
  reported: number
  whole: number
  /** The worst that a read was told, and the most acknowledged records that one lacked. */
  wrong: Invariant | null
  line: string
  missing: number
}

interface State {
  limits: Limits
  ledger: Ledger
  acknowledged: Map<string, RecordTimes>
  startMs: number | null
  damaged: Map<string, DamagedStream>
  reads: number
  statuses: Set<number>
  traits: Record<Invariant, TraitsByWay<'kind' | 'where'>>
}

export const damageIsReportedCheck: Check<State, Partial<Limits>> = {
  id: 'damage-is-reported',
  title: 'A byte that changed on the disk is answered with an error',
  init: (limits) => ({
    limits: limitsOf({ where: 'any', staleMs: 1_000 }, limits),
    ledger: newLedger(),
    acknowledged: new Map(),
    startMs: null,
    damaged: new Map(),
    reads: 0,
    statuses: new Set(),
    traits: { served: new TraitsByWay(), hidden: new TraitsByWay() },
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    const gone = keepLedger(state.ledger, event)
    if (gone && state.ledger.streams.get(gone.name)?.incarnation !== gone.incarnation) forget(state, gone.name)
    if (event.kind === 'damaged-record') keepDamage(state, event)
    if (event.kind !== 'ok' && event.kind !== 'fail' && event.kind !== 'info') return
    if (event.kind === 'ok' && event.op === 'delete') forget(state, event.stream)
    if (event.kind === 'ok' && event.append) keepAcknowledged(state, event)
    if ((event.op === 'read' && event.mode === 'catch-up') || event.op === 'head') examine(state, event)
  },
  finish(state) {
    const { damaged, limits, reads, statuses } = state
    const streams = [...damaged.values()]
    const wrong = streams.filter((stream) => stream.wrong !== null)
    if (wrong.length > 0) {
      const evidence = [...wrong.filter(isServed), ...wrong.filter((one) => !isServed(one))].slice(0, evidenceMax).map(({ line }) => line)
      return fail(reads, whatWentWrong(wrong, streams.length), evidence, fingerprintOf(state), { value: wrong.length, unit: 'streams', limit: 0 })
    }
    if (streams.length === 0) return unknown(`No byte was changed ${placeWords[limits.where]}.`)
    const unread = streams.filter(({ reported, whole }) => reported + whole === 0)
    if (unread.length > 0) {
      return unknown(`Of ${plural(streams.length, 'damaged stream')} ${number(unread.length)} gave no answer to a read.`, unread.slice(0, evidenceMax).map(({ event }) => damageWords(event)), reads)
    }
    const sum = (of: 'reported' | 'whole') => number(streams.reduce((all, stream) => all + stream[of], 0))
    const answers = statuses.size === 0 ? '' : ` (${[...statuses].toSorted().join(', ')})`
    const because = `${plural(reads, 'read')} of ${plural(streams.length, 'stream')} with a byte changed ${placeWords[limits.where]}: ${sum('reported')} ended with an error${answers} or before the damage, ${sum('whole')} held everything that was acknowledged.`
    return pass(reads, because, { value: 0, unit: 'streams', limit: 0 })
  },
}

const placeWords = { payload: 'in the payload of a record', length: 'in the length before a record', any: 'in a record' }

function isServed({ wrong }: DamagedStream): boolean {
  return wrong === 'served'
}

/** `6 of 8 damaged streams were read with altered bytes as if they were right, …; 24 acknowledged records are not in these answers.` */
function whatWentWrong(wrong: DamagedStream[], damaged: number): string {
  const served = wrong.filter(isServed).length
  const hidden = wrong.length - served
  const were = (count: number) => (count === 1 ? 'was' : 'were')
  const what = [
    ...(served > 0 ? [`${number(served)} of ${plural(damaged, 'damaged stream')} ${were(served)} read with altered bytes as if they were right`] : []),
    ...(hidden > 0 ? [`${served > 0 ? number(hidden) : `${number(hidden)} of ${plural(damaged, 'damaged stream')}`} ${were(hidden)} read as if what is missing had never been there`] : []),
  ]
  const missing = wrong.reduce((sum, stream) => sum + stream.missing, 0)
  const lost = missing === 0 ? '' : `; ${plural(missing, 'acknowledged record')} ${missing === 1 ? 'is' : 'are'} not in these answers`
  return `${what.join(', and ')}${lost}.`
}

function fingerprintOf({ damaged, traits }: State): string {
  const invariant: Invariant = [...damaged.values()].some(isServed) ? 'served' : 'hidden'
  const { [invariant]: found } = traits
  const where = found.of('where')
  return `damage-is-reported/${invariant}/${found.of('kind')}/${where === 'any' ? 'flipped-byte' : `flipped-${where}`}/${found.way}`
}

function keepDamage({ limits, ledger, damaged }: State, event: DamagedRecord): void {
  const entry = ledger.streams.get(event.stream)
  if (entry?.incarnation !== event.incarnation || (limits.where !== 'any' && limits.where !== event.where)) return
  damaged.set(event.stream, { event, kind: entry.kind, reported: 0, whole: 0, wrong: null, line: '', missing: 0 })
}

function keepAcknowledged(state: State, event: Outcome & { atMs: number }): void {
  let times = state.acknowledged.get(event.stream)
  if (!times) state.acknowledged.set(event.stream, (times = new RecordTimes()))
  times.set(event.append!.record, event.atMs)
}

/** Nothing more is expected of a stream that was deleted, or of its former life. What it was told stands. */
function forget({ acknowledged, damaged }: State, stream: string): void {
  acknowledged.delete(stream)
  if (damaged.get(stream)?.wrong === null) damaged.delete(stream)
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const stream = state.damaged.get(event.stream)
  if (stream?.event.incarnation !== event.incarnation || event.status === undefined || !state.acknowledged.has(event.stream)) return
  const answer = answerOf(state, event, event.status)
  if (answer === null) return
  state.reads += 1
  if (answer.is === 'whole') stream.whole += 1
  else if (answer.is === 'reported') {
    stream.reported += 1
    if (event.status >= 500) state.statuses.add(event.status)
  } else note(state, stream, event, answer.is, answer.missing)
}

interface Answer {
  is: Invariant | 'reported' | 'whole'
  /** Acknowledged records that are not in it. */
  missing: string[]
}

/** Null for what says nothing of the damage. */
function answerOf(state: State, event: Outcome, status: number): Answer | null {
  const { read } = event
  const present = read?.records ?? []
  const visibleBefore = event.invokedAtMs - staleAllowanceMs(event.via, state.limits.staleMs)
  const missing = state.acknowledged.get(event.stream)!.upTo(visibleBefore, present).absent.map(([record]) => record)
  if (status === 404 || status === 410) return { is: 'hidden', missing }
  if (event.op === 'head' || (status >= 400 && status < 500)) return null
  if (read && isAltered(read)) return { is: 'served', missing }
  if (status >= 500 || !read) return { is: 'reported', missing }
  if (missing.length === 0) return { is: 'whole', missing }
  return { is: read.upToDate || read.closed || isSkipped(missing, present) ? 'hidden' : 'reported', missing }
}

/** What a read that broke off has last may be the half of a record. */
function isAltered({ damaged, bytes, upToDate, closed }: ReadBack): boolean {
  return damaged.some((place) => upToDate || closed || place.at + place.bytes < bytes)
}

/** Something is missing before what is there. */
function isSkipped(missing: string[], present: string[]): boolean {
  const first = Math.min(...missing.map((record) => splitRecordId(record).number))
  return present.some((record) => splitRecordId(record).number > first)
}

function note(state: State, stream: DamagedStream, event: Outcome & { atMs: number }, invariant: Invariant, missing: string[]): void {
  state.traits[invariant].note(event.via, { kind: stream.kind, where: stream.event.where })
  stream.missing = Math.max(stream.missing, missing.length)
  if (stream.wrong === 'served' || stream.wrong === invariant) return
  stream.wrong = invariant
  stream.line = `${damageWords(stream.event)}: ${answerWords(event, missing)} through ${event.via} at ${since(state.startMs ?? 0, event.atMs)}`
}

/** `flipped-json-0, changed in the payload of flipped-json-0/1.4 (byte 512 of streams/a/data.seg: 97 became 96)` */
function damageWords({ stream, record, where, file, at, before, after }: DamagedRecord): string {
  return `${stream}, changed in the ${where === 'payload' ? 'payload of' : 'length before'} ${record} (byte ${number(at)} of ${file}: ${before} became ${after})`
}

function answerWords({ op, status, read }: Outcome, missing: string[]): string {
  const claims = [...(read?.upToDate ? ['up to date'] : []), ...(read?.closed ? ['closed'] : [])]
  const altered = read?.damaged[0]
  const lacks = missing.length === 0 ? '' : `, without ${missing.length === 1 ? missing[0] : `${plural(missing.length, 'acknowledged record')} (${missing[0]} to ${missing.at(-1)})`}`
  const holds = altered === undefined ? '' : `, with bytes that nobody wrote (${altered.what})`
  return `${op === 'head' ? 'HEAD ' : ''}${status}${claims.length > 0 ? `, ${claims.join(' and ')}` : ''}${holds}${lacks}`
}
