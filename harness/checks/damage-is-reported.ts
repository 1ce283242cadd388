/**
 * A record that the disk gives back changed is answered with an error. Nobody is given altered bytes as if they
 * were right, and nobody is told that he has read everything where something that was acknowledged is not there.
 * Of a stream that nobody could read since, its files say whether more than that record is lost.
 */
import { limitsOf, type Check } from '../check.ts'
import type { DamagedRecord, Outcome, ReadBack, RecordsGone } from '../history.ts'
import { splitRecordId } from '../record-id.ts'
import { number, plural } from '../report/figures.ts'
import { evidenceMax, fail, pass, unknown } from '../verdict.ts'
import { passesEdge } from './differential/stream-model.ts'
import { keepTime, type RecordTimes } from './record-times.ts'
import { keepLedger, newLedger, since, staleAllowanceMs, type Ledger } from './stream-ledger.ts'
import { TraitsByWay } from './traits.ts'

interface Limits {
  /** Which damage is judged. */
  where: DamagedRecord['where'] | 'any'
  /** What a read through the cache may miss of writes made at the origin. */
  staleMs: number
}

/**
 * How it was wrong: a read was `served` altered bytes as if they were right, or it was `hidden` that something is
 * not there; or nothing was answered any more, and what stood beside the damage is `destroyed`.
 */
type Invariant = 'served' | 'hidden' | 'destroyed'

interface DamagedStream {
  event: DamagedRecord
  kind: string
  /** Reads that were answered with an error, or ended before the damage; and those that held everything. */
  reported: number
  whole: number
  /** Without a cache on the way, which may have an answer from before, or an error of its own. */
  isAnswered: boolean
  /** The worst that a read was told, and the most acknowledged records that one lacked. */
  wrong: Invariant | null
  line: string
  missing: number
  /** Acknowledged records that stood whole in its files, and stand in none any more. */
  gone: string[]
  goneAtMs: number
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
    traits: { served: new TraitsByWay(), hidden: new TraitsByWay(), destroyed: new TraitsByWay() },
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    const gone = keepLedger(state.ledger, event)
    if (gone && state.ledger.streams.get(gone.name)?.incarnation !== gone.incarnation) forget(state, gone.name)
    if (event.kind === 'damaged-record') keepDamage(state, event)
    if (event.kind === 'records-gone') keepGone(state, event)
    if (event.kind !== 'ok' && event.kind !== 'fail' && event.kind !== 'info') return
    if (event.kind === 'ok' && event.op === 'delete') forget(state, event.stream)
    if (event.kind === 'ok' && event.append) keepTime(state.acknowledged, event.stream, event.append.record, event.atMs)
    if ((event.op === 'read' && event.mode === 'catch-up') || event.op === 'head') examine(state, event)
  },
  finish(state) {
    const { damaged, limits, reads, statuses } = state
    const streams = [...damaged.values()].map((stream) => judged(state, stream))
    const wrong = streams.filter((stream) => stream.wrong !== null)
    if (wrong.length > 0) {
      const worst = worstFirst.filter((invariant) => wrong.some((stream) => stream.wrong === invariant))
      const evidence = worst.flatMap((invariant) => wrong.filter((stream) => stream.wrong === invariant)).slice(0, evidenceMax).map(({ line }) => line)
      const byFiles = wrong.filter((stream) => stream.wrong === 'destroyed').length
      return fail(reads + byFiles, whatWentWrong(wrong, streams.length), evidence, fingerprintOf(state, worst[0]!), { value: wrong.length, unit: 'streams', limit: 0 })
    }
    if (streams.length === 0) return unknown(`No byte was changed ${placeWords[limits.where]}.`)
    const unread = streams.filter(({ isAnswered }) => !isAnswered)
    if (unread.length > 0) {
      return unknown(`Of ${plural(streams.length, 'damaged stream')} ${number(unread.length)} had no read answered by the origin.`, unread.slice(0, evidenceMax).map(({ event }) => damageWords(event)), reads)
    }
    const sum = (of: 'reported' | 'whole') => number(streams.reduce((all, stream) => all + stream[of], 0))
    const answers = statuses.size === 0 ? '' : ` (${[...statuses].toSorted().join(', ')})`
    const because = `${plural(reads, 'read')} of ${plural(streams.length, 'stream')} with a byte changed ${placeWords[limits.where]}: ${sum('reported')} ended with an error${answers} or before the damage, ${sum('whole')} held everything that was acknowledged.`
    return pass(reads, because, { value: 0, unit: 'streams', limit: 0 })
  },
}

