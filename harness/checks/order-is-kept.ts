/**
 * Records stand in an order that real time allows: one acknowledged before another was sent stands
 * before it. Appends in flight together may stand in either order.
 */
import type { Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { fail, pass } from '../verdict.ts'
import { keepLedger, newLedger, since, type Ledger } from './stream-ledger.ts'

interface State {
  ledger: Ledger
  startMs: number | null
  recordsRead: number
  /** First time an append was sent, by record: a retry does not make it later. */
  sentAtMs: Map<string, number>
  ackAtMs: Map<string, number>
  reordered: Map<string, string>
  fingerprint: string | null
}

export const orderIsKeptCheck: Check<State, object> = {
  id: 'order-is-kept',
  title: 'Appends stand in the order in which they were acknowledged',
  init: () => ({
    ledger: newLedger(),
    startMs: null,
    recordsRead: 0,
    sentAtMs: new Map(),
    ackAtMs: new Map(),
    reordered: new Map(),
    fingerprint: null,
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    keepLedger(state.ledger, event)
    if (event.kind === 'invoke' && event.append && !state.sentAtMs.has(event.append.record)) {
      state.sentAtMs.set(event.append.record, event.atMs)
    }
    if (event.kind === 'ok' && event.append) state.ackAtMs.set(event.append.record, event.atMs)
    if (event.kind === 'ok' && event.op === 'read') examine(state, event)
  },
  finish(state) {
    if (state.reordered.size > 0) {
      const because = `${state.reordered.size} appends stand after one that was sent later.`
      const more = { value: state.reordered.size, unit: 'appends', limit: 0 }
      return fail(state.recordsRead, because, [...state.reordered.values()], state.fingerprint!, more)
    }
    const because = `The order of ${state.recordsRead.toLocaleString('en-US')} records read agrees with real time.`
    return pass(state.recordsRead, because, { value: 0, unit: 'appends', limit: 0 })
  },
  measure: (state) => ({ durability: { reordered: state.reordered.size } }),
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
  if (state.reordered.has(record)) return
  const kind = state.ledger.streams.get(event.stream)?.kind ?? 'unknown'
  state.reordered.set(
    record,
    `${record} stands after ${earlier}, which was sent only after ${record} was acknowledged ` +
      `(${event.stream}, read at ${since(state.startMs ?? 0, event.atMs)} through ${event.via})`,
  )
  state.fingerprint ??= `order-is-kept/reordered/${kind}/${state.ledger.lastFault}/${event.via}`
}
