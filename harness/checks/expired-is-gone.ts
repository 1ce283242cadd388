/** After its expiry and the bound, no reader gets an expired stream: 404 or 410, by every way. */
import { limitsOf, type Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { duration } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { expectationFor, keepLifetimes, LifetimeTraits, type Lifetime, type Lifetimes } from './lifetime-model.ts'
import { since, staleAllowanceMs } from './stream-ledger.ts'

interface Limits {
  /** How long after its expiry the origin may still answer. */
  boundMs: number
  staleMs: number
  /** Only streams whose group begins with this. */
  group: string
  /** Fewer looks than this after an expiry prove nothing. */
  looksMin: number
}

interface State {
  limits: Limits
  lifetimes: Lifetimes
  startMs: number | null
  looks: Map<string, { probes: number; lateByMsMax: number }>
  examined: number
  undead: Findings
  traits: LifetimeTraits
}

export const expiredIsGoneCheck: Check<State, Partial<Limits>> = {
  id: 'expired-is-gone',
  title: 'An expired stream is gone for every reader within the bound',
  hangsOnTime: true,
  init: (limits) => ({
    limits: limitsOf({ boundMs: 1_000, staleMs: 1_000, group: '', looksMin: 1 }, limits),
    lifetimes: new Map(),
    startMs: null,
    looks: new Map(),
    examined: 0,
    undead: new Findings(),
    traits: new LifetimeTraits(),
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    if ('op' in event && event.kind !== 'invoke' && event.op !== 'create') examine(state, event)
    keepLifetimes(state.lifetimes, event)
  },
  finish(state) {
    const { boundMs, staleMs, looksMin } = state.limits
    const bounds = `${duration(boundMs)} (${duration(boundMs + staleMs)} through the cache)`
    const { count, counted, evidence } = state.undead
    if (count > 0) {
      const because = `${counted} of ${state.examined} looks later than ${bounds} after an expiry still found the stream.`
      return fail(state.examined, because, evidence, `expired-is-gone/undead/${state.traits.parts}`, { value: count, unit: 'looks', limit: 0 })
    }
    if (state.examined < looksMin) return unknown(`Only ${state.examined} looks came after an expiry; ${looksMin} are needed.`)
    return pass(state.examined, `All ${state.examined} looks later than ${bounds} after an expiry found nothing.`)
  },
  measure: (state) => ({
    expiry: [...state.looks].map(([key, look]) => ({
      mode: key.split(' ')[0]!,
      via: key.split(' ')[1]!,
      lateByMsMax: look.lateByMsMax,
      probes: look.probes,
    })),
  }),
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const life = state.lifetimes.get(event.stream)
  if (!life || life.incarnation !== event.incarnation || !life.group.startsWith(state.limits.group)) return
  if (event.status === undefined) return
  const found = event.status < 400
  const allowanceMs = state.limits.boundMs + staleAllowanceMs(event.via, state.limits.staleMs)
  remember(state, life, event, found)
  if (expectationFor(life, event, allowanceMs) !== 'dead') return
  state.examined += 1
  if (found) note(state, life, event)
}

/** How long after its expiry a stream was last found, by way of reading. */
function remember(state: State, life: Lifetime, event: Outcome & { atMs: number }, found: boolean): void {
  const key = `${event.mode ?? event.op} ${event.via}`
  const look = state.looks.get(key) ?? { probes: 0, lateByMsMax: 0 }
  look.probes += 1
  if (found && event.op !== 'live') look.lateByMsMax = Math.max(look.lateByMsMax, Math.round(event.invokedAtMs - life.deadAfterMs))
  state.looks.set(key, look)
}

function note(state: State, life: Lifetime, event: Outcome & { atMs: number }): void {
  const late = Math.round(event.invokedAtMs - life.deadAfterMs)
  const how = event.mode ?? event.op
  state.traits.note(life, event.via)
  state.undead.note(
    String(event.id),
    null,
    () =>
      `${event.stream}: ${how} through ${event.via} at ${since(state.startMs ?? 0, event.invokedAtMs)} ` +
      `answered ${event.status}, ${duration(late)} after the latest moment it can have expired`,
  )
}
