/**
 * A reader that follows a stream receives every acknowledged record exactly once and in order,
 * nothing that was refused, no bytes of another stream, and comes to the stream's end.
 *
 * Each stream has one writer with one append in flight, so that the numbers of its records rise in
 * the order in which they were appended.
 */
import type { Check } from '../check.ts'
import type { Follow, Outcome, Retired } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { dropSeries, numberIn, recordSeries } from '../record-id.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { RecordTimes } from './record-times.ts'
import { since } from './stream-ledger.ts'
import { Traits } from './traits.ts'

interface Reader {
  /** The number of the record that it received last. */
  last: number
  /** Numbers that it went past. */
  skipped: Set<number>
  stream: string
  mode: string
  via: string
  ended: boolean
}

/** From what is only odd to what is worst. */
const invariants = ['no-end', 'refused', 'foreign', 'damaged', 'reordered', 'twice', 'missed'] as const
type Invariant = (typeof invariants)[number]

interface State {
  startMs: number | null
  acknowledged: RecordTimes
  refused: Set<string>
  /** Records of which an append got no answer: a later refusal says nothing of that one. */
  unanswered: Set<string>
  /** The highest acknowledged number of each stream's series. */
  highest: Map<string, number>
  readers: Map<string, Reader>
  received: number
  /** Readers of streams that nobody asks for any more: counted, not kept. */
  readersRetired: number
  /**
   * Of all readers, not of the findings alone: which of several ways is hit first is chance, and says nothing of
   * the hop. Where all take one way, it is that one.
   */
  ways: Traits<'via'>
  wrong: Findings
  traits: Traits<'mode'>
  /** The worst that happened. */
  worst: Invariant
}

export const liveReadersMissNothingCheck: Check<State, object> = {
  id: 'live-readers-miss-nothing',
  title: 'Each live reader receives every record once and in order',
  init: () => ({ startMs: null, acknowledged: new RecordTimes(), refused: new Set(), unanswered: new Set(), highest: new Map(), readers: new Map(), received: 0, readersRetired: 0, ways: new Traits(), wrong: new Findings(), traits: new Traits(), worst: 'no-end' }),
  step(state, event) {
    state.startMs ??= event.atMs
    if ((event.kind === 'ok' || event.kind === 'fail') && event.append) keepAppend(state, event.append.record, event)
    // A refused append that is tried anew may be received before its answer is.
    if (event.kind === 'invoke' && event.append) state.refused.delete(event.append.record)
    if (event.kind === 'info' && event.append) state.unanswered.add(event.append.record)
    if (event.kind === 'retired') forget(state, event)
    if (event.kind !== 'follow') return
    const reader = readerOf(state, event)
    for (const what of event.damaged ?? []) note(state, event, 'damaged', event.atMs, `received ${what}`)
    for (const record of event.records ?? []) receive(state, reader, event, record)
    if (event.what === 'ended') end(state, reader, event)
  },
  finish({ readers, readersRetired, received, ways, wrong, traits, worst }) {
    const count = readers.size + readersRetired
    if (wrong.count > 0) {
      return fail(received, `${wrong.counted} ${wrong.count === 1 ? 'time' : 'times'} a live reader missed a record or received it twice, out of order or damaged, among ${plural(count, 'reader')}.`, wrong.evidence, `live-readers-miss-nothing/${worst}/${traits.of('mode')}/any/${ways.of('via')}`, { value: wrong.count, unit: 'records', limit: 0 })
    }
    const open = [...readers.values()].filter((reader) => !reader.ended).length
    if (open > 0) return unknown(`${plural(open, 'live reader')} did not come to an end.`, [], received)
    return pass(received, `${plural(count, 'live reader')} received ${number(received)} records, each once and in order.`, { value: 0, unit: 'records', limit: 0 })
  },
}

