/**
 * An append that was refused does not stand in its stream: a writer that was told no writes it again,
 * elsewhere or later, and readers see it twice or where it does not belong.
 */
import type { Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { dropSeries, recordSeries } from '../record-id.ts'
import { Findings } from './findings.ts'
import { keepLedger, newLedger, since, type Ledger, type StreamEntry } from './stream-ledger.ts'

interface State {
  ledger: Ledger
  startMs: number | null
  recordsRead: number
  /** Records of which every attempt was refused, with the answer. */
  refused: Map<string, string>
  /** Records with an attempt that may have happened. A refused retry says nothing of the first. */
  undecided: Set<string>
  stored: Findings
}

/** More refused appends than any scenario makes; what comes after is not looked for. */
const refusedMax = 200_000

export const nothingRefusedIsStoredCheck: Check<State, object> = {
  id: 'nothing-refused-is-stored',
  title: 'An append that was refused is not stored',
  init: () => ({ ledger: newLedger(), startMs: null, recordsRead: 0, refused: new Map(), undecided: new Set(), stored: new Findings() }),
  step(state, event) {
    state.startMs ??= event.atMs
    const gone = keepLedger(state.ledger, event)
    if (gone) forget(state, gone)
    if (event.kind !== 'ok' && event.kind !== 'fail' && event.kind !== 'info') return
    if (event.op === 'append') keep(state, event)
    if (event.op === 'read' && event.kind === 'ok') examine(state, event)
  },
  finish({ stored, recordsRead, refused }) {
    const { count, counted, evidence, fingerprint } = stored
    const figures = { value: count, unit: 'appends', limit: 0 }
    if (count > 0) return fail(recordsRead, `${counted} refused appends stand in their stream all the same.`, evidence, fingerprint!, figures)
    return pass(recordsRead, `None of ${number(recordsRead)} records read had been refused (${plural(refused.size, 'append')} had).`, figures)
  },
}

/** Records of a stream's former life are not looked for in its new one. */
function forget({ refused, undecided }: State, { name, incarnation }: StreamEntry): void {
  const series = recordSeries(name, incarnation)
  dropSeries(refused, series)
  dropSeries(undecided, series)
}

function keep({ refused, undecided }: State, event: Outcome): void {
  const { record, retry = false } = event.append!
  if (event.kind === 'info') undecided.add(record)
  if (event.kind !== 'fail') refused.delete(record)
  else if (!retry && !undecided.has(record) && refused.size < refusedMax) refused.set(record, event.status === undefined ? 'not connected' : String(event.status))
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const kind = state.ledger.streams.get(event.stream)?.kind ?? 'unknown'
  for (const record of event.read?.records ?? []) {
    state.recordsRead += 1
    const answer = state.refused.get(record)
    if (answer === undefined) continue
    state.stored.note(record, `nothing-refused-is-stored/stored/${kind}/${state.ledger.lastFault}/${event.via}`, () => {
      const at = since(state.startMs ?? 0, event.atMs)
      return `${record} was refused (${answer}) and stands in ${event.stream} (${kind}), read at ${at} through ${event.via}`
    })
  }
}