const placeWords = { payload: 'in the payload of a record', length: 'in the length before a record', any: 'in a record' }

const worstFirst: readonly Invariant[] = ['served', 'hidden', 'destroyed']

const wrongWords: Record<Invariant, string> = {
  served: 'read with altered bytes as if they were right',
  hidden: 'read as if what is missing had never been there',
  destroyed: 'stripped of records beside the damage on the disk, and not answered since',
}

/** Reads say more than files; these are asked where the origin answered no read. */
function judged({ startMs, traits }: State, stream: DamagedStream): DamagedStream {
  const { event, isAnswered, gone } = stream
  if (stream.wrong !== null || isAnswered || gone.length === 0) return stream
  // A start that hangs gets no further than to the first of them: whose that is, is chance.
  traits.destroyed.note('origin', { kind: 'any', where: event.where })
  const line = `${damageWords(event)}: the origin answered no read since, and ${rangeWords(gone)} ${gone.length === 1 ? 'is' : 'are'} in no file any more at ${since(startMs ?? 0, stream.goneAtMs)}`
  return { ...stream, wrong: 'destroyed', missing: gone.length, line }
}

/** `6 of 16 damaged streams were read with altered bytes as if they were right, and 9 were …; 24 acknowledged records are not in these answers.` */
function whatWentWrong(wrong: DamagedStream[], damaged: number): string {
  const counts = worstFirst.map((invariant) => [wrong.filter((stream) => stream.wrong === invariant).length, wrongWords[invariant]] as const).filter(([count]) => count > 0)
  const what = counts.map(([count, words], index) => `${number(count)}${index > 0 ? '' : ` of ${plural(damaged, 'damaged stream')}`} ${count === 1 ? 'was' : 'were'} ${words}`)
  const missing = wrong.reduce((sum, stream) => sum + stream.missing, 0)
  const where = wrong.every((stream) => stream.wrong === 'destroyed') ? 'in no file any more' : 'not in these answers'
  const lost = missing === 0 ? '' : `; ${plural(missing, 'acknowledged record')} ${missing === 1 ? 'is' : 'are'} ${where}`
  return `${what.join(', and ')}${lost}.`
}

function fingerprintOf({ traits }: State, invariant: Invariant): string {
  const { [invariant]: found } = traits
  const where = found.of('where')
  return `damage-is-reported/${invariant}/${found.of('kind')}/${where === 'any' ? 'flipped-byte' : `flipped-${where}`}/${found.way}`
}

function keepDamage({ limits, ledger, damaged }: State, event: DamagedRecord): void {
  const entry = ledger.streams.get(event.stream)
  if (entry?.incarnation !== event.incarnation || (limits.where !== 'any' && limits.where !== event.where)) return
  damaged.set(event.stream, { event, kind: entry.kind, reported: 0, whole: 0, isAnswered: false, wrong: null, line: '', missing: 0, gone: [], goneAtMs: 0 })
}

function keepGone({ acknowledged, damaged }: State, { stream, incarnation, records, atMs }: RecordsGone & { atMs: number }): void {
  const known = damaged.get(stream)
  if (known?.event.incarnation !== incarnation) return
  known.gone = records.filter((record) => acknowledged.get(stream)?.get(record) !== undefined)
  known.goneAtMs = atMs
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
  stream.isAnswered ||= !passesEdge(event.via)
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
  const lacks = missing.length === 0 ? '' : `, without ${rangeWords(missing)}`
  const holds = altered === undefined ? '' : `, with bytes that nobody wrote (${altered.what})`
  return `${op === 'head' ? 'HEAD ' : ''}${status}${claims.length > 0 ? `, ${claims.join(' and ')}` : ''}${holds}${lacks}`
}

function rangeWords(records: string[]): string {
  return records.length === 1 ? records[0]! : `${plural(records.length, 'acknowledged record')} (${records[0]} to ${records.at(-1)})`
}