/** Its readers stay counted. */
function forget(state: State, { stream, incarnation }: Retired): void {
  const series = recordSeries(stream, incarnation)
  state.acknowledged.drop(series)
  state.highest.delete(series)
  dropSeries(state.refused, series)
  dropSeries(state.unanswered, series)
  for (const [name, reader] of state.readers) {
    if (reader.stream !== stream) continue
    state.readers.delete(name)
    state.readersRetired += 1
  }
}

function keepAppend(state: State, record: string, event: Outcome & { atMs: number }): void {
  if (event.kind === 'fail' && state.unanswered.has(record)) return
  if (event.kind === 'fail') return void state.refused.add(record)
  state.refused.delete(record)
  state.acknowledged.set(record, event.atMs)
  const series = recordSeries(event.stream, event.incarnation)
  const at = numberIn(series, record)
  state.highest.set(series, Math.max(at, state.highest.get(series) ?? 0))
  // The acknowledgement may come after the readers went past.
  for (const [name, reader] of state.readers) {
    if (reader.stream === event.stream && reader.skipped.has(at)) note(state, { ...reader, reader: name }, 'missed', event.atMs, `never received ${record}, but the ones after it`)
  }
}

function readerOf(state: State, event: Follow): Reader {
  const known = state.readers.get(event.reader)
  if (known) return known
  const { stream, mode, via } = event
  state.ways.note({ via })
  const reader = { last: 0, skipped: new Set<number>(), stream, mode, via, ended: false }
  state.readers.set(event.reader, reader)
  return reader
}

function receive(state: State, reader: Reader, event: Follow & { atMs: number }, record: string): void {
  state.received += 1
  const at = numberIn(recordSeries(event.stream, event.incarnation), record)
  if (at === 0) return note(state, event, 'foreign', event.atMs, `received ${record}, which is of another stream`)
  if (state.refused.has(record)) note(state, event, 'refused', event.atMs, `received ${record}, which was refused`)
  if (at <= reader.last && reader.skipped.delete(at)) {
    // An append that got no answer may happen late.
    if (state.acknowledged.get(record) !== undefined) note(state, event, 'reordered', event.atMs, `received ${record} after number ${reader.last}`)
    return
  }
  if (at <= reader.last) return note(state, event, 'twice', event.atMs, `received ${record} again`)
  for (let between = reader.last + 1; between < at; between += 1) skip(state, reader, event, between)
  reader.last = at
}

function skip(state: State, reader: Reader, event: Follow & { atMs: number }, at: number): void {
  reader.skipped.add(at)
  const record = `${recordSeries(event.stream, event.incarnation)}${at}`
  if (state.acknowledged.get(record) !== undefined) note(state, event, 'missed', event.atMs, `never received ${record}, but the ones after it`)
}

/** What is missing at its end it missed, too. */
function end(state: State, reader: Reader, event: Follow & { atMs: number }): void {
  reader.ended = true
  const series = recordSeries(event.stream, event.incarnation)
  const highest = state.highest.get(series) ?? 0
  let missing = 0
  for (let at = reader.last + 1; at <= highest; at += 1) if (state.acknowledged.get(`${series}${at}`) !== undefined) missing += 1
  if (missing > 0) note(state, event, 'missed', event.atMs, `ended without the last ${plural(missing, 'record')}`)
  else if (event.at === 'behind') note(state, event, 'no-end', event.atMs, 'had every record, but was never told that it was at the end')
}

function note(state: State, on: Pick<Follow, 'reader' | 'stream'> & { mode: string; via: string }, invariant: Invariant, atMs: number, what: string): void {
  const line = () => `${on.mode} by ${on.via} on ${on.stream}: ${what}, at ${since(state.startMs ?? 0, atMs)}`
  state.traits.note({ mode: on.mode })
  if (invariants.indexOf(invariant) > invariants.indexOf(state.worst)) state.worst = invariant
  state.wrong.note(`${on.reader} ${what}`, null, line)
}
