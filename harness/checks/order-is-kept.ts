/**
 * Records stand in an order that real time allows: one acknowledged before another was sent stands
 * before it. Appends in flight together may stand in either order.
 */
import type { Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { fail, pass } from '../verdict.ts'
import { recordSeries } from '../record-id.ts'
import { Findings } from './findings.ts'
import { RecordTimes } from './record-times.ts'
import { keepLedger, newLedger, since, type Ledger, type StreamEntry } from './stream-ledger.ts'

interface State {
  ledger: Ledger
  startMs: number | null
  recordsRead: number
  /** First time an append was sent, by record: a retry does not make it later. */
  sentAtMs: RecordTimes
  ackAtMs: RecordTimes
  reordered: Findings
}

export const orderIsKeptCheck: Check<State, object> = {
  id: 'order-is-kept',
  title: 'Appends stand in the order in which they were acknowledged',
  init: () => ({
    ledger: newLedger(),
    startMs: null,
    recordsRead: 0,
    sentAtMs: new RecordTimes(),
    ackAtMs: new RecordTimes(),
    reordered: new Findings(),
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    const gone = keepLedger(state.ledger, event)
    if (gone && state.ledger.streams.get(gone.name)?.incarnation !== gone.incarnation) forget(state, gone)
    if (event.kind === 'invoke' && event.append) {
      const { record } = event.append
      if (state.sentAtMs.get(record) === undefined) state.sentAtMs.set(record, event.atMs)
    }
    if (event.kind === 'ok' && event.append) state.ackAtMs.set(event.append.record, event.atMs)
    if (event.kind === 'ok' && event.op === 'read') examine(state, event)
  },
  finish(state) {
    const { count, counted, evidence, fingerprint } = state.reordered
    if (count > 0) {
      const because = `${counted} appends stand after one that was sent later.`
      return fail(state.recordsRead, because, evidence, fingerprint!, { value: count, unit: 'appends', limit: 0 })
    }
    const because = `The order of ${state.recordsRead.toLocaleString('en-US')} records read agrees with real time.`
    return pass(state.recordsRead, because, { value: 0, unit: 'appends', limit: 0 })
  },
  measure: (state) => ({ durability: { reordered: state.reordered.count } }),
}

/** A stream's life is over, and so are its records. */
function forget(state: State, { name, incarnation }: StreamEntry): void {
  state.sentAtMs.drop(recordSeries(name, incarnation))
  state.ackAtMs.drop(recordSeries(name, incarnation))
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  let latestSent = -Infinity
  let latest = ''
  for (const record of event.read?.records ?? []) {
    state.recordsRead += 1
    const ack = state.ackAtMs.get(record)
    if (ack !== undefined && ack < latestSent) note(state, event, record, latest)
    const sent = state.sentAtMs.get(record)
    if (sent !== undefined && sent > latestSent) {
      latestSent = sent
      latest = record
    }
  }
}

function note(state: State, event: Outcome & { atMs: number }, record: string, earlier: string): void {
  const kind = state.ledger.streams.get(event.stream)?.kind ?? 'unknown'
  state.reordered.note(
    record,
    `order-is-kept/reordered/${kind}/${state.ledger.lastFault}/${event.via}`,
    () =>
      `${record} stands after ${earlier}, which was sent only after ${record} was acknowledged ` +
      `(${event.stream}, read at ${since(state.startMs ?? 0, event.atMs)} through ${event.via})`,
  )
}
