/**
 * While the disk of data_dir is full, an append that cannot be stored is answered with an error; when
 * there is room again, appends are acknowledged again, without anybody's help. Which of them are
 * there afterwards is for other checks to say.
 */
import { limitsOf, type Check } from '../check.ts'
import type { HistoryEvent, Outcome } from '../history.ts'
import { duration, number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { since } from './stream-ledger.ts'

interface Limits {
  /** From the moment that there is room again until the first acknowledgement of an append sent since. */
  recoverMs: number
}

interface State {
  limits: Limits
  startMs: number | null
  isFull: boolean
  /** Since when there is room again and nothing has been acknowledged yet. */
  healedAtMs: number | null
  fullDisks: number
  refused: Map<number, number>
  recoveries: number[]
  unanswered: Findings
  lastMs: number
}

export const fullDiskIsReportedCheck: Check<State, Partial<Limits>> = {
  id: 'full-disk-is-reported',
  title: 'A full disk is answered with errors, and is over when there is room again',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ recoverMs: 5_000 }, limits), startMs: null, isFull: false, healedAtMs: null, fullDisks: 0, refused: new Map(), recoveries: [], unanswered: new Findings(), lastMs: 0 }),
  step(state, event) {
    state.startMs ??= event.atMs
    state.lastMs = event.atMs
    if (event.kind === 'fault' && event.what === 'disk-full') keepFault(state, event)
    if ((event.kind === 'ok' || event.kind === 'fail' || event.kind === 'info') && event.op === 'append') keepAppend(state, event)
  },
  finish({ limits, healedAtMs, fullDisks, refused, recoveries, unanswered, lastMs }) {
    const refusals = [...refused.values()].reduce((sum, count) => sum + count, 0)
    const statuses = [...refused].map(([status, count]) => `${number(count)} times ${status}`).join(', ')
    const slowest = Math.max(0, ...recoveries)
    const figures = { value: Math.round(slowest), unit: 'ms', limit: limits.recoverMs }
    if (unanswered.count > 0) {
      return fail(refusals + unanswered.count, `${unanswered.counted} appends got no answer while the disk was full.`, unanswered.evidence, unanswered.fingerprint!, figures)
    }
    if (refusals === 0) return unknown(fullDisks === 0 ? 'No disk was full.' : 'No append was refused while the disk was full.')
    const waitedMs = healedAtMs === null ? 0 : lastMs - healedAtMs
    if (waitedMs > limits.recoverMs) {
      return fail(refusals, `No append was acknowledged in the ${duration(waitedMs)} after the disk had room again.`, [`while it was full: ${statuses}`], 'full-disk-is-reported/does-not-recover/any/disk-full/origin', { ...figures, value: Math.round(waitedMs) })
    }
    if (slowest > limits.recoverMs) {
      return fail(refusals, `The first append was acknowledged ${duration(slowest)} after the disk had room again.`, [`while it was full: ${statuses}`], 'full-disk-is-reported/recovers-late/any/disk-full/origin', figures)
    }
    if (recoveries.length === 0) return unknown('The disk had no room again in this run, or nothing was written then.', [statuses], refusals)
    return pass(refusals, `${plural(refusals, 'append')} ${refusals === 1 ? 'was' : 'were'} refused while the disk was full (${statuses}), and ${duration(slowest)} at most after it had room again the first was acknowledged.`, figures)
  },
}

function keepFault(state: State, event: HistoryEvent & { kind: 'fault' }): void {
  state.isFull = event.phase === 'injected'
  if (state.isFull) state.fullDisks += 1
  state.healedAtMs = event.phase === 'healed' && event.proven === true ? event.atMs : null
}

function keepAppend(state: State, event: Outcome & { atMs: number }): void {
  if (state.isFull && event.kind !== 'ok') {
    if (event.status !== undefined) state.refused.set(event.status, (state.refused.get(event.status) ?? 0) + 1)
    else state.unanswered.note(`${event.id}`, 'full-disk-is-reported/unanswered/any/disk-full/origin', () => `${event.append?.record} on ${event.stream}: ${event.error ?? 'no answer'}, sent at ${since(state.startMs ?? 0, event.invokedAtMs)}`)
  }
  if (state.healedAtMs === null || event.kind !== 'ok' || event.invokedAtMs < state.healedAtMs) return
  state.recoveries.push(event.atMs - state.healedAtMs)
  state.healedAtMs = null
}
