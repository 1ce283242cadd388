/** No record stands in a stream more than once: a retry by a producer is dropped, a recovery replays nothing. */
import type { Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { fail, pass } from '../verdict.ts'
import { keepLedger, newLedger, since, type Ledger } from './stream-ledger.ts'

interface State {
  ledger: Ledger
  startMs: number | null
  recordsRead: number
  /** How often an append was sent again with the same producer sequence. */
  retries: number
  doubled: Map<string, string>
  fingerprint: string | null
}

export const nothingIsTwiceCheck: Check<State, object> = {
  id: 'nothing-is-twice',
  title: 'No append is stored twice',
  init: () => ({ ledger: newLedger(), startMs: null, recordsRead: 0, retries: 0, doubled: new Map(), fingerprint: null }),
  step(state, event) {
    state.startMs ??= event.atMs
    keepLedger(state.ledger, event)
    if (event.kind === 'invoke' && event.append?.retry) state.retries += 1
    if (event.kind === 'ok' && event.op === 'read') examine(state, event)
  },
  finish(state) {
    if (state.doubled.size > 0) {
      const because = `${state.doubled.size} appends stand in their stream more than once.`
      const more = { value: state.doubled.size, unit: 'appends', limit: 0 }
      return fail(state.recordsRead, because, [...state.doubled.values()], state.fingerprint!, more)
    }
    const because = `No record was twice among ${state.recordsRead.toLocaleString('en-US')} read, with ${state.retries} producer retries.`
    return pass(state.recordsRead, because, { value: 0, unit: 'appends', limit: 0 })
  },
  measure: (state) => ({ durability: { doubled: state.doubled.size } }),
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const seen = new Set<string>()
  for (const record of event.read?.records ?? []) {
    state.recordsRead += 1
    if (seen.has(record)) note(state, event, record)
    seen.add(record)
  }
}

function note(state: State, event: Outcome & { atMs: number }, record: string): void {
  const key = `${event.stream} ${record}`
  if (state.doubled.has(key)) return
  const kind = state.ledger.streams.get(event.stream)?.kind ?? 'unknown'
  const times = event.read!.records.filter((candidate) => candidate === record).length
  state.doubled.set(
    key,
    `${record} stands ${times} times in ${event.stream} (${kind}), read at ` +
      `${since(state.startMs ?? 0, event.atMs)} through ${event.via}, after ${state.ledger.lastFault}`,
  )
  state.fingerprint ??= `nothing-is-twice/doubled/${kind}/${state.ledger.lastFault}/${event.via}`
}
