/** A stream's bytes are whole records of this very stream and incarnation, and nothing else. */
import { limitsOf, type Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { fail, pass } from '../verdict.ts'
import { recordSeries } from '../record-id.ts'
import { isExcepted, type Excepting } from './excepted.ts'
import { Findings } from './findings.ts'
import { keepLedger, newLedger, since, type Ledger } from './stream-ledger.ts'

interface State {
  limits: Excepting
  ledger: Ledger
  startMs: number | null
  bytesRead: number
  reads: number
  torn: Findings
}

export const nothingIsTornCheck: Check<State, Partial<Excepting>> = {
  id: 'nothing-is-torn',
  title: 'Streams hold whole records of their own, and nothing else',
  init: (limits) => ({ limits: limitsOf({ except: '' }, limits), ledger: newLedger(), startMs: null, bytesRead: 0, reads: 0, torn: new Findings() }),
  step(state, event) {
    state.startMs ??= event.atMs
    keepLedger(state.ledger, event)
    if (event.kind === 'ok' && event.op === 'read' && event.read && !isExcepted(state.limits, event.stream)) examine(state, event)
  },
  finish(state) {
    const { count, counted, evidence, fingerprint } = state.torn
    if (count > 0) {
      const because = `${counted} places hold bytes that no append of this stream wrote.`
      return fail(state.reads, because, evidence, fingerprint!, { value: count, unit: 'places', limit: 0 })
    }
    const because = `${state.bytesRead.toLocaleString('en-US')} bytes in ${state.reads} reads are whole records of their stream.`
    return pass(state.reads, because, { value: 0, unit: 'places', limit: 0 })
  },
  measure: (state) => ({ durability: { torn: state.torn.count } }),
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const read = event.read!
  state.reads += 1
  state.bytesRead += read.bytes
  for (const damage of read.damaged) {
    note(state, event, 'torn', `byte ${damage.at}: ${damage.bytes} bytes are no whole record: ${damage.what}`)
  }
  const entry = state.ledger.streams.get(event.stream)
  if (!entry || entry.incarnation !== event.incarnation) return
  const own = recordSeries(event.stream, event.incarnation)
  const inherited = new Set(entry.inherits)
  for (const record of read.records) {
    if (record.startsWith(own) || inherited.has(record)) continue
    note(state, event, 'foreign', `record ${record} belongs to another stream or an earlier life of this one`)
  }
}

function note(state: State, event: Outcome & { atMs: number }, invariant: string, what: string): void {
  const { lastFault } = state.ledger
  const kind = state.ledger.streams.get(event.stream)?.kind ?? 'unknown'
  const when = since(state.startMs ?? 0, event.atMs)
  state.torn.note(
    `${event.stream} ${what}`,
    `nothing-is-torn/${invariant}/${kind}/${lastFault}/${event.via}`,
    () => `${event.stream} (${kind}) through ${event.via} at ${when}, after ${lastFault}: ${what}`,
  )
}
