/** Every start is ready within a deadline; one that is not is a finding, with its last log lines. */
import { limitsOf, type Check } from '../check.ts'
import type { Lifecycle } from '../history.ts'
import { duration, number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { downOf, type Down } from './downs.ts'

interface Limits {
  readyMs: number
}

interface State {
  limits: Limits
  starts: (Lifecycle & { tookMs: number; after: Down | null })[]
  failed: (Lifecycle & { after: Down | null })[]
  /** How the origin last went. */
  down: Down | null
  shortfalls: string[]
}

export const readyWithinCheck: Check<State, Partial<Limits>> = {
  id: 'ready-within',
  title: 'Every start is ready within the deadline',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ readyMs: 5_000 }, limits), starts: [], failed: [], down: null, shortfalls: [] }),
  step(state, event) {
    if (event.kind === 'shortfall' && event.what.startsWith('start of')) state.shortfalls.push(event.because)
    state.down = downOf(event) ?? state.down
    if (event.kind !== 'lifecycle' || event.hop !== 'origin') return
    if (event.what === 'started') state.starts.push({ ...event, tookMs: event.tookMs ?? 0, after: state.down })
    if (event.what === 'not-ready') state.failed.push({ ...event, after: state.down })
  },
  finish(state) {
    const examined = state.starts.length + state.failed.length
    const slowest = slowestOf(state)
    const figures = { value: Math.round(slowest), unit: 'ms', limit: state.limits.readyMs }
    const first = state.failed[0]
    if (first) {
      const evidence = [first.because ?? '', ...(first.logLines ?? [])]
      return fail(examined, neverReady(first, examined), evidence, 'ready-within/never-ready/any/restart/origin', {
        ...figures,
        value: Math.round(first.tookMs ?? 0),
      })
    }
    if (slowest > state.limits.readyMs) {
      const slow = state.starts.filter((started) => started.tookMs > state.limits.readyMs)
      const evidence = slow.map((started) => `${duration(started.tookMs)} with ${plural(started.streams ?? 0, 'stream')}${started.after === null ? '' : ` (after a ${started.after})`}`)
      return fail(examined, `${number(slow.length)} of ${plural(examined, 'start')} took longer than ${duration(state.limits.readyMs)}, the slowest ${duration(slowest)}.`, evidence, 'ready-within/slow/any/restart/origin', figures)
    }
    if (state.shortfalls.length > 0) return unknown(state.shortfalls[0]!, state.shortfalls, examined)
    return pass(examined, `${plural(examined, 'start')} ${examined === 1 ? 'was' : 'were'} ready, the slowest after ${duration(slowest)}.`, figures)
  },
  measure: (state) => ({ readiness: readiness(state) }),
}

function slowestOf(state: State): number {
  return state.starts.reduce((slowest, started) => Math.max(slowest, started.tookMs), 0)
}

/** Which start it was, counted from 1, and how it failed. */
function neverReady(start: Lifecycle & { after: Down | null }, nth: number): string {
  const which = `Start ${nth}${after(start)}`
  const tookMs = duration(start.tookMs ?? 0)
  if (start.reason === 'deadline') return `${which} was not ready within ${tookMs}.`
  if (start.reason === 'exited') return `${which} ended by itself after ${tookMs}, before it was ready.`
  return `${which} was not ready: ${start.because ?? 'nothing is known of why'}`
}

function after(start: { after: Down | null }): string {
  return start.after === null ? '' : `, after a ${start.after.replace('-', ' ')},`
}

/** One point for each labelled start: these are the ones whose number of streams was set on purpose. */
function readiness(state: State) {
  return state.starts
    .filter((started) => started.label !== undefined)
    .map((started) => ({
      streams: started.streams ?? 0,
      readyMs: started.tookMs,
      rssBytes: started.rssBytes ?? 0,
      ...(started.after === null ? {} : { after: started.after }),
    }))
}
