/**
 * While the origin is up, no write to a stream that is there is refused, and no request to it goes
 * without an answer or is answered 5xx. For scenarios that leave the origin alone while they write:
 * a pool of file handles that is full, or a second server beside it, is no reason to turn writers away.
 */
import type { Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { number } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { Findings } from './findings.ts'
import { keepLedger, newLedger, since, type Ledger } from './stream-ledger.ts'

interface State {
  ledger: Ledger
  startMs: number | null
  examined: number
  refused: Findings
}

export const nothingIsRefusedCheck: Check<State, object> = {
  id: 'nothing-is-refused',
  title: 'No write to a stream that is there is refused, and no request fails',
  init: () => ({ ledger: newLedger(), startMs: null, examined: 0, refused: new Findings() }),
  step(state, event) {
    state.startMs ??= event.atMs
    // Before the ledger is kept: a close or delete is judged by what the stream was until then.
    if (event.kind === 'ok' || event.kind === 'fail' || event.kind === 'info') examine(state, event)
    keepLedger(state.ledger, event)
  },
  finish({ examined, refused }) {
    const { count, counted, evidence, fingerprint } = refused
    const figures = { value: count, unit: 'operations', limit: 0 }
    if (count === 0) return pass(examined, `All ${number(examined)} operations at the origin were accepted and answered.`, figures)
    return fail(examined, `${counted} of ${number(examined)} operations were refused or failed at an origin that was up.`, evidence, fingerprint!, figures)
  },
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  if (event.via !== 'origin' || event.op === 'live' || !isThere(state, event)) return
  state.examined += 1
  // What a 404 to a read says is judged by what was acknowledged.
  const isRead = event.op === 'read' || event.op === 'head'
  if (event.kind === 'info' || (event.kind === 'fail' && !isRead)) note(state, event)
}

/** A create needs nothing; streams with a lifetime may have ended by themselves. */
function isThere({ ledger }: State, event: Outcome): boolean {
  if (event.op === 'create') return true
  const entry = ledger.streams.get(event.stream)
  if (!entry || entry.incarnation !== event.incarnation || entry.uncertain) return false
  const ends = entry.ttlSeconds ?? entry.expiresAt ?? entry.closedAtMs ?? entry.deletedAtMs
  return ends === null
}

function note(state: State, event: Outcome & { atMs: number }): void {
  const { lastFault, streams } = state.ledger
  const kind = streams.get(event.stream)?.kind ?? event.create?.streamKind ?? 'unknown'
  const answer = event.status === undefined ? `got no answer (${event.error})` : `was answered ${event.status}`
  const fingerprint = `nothing-is-refused/${event.status ?? 'unanswered'}/${kind}/${lastFault}/origin`
  state.refused.note(String(event.id), fingerprint, () => `${event.op} of ${event.stream} (${kind}) at ${since(state.startMs ?? 0, event.atMs)} ${answer}`)
}
