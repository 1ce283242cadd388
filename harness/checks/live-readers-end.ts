/**
 * A live reader that is attached when its stream expires is let go: a long-poll within its time-out,
 * an event stream within the bound.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { duration } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { keepLifetimes, type Lifetime, type Lifetimes } from './lifetime-model.ts'
import { since } from './stream-ledger.ts'

interface Limits {
  boundMs: number
}

interface State {
  limits: Limits
  lifetimes: Lifetimes
  startMs: number | null
  /** The origin's own time-outs, as noted in the history: what a live reader may be held anyway. */
  ownTimeoutMs: { 'long-poll': number; sse: number }
  examined: number
  /** Readers that gave up before the bound: they prove nothing. */
  gaveUp: Findings
  heldMsMax: number
  held: Findings
}

export const liveReadersEndCheck: Check<State, Partial<Limits>> = {
  id: 'live-readers-end',
  title: 'Live readers of a stream that expires are let go within the bound',
  hangsOnTime: true,
  init: (limits) => ({
    limits: limitsOf({ boundMs: 1_000 }, limits),
    ownTimeoutMs: { 'long-poll': 30_000, sse: 60_000 },
    gaveUp: new Findings(),
    lifetimes: new Map(),
    startMs: null,
    examined: 0,
    heldMsMax: 0,
    held: new Findings(),
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    if (event.kind === 'sample' && event.name === 'long-poll-timeout-ms') state.ownTimeoutMs['long-poll'] = event.value
    if (event.kind === 'sample' && event.name === 'sse-reconnect-ms') state.ownTimeoutMs.sse = event.value
    if ('op' in event && event.op === 'live' && event.kind !== 'invoke') examine(state, event)
    keepLifetimes(state.lifetimes, event)
  },
  finish(state) {
    const figures = { value: state.heldMsMax, unit: 'ms' }
    const { held, gaveUp } = state
    if (held.count > 0) {
      return fail(state.examined, `${held.counted} of ${state.examined} live readers were held beyond the bound after their stream expired.`, held.evidence, held.fingerprint!, figures)
    }
    if (gaveUp.count > 0) return unknown(`${gaveUp.counted} live readers were not followed to the end of the bound.`, gaveUp.evidence, state.examined)
    if (state.examined === 0) return unknown('No live reader was attached when its stream expired.')
    return pass(state.examined, `${state.examined} live readers were let go, the last ${duration(state.heldMsMax)} after the expiry.`, figures)
  },
}

/** Only streams with a fixed end: a live reader itself renews a sliding one. */
function examine(state: State, event: Outcome & { atMs: number }): void {
  const life = state.lifetimes.get(event.stream)
  if (!life || life.ttlMs !== null || life.incarnation !== event.incarnation) return
  const attached = event.invokedAtMs < life.aliveUntilMs && event.atMs > life.deadAfterMs
  if (!attached) return
  const heldMs = Math.round(event.atMs - life.deadAfterMs)
  const allowedMs = state.limits.boundMs + state.ownTimeoutMs[event.mode === 'sse' ? 'sse' : 'long-poll']
  if (event.kind === 'info' && heldMs <= allowedMs) {
    state.gaveUp.note(String(event.id), null, () => `${event.stream}: ${event.mode} through ${event.via} was followed ${duration(heldMs)} beyond the expiry (${duration(allowedMs)} allowed)`)
    return
  }
  state.examined += 1
  state.heldMsMax = Math.max(state.heldMsMax, heldMs)
  if (heldMs > allowedMs) note(state, life, event, heldMs, allowedMs)
}

function note(state: State, life: Lifetime, event: Outcome, heldMs: number, allowedMs: number): void {
  state.held.note(
    String(event.id),
    `live-readers-end/held/${life.group}/${event.mode}/${event.via}`,
    () =>
      `${event.stream}: ${event.mode} through ${event.via}, begun at ${since(state.startMs ?? 0, event.invokedAtMs)}, ` +
      `was held ${duration(heldMs)} after the expiry (${duration(allowedMs)} allowed)`,
  )
}
