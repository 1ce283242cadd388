/**
 * What an application gave to a producer of its client library, and was flushed without an error, is in
 * the stream once, and each writer's records in its order; what was refused is not there.
 */
import { limitsOf, type Check } from '../check.ts'
import type { ClientWrite, Outcome } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'

interface Limits {
  /** A writer must have come to this epoch: where none did, none had to claim one. */
  epochMin: number
}

interface State {
  limits: Limits
  /** The highest that a writer ended with. */
  epoch: number
  client: string
  writes: Map<string, ClientWrite[]>
  /** Streams that were read back. */
  read: Set<string>
  records: number
  wrong: Findings
  /** Cases that something was wrong in. */
  cases: Set<string>
  /** What a case is there to show was not to be seen: a writer without an answer. */
  unclear: string[]
}

export const clientWritersLoseNothingCheck: Check<State, Partial<Limits>> = {
  id: 'client-writers-lose-nothing',
  title: 'What the client library flushed is in the stream once, in order',
  init: (limits) => ({ limits: limitsOf({ epochMin: 0 }, limits), epoch: -1, client: '', writes: new Map(), read: new Set(), records: 0, wrong: new Findings(), cases: new Set(), unclear: [] }),
  step(state, event) {
    if (event.kind === 'client-write') keep(state, event)
    if (event.kind === 'ok' && event.op === 'read' && event.via === 'origin') compare(state, event)
  },
  finish(state) {
    const { client, wrong, records, cases, unclear } = state
    const figures = { value: wrong.count, unit: 'records', limit: 0 }
    if (wrong.count > 0) {
      const because = `${client} told its application of no error, and ${wrong.counted} of ${plural(records, 'record')} were lost, doubled, out of order or of a fenced writer (${[...cases].join(', ')}).`
      return fail(records, because, wrong.evidence, wrong.fingerprint!, figures)
    }
    const unread = [...state.writes.keys()].filter((stream) => !state.read.has(stream))
    if (unread.length > 0 && records > 0) return unknown(`${plural(unread.length, 'stream')} were never read back.`, unread, records)
    if (unclear.length > 0) return unknown(`${plural(unclear.length, 'write')} of ${client} came to no clear end.`, unclear, records)
    if (state.epoch < state.limits.epochMin) return unknown(`No writer of ${client} came to epoch ${state.limits.epochMin}: none claimed one.`, [], records)
    return pass(records, `${number(records)} records that ${client} wrote are there once and in order, and none that was refused.`, figures)
  },
}

function keep(state: State, event: ClientWrite): void {
  state.client = event.client
  state.epoch = Math.max(state.epoch, event.epoch)
  state.writes.set(event.stream, [...(state.writes.get(event.stream) ?? []), event])
  if (event.outcome === 'unclear') state.unclear.push(`${event.stream}, writer ${event.writer}: ${event.errors[0] ?? 'no end in time'}`)
}

function compare(state: State, { stream, read }: Outcome): void {
  const writes = state.writes.get(stream)
  if (writes === undefined) return
  state.read.add(stream)
  const there = read!.records
  for (const write of writes) for (const record of write.records) compareOne(state, write, record, there)
  for (const writer of new Set(writes.map((write) => write.writer))) compareOrder(state, writes.filter((write) => write.writer === writer), there)
}

function compareOne(state: State, write: ClientWrite, record: string, there: readonly string[]): void {
  const times = there.filter((other) => other === record).length
  state.records += 1
  if (write.outcome === 'acknowledged' && times === 0) note(state, write, record, 'lost', 'was flushed without an error, and is not there')
  if (write.isFenced && write.outcome === 'acknowledged') note(state, write, record, 'fenced-and-acknowledged', 'was acknowledged, though its writer had been fenced')
  if (write.outcome === 'refused' && times > 0) note(state, write, record, 'refused-and-stored', 'was refused, and is there')
  if (times > 1) note(state, write, record, 'doubled', `is there ${times} times`)
}

function compareOrder(state: State, writes: readonly ClientWrite[], there: readonly string[]): void {
  const sent = writes.flatMap((write) => write.records)
  const places = sent.map((record) => there.indexOf(record)).filter((place) => place >= 0)
  const at = places.findIndex((place, index) => index > 0 && place < places[index - 1]!)
  if (at > 0) note(state, writes[0]!, there[places[at]!]!, 'out-of-order', `stands before ${there[places[at - 1]!]}, which its writer had appended earlier`)
}

function note(state: State, write: ClientWrite, record: string, what: string, line: string): void {
  state.cases.add(write.case)
  state.wrong.note(`${what} ${record}`, `client-writers-lose-nothing/${what}/${write.case}/none/client`, () => `${write.case}, writer ${write.writer} (epoch ${write.epoch}): ${record} ${line} (${write.stream})`)
}
