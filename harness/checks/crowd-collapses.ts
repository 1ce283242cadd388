/**
 * A crowd at one offset becomes one upstream request. For catch-up answers to which the origin
 * gives no lifetime, one more for each full `staleMs` that the crowd took to arrive: without a
 * lifetime the cache may keep an answer no longer than readers may be told an old one. Live crowds
 * are all parked before the answer comes: for them it is one.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Crowd } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface Limits {
  staleMs: number
  mode: Crowd['mode']
  readersMin: number
}

interface State {
  limits: Limits
  crowds: Crowd[]
  shortfalls: string[]
}

export const crowdCollapsesCheck: Check<State, Partial<Limits>> = {
  id: 'crowd-collapses',
  title: 'A crowd at one offset becomes one upstream request',
  init: (limits) => ({
    limits: limitsOf({ staleMs: 1_000, mode: 'catch-up' as const, readersMin: 2 }, limits),
    crowds: [],
    shortfalls: [],
  }),
  step(state, event) {
    if (event.kind === 'shortfall' && event.what.startsWith(`crowd ${state.limits.mode} `)) state.shortfalls.push(event.because)
    if (event.kind === 'crowd' && event.mode === state.limits.mode && event.path !== 'direct') state.crowds.push(event)
  },
  finish({ crowds, limits, shortfalls }) {
    const readers = crowds.reduce((sum, crowd) => sum + crowd.readers, 0)
    const over = crowds.filter((crowd) => crowd.upstreamRequests > requestsMax(crowd, limits.staleMs) || crowd.probeRequests > probesMax(crowd, limits.staleMs))
    const worst = crowds.toSorted((a, b) => b.upstreamRequests - a.upstreamRequests)[0]
    const figures = worst ? { value: worst.upstreamRequests, unit: 'upstream requests', limit: requestsMax(worst, limits.staleMs) } : {}
    if (over.length > 0) {
      const first = over[0]!
      return fail(readers, `${first.readers.toLocaleString('en-US')} readers (${first.crowd}) became ${first.upstreamRequests.toLocaleString('en-US')} upstream requests and ${first.probeRequests} probes, where ${requestsMax(first, limits.staleMs)} and ${probesMax(first, limits.staleMs)} are the limits.`, over.map(describe), `crowd-collapses/not-collapsed/${first.mode}/crowd/${first.path}`, figures)
    }
    if (crowds.length === 0) return unknown(shortfalls[0] ?? `No ${limits.mode} crowd was gathered.`, shortfalls)
    const unanswered = crowds.filter((crowd) => crowd.answered < crowd.readers / 2)
    if (unanswered.length > 0) return unknown('Most readers of a crowd got no answer, so that the count of upstream requests proves nothing.', unanswered.map(describe), readers)
    const disagreeing = crowds.filter(disagrees)
    if (disagreeing.length > 0) return unknown('The tap and the cache count different numbers of upstream requests.', disagreeing.map(describe), readers)
    if (shortfalls.length > 0) return unknown(shortfalls[0]!, crowds.map(describe), readers)
    return pass(readers, `${crowds.length} crowds of up to ${Math.max(...crowds.map((crowd) => crowd.readers)).toLocaleString('en-US')} readers became at most ${worst!.upstreamRequests} upstream request${worst!.upstreamRequests === 1 ? '' : 's'} each.`, { ...figures, evidence: crowds.map(describe) })
  },
}

/** How many upstream requests this crowd may become. */
export function requestsMax(crowd: Crowd, staleMs: number): number {
  const live = crowd.mode === 'long-poll' || crowd.mode === 'sse'
  if (live && crowd.generation !== 'late') return 1
  return 1 + Math.floor(crowd.arrivalMs / staleMs)
}

/** An edge's existence probes have no lifetime of their own: they are renewed as the crowd arrives. */
export function probesMax(crowd: Crowd, staleMs: number): number {
  return 1 + Math.floor(crowd.arrivalMs / staleMs)
}

/** Every request at the tap must be one the cache says it made; the writer's appends are both. */
function disagrees(crowd: Crowd): boolean {
  return crowd.cacheFetches !== null && crowd.cacheFetches > crowd.upstreamRequestsAny
}

function describe(crowd: Crowd): string {
  const cache = crowd.cacheFetches === null ? '' : `, the cache counts ${crowd.cacheFetches}`
  return (
    `${crowd.crowd}: ${crowd.readers} readers, ${crowd.answered} answered, ${crowd.upstreamRequests} GET and ` +
    `${crowd.probeRequests} HEAD upstream (tap: ${crowd.upstreamRequestsAny} in all${cache}), arrived over ${Math.round(crowd.arrivalMs)} ms`
  )
}
