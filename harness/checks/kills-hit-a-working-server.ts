/**
 * A kill proves something only if it met a server at work: an append in flight, and enough
 * acknowledged since its last start. Below the floor the run is void, not green.
 */
import { limitsOf, type RunCheck } from '../check.ts'
import { percent } from '../report/figures.ts'
import { pass, unknown } from '../verdict.ts'

interface Limits {
  acknowledgedMin: number
  /** How many kills must have counted, as a share of all. */
  shareMin: number
}

interface State {
  limits: Limits
  kills: number
  killsVoid: number
  restarts: number
  appendsAcknowledged: number
  readyMsMax: number
}

export const killsHitAWorkingServerCheck: RunCheck<State, Partial<Limits>> = {
  id: 'kills-hit-a-working-server',
  title: 'Kills met appends in flight',
  blames: 'nobody',
  init: (limits) => ({
    limits: limitsOf({ acknowledgedMin: 20, shareMin: 0.8 }, limits),
    kills: 0,
    killsVoid: 0,
    restarts: 0,
    appendsAcknowledged: 0,
    readyMsMax: 0,
  }),
  step(state, event) {
    if (event.kind === 'ok' && event.op === 'append') state.appendsAcknowledged += 1
    if (event.kind !== 'lifecycle' || event.hop !== 'origin') return
    if (event.what === 'started') {
      state.restarts += 1
      state.readyMsMax = Math.max(state.readyMsMax, event.tookMs ?? 0)
    }
    if (event.what !== 'killed') return
    state.kills += 1
    const counted = (event.inFlight ?? 0) > 0 && (event.acknowledgedSinceStart ?? 0) >= state.limits.acknowledgedMin
    if (!counted) state.killsVoid += 1
  },
  finish(state) {
    const counted = state.kills - state.killsVoid
    const figures = { value: counted, unit: 'kills', limit: Math.ceil(state.kills * state.limits.shareMin), limitIs: 'at-least' as const }
    if (state.kills === 0) return unknown('No kill happened.')
    if (counted < state.kills * state.limits.shareMin) {
      return {
        ...unknown(
          `Only ${counted} of ${state.kills} kills met an append in flight and ${state.limits.acknowledgedMin} acknowledged since the start: the run is void.`,
          [],
          state.kills,
        ),
        ...figures,
      }
    }
    return pass(state.kills, `${counted} of ${state.kills} kills met a server at work${boundOf(counted)}.`, figures)
  },
  measure(state) {
    const { kills, killsVoid, restarts, appendsAcknowledged, readyMsMax } = state
    const counted = kills - killsVoid
    const failureRateBound = counted > 3 ? 3 / counted : null
    return { durability: { kills, killsVoid, restarts, appendsAcknowledged, readyMsMax, failureRateBound } }
  },
}

/** Of clean cycles: with N of them the failure rate is below 3/N at 95 %. */
function boundOf(counted: number): string {
  return counted < 4 ? ', too few to bound a failure rate' : `; if all were clean, fewer than ${percent(Math.round(3_000 / counted) / 1_000)} of kills do harm (95 % confidence)`
}
