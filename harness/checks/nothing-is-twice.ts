/** No record stands in a stream more than once: a retry by a producer is dropped, a recovery replays nothing. */
import type { Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { Findings } from './findings.ts'
import { keepLedger, newLedger, since, type Ledger } from './stream-ledger.ts'

interface State {
  ledger: Ledger
  startMs: number | null
  recordsRead: number
  /** How often an append was sent again with the same producer sequence. */
  retries: number
  doubled: Findings
  /** Kinds of the streams that hold something twice. */
  kinds: Set<string>
}

export const nothingIsTwiceCheck: Check<State, object> = {
  id: 'nothing-is-twice',
  title: 'No append is stored twice',
  init: () => ({ ledger: newLedger(), startMs: null, recordsRead: 0, retries: 0, doubled: new Findings(), kinds: new Set() }),
  step(state, event) {
    state.startMs ??= event.atMs
    keepLedger(state.ledger, event)
    if (event.kind === 'invoke' && event.append?.retry) state.retries += 1
    if (event.kind === 'ok' && event.op === 'read') examine(state, event)
  },
  finish(state) {
    const { count, counted, evidence, fingerprint } = state.doubled
    if (count > 0) {
      const kinds = [...state.kinds].slice(0, 4).join(', ')
      const because = `${counted} append${count === 1 ? ' stands' : 's stand'} in ${count === 1 ? 'its' : 'their'} stream more than once (${kinds}).`
      return fail(state.recordsRead, because, evidence, fingerprint!, { value: count, unit: 'appends', limit: 0 })
    }
    const because = `No record was twice among ${number(state.recordsRead)} read, with ${plural(state.retries, 'producer retry', 'producer retries')}.`
    return pass(state.recordsRead, because, { value: 0, unit: 'appends', limit: 0 })
  },
  measure: (state) => ({ durability: { doubled: state.doubled.count } }),
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
  const { lastFault } = state.ledger
  const kind = state.ledger.streams.get(event.stream)?.kind ?? 'unknown'
  state.kinds.add(kind)
  state.doubled.note(`${event.stream} ${record}`, `nothing-is-twice/doubled/${kind}/${lastFault}/${event.via}`, () => {
    const times = event.read!.records.filter((candidate) => candidate === record).length
    return (
      `${record} stands ${times} times in ${event.stream} (${kind}), read at ` +
      `${since(state.startMs ?? 0, event.atMs)} through ${event.via}, after ${lastFault}`
    )
  })
}
