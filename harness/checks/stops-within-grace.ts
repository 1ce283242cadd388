/**
 * A stop ends within the time that a container is given (docker: 10 s), with live readers of each
 * mode attached: what takes longer is killed.
 */
import { limitsOf, type Check } from '../check.ts'
import type { FollowMode, HopId } from '../history.ts'
import { hopWords } from '../hop-words.ts'
import { duration, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { passes } from './routine-times.ts'

interface Limits {
  hop: HopId
  graceMs: number
  /** Of each mode, at the moment of the signal. */
  readersMin: number
}

interface Stop {
  tookMs: number
  killed: boolean
  readers: Record<FollowMode, number>
}

interface State {
  limits: Limits
  /** Of those that come to it by way of the hop. */
  attached: Map<string, FollowMode>
  /** Between the signal and the end. */
  stopping: Stop['readers'] | null
  stops: Stop[]
}

export const stopsWithinGraceCheck: Check<State, Partial<Limits>> = {
  id: 'stops-within-grace',
  title: 'A stop with live readers ends within the container\'s grace period',
  hangsOnTime: true,
  init: (limits) => ({ limits: limitsOf({ hop: 'origin', graceMs: 10_000, readersMin: 1 }, limits), attached: new Map(), stopping: null, stops: [] }),
  step(state, event) {
    if (event.kind === 'follow' && passes(event.via, state.limits.hop)) {
      if (event.what === 'attached') state.attached.set(event.reader, event.mode)
      if (event.what === 'cut' || event.what === 'refused' || event.what === 'ended') state.attached.delete(event.reader)
    }
    if (event.kind !== 'lifecycle' || event.hop !== state.limits.hop) return
    if (event.what === 'stopping') state.stopping = countOf(state.attached)
    if ((event.what !== 'stopped' && event.what !== 'killed') || state.stopping === null) return
    state.stops.push({ tookMs: event.tookMs ?? 0, killed: event.what === 'killed', readers: state.stopping })
    state.stopping = null
  },
  finish({ limits, stops }) {
    const slowest = stops.reduce((most, stop) => Math.max(most, stop.tookMs), 0)
    const figures = { value: Math.round(slowest), unit: 'ms', limit: limits.graceMs }
    const words = (stop: Stop) => `${duration(stop.tookMs)} with ${readersIn(stop)}${stop.killed ? ', then it was killed' : ''}`
    const over = stops.filter((stop) => stop.killed || stop.tookMs > limits.graceMs)
    if (over.length > 0) {
      return fail(stops.length, `${over.length} of ${plural(stops.length, 'stop')} of the ${hopWords[limits.hop]} took longer than ${duration(limits.graceMs)} while live readers were attached.`, over.map(words), `stops-within-grace/${over[0]!.killed ? 'killed' : 'slow'}/any/stop/${limits.hop}`, figures)
    }
    const held = stops.filter(({ readers }) => Object.values(readers).every((count) => count >= limits.readersMin))
    if (held.length < stops.length) return unknown(`${plural(stops.length - held.length, 'stop')} met fewer than ${plural(limits.readersMin, 'live reader')} of each mode.`, stops.map(words), held.length)
    return pass(held.length, `${plural(held.length, 'stop')} of the ${hopWords[limits.hop]} ended after ${held.map(words).join(' and ')}.`, figures)
  },
}

function countOf(attached: State['attached']): Stop['readers'] {
  const readers = { 'catch-up': 0, 'long-poll': 0, sse: 0 }
  for (const mode of attached.values()) readers[mode] += 1
  return readers
}

function readersIn({ readers }: Stop): string {
  return `${readers['catch-up']} catch-up, ${readers['long-poll']} long-poll and ${plural(readers.sse, 'SSE reader')}`
}
