/**
 * A crowd at one offset becomes one upstream request. For catch-up answers to which the origin
 * gives no lifetime, one more for each full `staleMs` that the crowd took to arrive: without a
 * lifetime the cache may keep an answer no longer than readers may be told an old one. Live crowds
 * are all parked before the answer comes: for them it is one.
 */
import { limitsOf, type Check } from '../check.ts'
import { crowdName, modeWords } from '../crowd-words.ts'
import type { Crowd } from '../history.ts'
import { duration, number, plural } from '../report/figures.ts'
import { fail, pass, unknown, type Verdict } from '../verdict.ts'

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

/** One of the two counts of a crowd that are held against a limit. */
interface Count {
  crowd: Crowd
  unit: 'upstream requests' | 'upstream probes'
  value: number
  limit: number
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
    const counts = crowds.flatMap((crowd) => countsOf(crowd, limits.staleMs)).toSorted(byExcess)
    const evidence = (of: Crowd[]) => of.map((crowd) => describe(crowd, limits.staleMs))
    const over = counts.filter((count) => count.value > count.limit)
    if (over.length > 0) return tooMany(over, readers, evidence([...new Set(over.map((count) => count.crowd))]))
    if (crowds.length === 0) return unknown(shortfalls[0] ?? `No ${modeWords[limits.mode]} crowd was gathered.`, shortfalls)
    const unanswered = crowds.filter((crowd) => crowd.answered < crowd.readers / 2)
    if (unanswered.length > 0) return unknown('Most readers of a crowd got no answer, so that the count of upstream requests proves nothing.', evidence(unanswered), readers)
    const disagreeing = crowds.filter(disagrees)
    if (disagreeing.length > 0) return unknown('The tap and the cache count different numbers of upstream requests.', evidence(disagreeing), readers)
    if (shortfalls.length > 0) return unknown(shortfalls[0]!, evidence(crowds), readers)
    const most = counts.filter((count) => count.unit === 'upstream requests').toSorted((a, b) => b.value - a.value)[0]!
    return pass(readers, collapsed(crowds, most, limits.staleMs), { ...figuresOf(most), evidence: evidence(crowds) })
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

function countsOf(crowd: Crowd, staleMs: number): Count[] {
  return [
    { crowd, unit: 'upstream requests', value: crowd.upstreamRequests, limit: requestsMax(crowd, staleMs) },
    { crowd, unit: 'upstream probes', value: crowd.probeRequests, limit: probesMax(crowd, staleMs) },
  ]
}

/** What is furthest beyond its limit first; requests, which carry the bytes, before probes. */
function byExcess(a: Count, b: Count): number {
  const excess = b.value - b.limit - (a.value - a.limit)
  return excess || Number(a.unit === 'upstream probes') - Number(b.unit === 'upstream probes')
}

function figuresOf({ value, unit, limit }: Count) {
  return { value, unit, limit }
}

function tooMany(over: Count[], readers: number, evidence: string[]): Verdict {
  const worst = over[0]!
  const { crowd, value, limit } = worst
  const what = worst.unit === 'upstream requests' ? plural(value, 'upstream request') : plural(value, 'existence probe (HEAD)', 'existence probes (HEAD)')
  const others = new Set(over.map((count) => count.crowd)).size - 1
  const more = others === 0 ? '' : `, and so did ${plural(others, 'other crowd')}`
  const allowed = `where ${number(limit)} ${limit === 1 ? 'is' : 'are'} allowed`
  const because = `${number(crowd.readers)} readers at one offset became ${what}, ${allowed} (${crowdName(crowd)})${more}.`
  const invariant = worst.unit === 'upstream requests' ? 'not-collapsed' : 'probes-not-collapsed'
  return fail(readers, because, evidence, `crowd-collapses/${invariant}/${crowd.mode}/crowd/${crowd.path}`, figuresOf(worst))
}

function collapsed(crowds: Crowd[], most: Count, staleMs: number): string {
  const largest = Math.max(...crowds.map((crowd) => crowd.readers))
  const became = `${plural(crowds.length, 'crowd')} of up to ${number(largest)} readers became at most ${plural(most.value, 'upstream request')} each`
  if (most.limit === 1) return `${became}.`
  const why = `that crowd took ${duration(most.crowd.arrivalMs)} to arrive, and an answer without a lifetime is shared for ${duration(staleMs)}`
  return `${became}, where ${number(most.limit)} are allowed: ${why}.`
}

/** Every request at the tap must be one the cache says it made; the writer's appends are both. */
function disagrees(crowd: Crowd): boolean {
  return crowd.cacheFetches !== null && crowd.cacheFetches > crowd.upstreamRequestsAny
}

function describe(crowd: Crowd, staleMs: number): string {
  const answered = crowd.answered === crowd.readers ? 'all answered' : `${number(crowd.answered)} answered`
  const cache = crowd.cacheFetches === null ? '; the cache tells no count of its own' : `; the cache counts ${plural(crowd.cacheFetches, 'fetch', 'fetches')}`
  return (
    `${crowdName(crowd)}: ${number(crowd.readers)} readers arrived over ${duration(crowd.arrivalMs)}, ${answered}; ` +
    `upstream ${number(crowd.upstreamRequests)} GET (${number(requestsMax(crowd, staleMs))} allowed) and ` +
    `${number(crowd.probeRequests)} HEAD (${number(probesMax(crowd, staleMs))} allowed), ` +
    `${plural(crowd.upstreamRequestsAny, 'request')} of any kind${cache}`
  )
}
