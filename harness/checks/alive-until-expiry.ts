/** Until its lifetime ends a stream is there; reads and writes slide a TTL, HEAD and time do not. */
import { limitsOf, type Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { number } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { expectationFor, keepLifetimes, LifetimeTraits, type Lifetime, type Lifetimes } from './lifetime-model.ts'
import { since } from './stream-ledger.ts'

interface Limits {
  group: string
  looksMin: number
}

interface State {
  limits: Limits
  lifetimes: Lifetimes
  startMs: number | null
  examined: number
  /** Looks that found a stream only because an earlier read or write had renewed it. */
  renewed: number
  gone: Findings
  traits: LifetimeTraits
}

export const aliveUntilExpiryCheck: Check<State, Partial<Limits>> = {
  id: 'alive-until-expiry',
  title: 'A stream lives as long as its lifetime says',
  hangsOnTime: true,
  init: (limits) => ({
    limits: limitsOf({ group: '', looksMin: 1 }, limits),
    lifetimes: new Map(),
    startMs: null,
    examined: 0,
    renewed: 0,
    gone: new Findings(),
    traits: new LifetimeTraits(),
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    if ('op' in event && event.kind !== 'invoke' && event.op !== 'create') examine(state, event)
    keepLifetimes(state.lifetimes, event)
  },
  finish(state) {
    const { count, counted, evidence } = state.gone
    if (count > 0) {
      const because = `${counted} of ${state.examined} looks within a lifetime found the stream gone.`
      return fail(state.examined, because, evidence, `alive-until-expiry/gone/${state.traits.parts}`, { value: count, unit: 'looks', limit: 0 })
    }
    if (state.examined < state.limits.looksMin) {
      return unknown(`Only ${state.examined} looks were surely within a lifetime; ${state.limits.looksMin} are needed.`)
    }
    const renewed = state.renewed === 0 ? '' : `, ${number(state.renewed)} of them only because it had been renewed`
    return pass(state.examined, `All ${number(state.examined)} looks within a lifetime found the stream${renewed}.`)
  },
}

function examine(state: State, event: Outcome & { atMs: number }): void {
  const life = state.lifetimes.get(event.stream)
  if (!life || life.incarnation !== event.incarnation || !life.group.startsWith(state.limits.group)) return
  if (event.status === undefined || expectationFor(life, event, 0) !== 'alive') return
  state.examined += 1
  if (event.invokedAtMs > life.aliveUntilWithoutRenewalMs) state.renewed += 1
  if (event.status === 404 || event.status === 410) note(state, life, event)
}

function note(state: State, life: Lifetime, event: Outcome & { atMs: number }): void {
  const how = event.mode ?? event.op
  const early = Math.round(life.aliveUntilMs - event.atMs)
  state.traits.note(life, event.via)
  state.gone.note(
    String(event.id),
    null,
    () =>
      `${event.stream}: ${how} through ${event.via} at ${since(state.startMs ?? 0, event.invokedAtMs)} ` +
      `answered ${event.status}, ${early} ms before the earliest moment it can have expired`,
  )
}
