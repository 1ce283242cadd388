/** Every append that was acknowledged before a read began is in that read, whatever the stream was. */
import { limitsOf, type Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { keepLedger, newLedger, since, staleAllowanceMs, type Ledger, type StreamEntry } from './stream-ledger.ts'

interface Limits {
  /** What a read through the cache may miss of writes made at the origin. */
  staleMs: number
}

interface State {
  limits: Limits
  ledger: Ledger
  startMs: number | null
  reads: number
  recordsExpected: number
  lost: Map<string, string>
  /** Streams that were written and never read back: nothing is known of them. */
  unread: Set<string>
  fingerprint: string | null
}

export const nothingAcknowledgedIsLostCheck: Check<State, Partial<Limits>> = {
  id: 'nothing-acknowledged-is-lost',
  title: 'Every acknowledged append is read back',
  init: (limits) => ({
    limits: limitsOf({ staleMs: 1_000 }, limits),
    ledger: newLedger(),
    startMs: null,
    reads: 0,
    recordsExpected: 0,
    lost: new Map(),
    unread: new Set(),
    fingerprint: null,
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    keepLedger(state.ledger, event)
    if (event.kind === 'ok' && event.append) state.unread.add(event.stream)
    if ((event.kind === 'ok' || event.kind === 'fail') && event.op === 'read') examine(state, event)
  },
  finish(state) {
    if (state.lost.size > 0) {
      const because = `${state.lost.size} acknowledged appends were missing when read back.`
      const more = { value: state.lost.size, unit: 'appends', limit: 0 }
      return fail(state.recordsExpected, because, [...state.lost.values()], state.fingerprint!, more)
    }
    const unread = [...state.unread].filter((name) => !state.ledger.streams.get(name)?.deletedAtMs)
    if (unread.length > 0 && state.reads > 0) {
      return unknown(`${unread.length} written streams were never read back.`, unread.slice(0, 5), state.recordsExpected)
    }
    const because = `All ${state.recordsExpected.toLocaleString('en-US')} expectations of acknowledged appends were met in ${state.reads} reads.`
    return pass(state.recordsExpected, because, { value: 0, unit: 'appends', limit: 0 })
  },
  measure: (state) => ({ durability: { lost: state.lost.size } }),
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const entry = state.ledger.streams.get(event.stream)
  if (!entry || entry.incarnation !== event.incarnation || entry.deletedAtMs !== null || entry.uncertain) return
  state.reads += 1
  state.unread.delete(event.stream)
  const present = new Set(event.read?.records ?? [])
  const visibleBefore = event.invokedAtMs - staleAllowanceMs(event.via, state.limits.staleMs)
  const expected = entry.acknowledged.filter((append) => append.ackAtMs <= visibleBefore)
  state.recordsExpected += expected.length + entry.inherits.length
  for (const append of expected) {
    if (!present.has(append.record)) note(state, entry, event, append.record, append.ackAtMs)
  }
  for (const record of entry.inherits) {
    if (!present.has(record)) note(state, entry, event, record, entry.createdAtMs)
  }
}

function note(state: State, entry: StreamEntry, event: Outcome & { atMs: number }, record: string, ackAtMs: number): void {
  const key = `${entry.name} ${record}`
  if (state.lost.has(key)) return
  const start = state.startMs ?? 0
  const status = event.status === 200 ? '' : ` (answered ${event.status})`
  state.lost.set(
    key,
    `${record} of ${entry.name} (${entry.kind}), acknowledged at ${since(start, ackAtMs)}, ` +
      `missing at ${since(start, event.atMs)} through ${event.via}${status}, after ${state.ledger.lastFault}`,
  )
  state.fingerprint ??= `nothing-acknowledged-is-lost/lost/${entry.kind}/${state.ledger.lastFault}/${event.via}`
}
