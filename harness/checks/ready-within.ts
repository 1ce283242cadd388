/** Every start is ready within a deadline; one that is not is a finding, with its last log lines. */
import { limitsOf, type Check } from '../check.ts'
import type { Lifecycle } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface Limits {
  readyMs: number
}

interface State {
  limits: Limits
  starts: (Lifecycle & { tookMs: number })[]
  failed: Lifecycle[]
  shortfalls: string[]
}

export const readyWithinCheck: Check<State, Partial<Limits>> = {
  id: 'ready-within',
  title: 'Every start is ready within the deadline',
  init: (limits) => ({ limits: limitsOf({ readyMs: 5_000 }, limits), starts: [], failed: [], shortfalls: [] }),
  step(state, event) {
    if (event.kind === 'shortfall' && event.what.startsWith('start of')) state.shortfalls.push(event.because)
    if (event.kind !== 'lifecycle' || event.hop !== 'origin') return
    if (event.what === 'started') state.starts.push({ ...event, tookMs: event.tookMs ?? 0 })
    if (event.what === 'not-ready') state.failed.push(event)
  },
  finish(state) {
    const examined = state.starts.length + state.failed.length
    const slowest = slowestOf(state)
    const figures = { value: Math.round(slowest), unit: 'ms', limit: state.limits.readyMs }
    const first = state.failed[0]
    if (first) {
      const evidence = [first.because ?? '', ...(first.logLines ?? [])]
      return fail(examined, `Start ${examined} was not ready: ${first.because}`, evidence, 'ready-within/never-ready/any/restart/origin', {
        ...figures,
        value: Math.round(first.tookMs ?? 0),
      })
    }
    if (slowest > state.limits.readyMs) {
      const slow = state.starts.filter((started) => started.tookMs > state.limits.readyMs)
      const evidence = slow.map((started) => `${Math.round(started.tookMs)} ms with ${started.streams} streams`)
      return fail(examined, `${slow.length} of ${examined} starts took longer than ${state.limits.readyMs} ms.`, evidence, 'ready-within/slow/any/restart/origin', figures)
    }
    if (state.shortfalls.length > 0) return unknown(state.shortfalls[0]!, state.shortfalls, examined)
    return pass(examined, `${examined} starts were ready, the slowest after ${Math.round(slowest)} ms.`, figures)
  },
  measure: (state) => ({ readiness: readiness(state) }),
}

function slowestOf(state: State): number {
  return state.starts.reduce((slowest, started) => Math.max(slowest, started.tookMs), 0)
}

/** One point for each labelled start: these are the ones whose number of streams was set on purpose. */
function readiness(state: State) {
  return state.starts
    .filter((started) => started.label !== undefined)
    .map((started) => ({ streams: started.streams ?? 0, readyMs: started.tookMs, rssBytes: started.rssBytes ?? 0 }))
}
