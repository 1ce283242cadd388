/**
 * Every reader of a crowd gets a complete answer, byte for byte what the writer sent, that leads to
 * the offset the writer was told. Not "the same as the others": the same as what was written.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Crowd } from '../history.ts'
import type { FanOutMeasurement } from '../report/result.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { probesMax, requestsMax } from './crowd-collapses.ts'

interface Limits {
  mode: Crowd['mode']
  staleMs: number
}

interface State {
  limits: Limits
  crowds: Crowd[]
}

export const crowdIsServedRightCheck: Check<State, Partial<Limits>> = {
  id: 'crowd-is-served-right',
  title: 'Every reader of a crowd gets exactly what was written',
  init: (limits) => ({ limits: limitsOf({ mode: 'catch-up' as const, staleMs: 1_000 }, limits), crowds: [] }),
  step(state, event) {
    if (event.kind === 'crowd' && event.mode === state.limits.mode) state.crowds.push(event)
  },
  finish({ crowds }) {
    const readers = crowds.reduce((sum, crowd) => sum + crowd.readers, 0)
    const right = crowds.reduce((sum, crowd) => sum + rightlyServed(crowd), 0)
    const figures = { value: readers - right, unit: 'readers wrong', limit: 0 }
    if (crowds.length === 0) return unknown('No crowd of this mode was gathered.')
    const wrong = crowds.filter((crowd) => rightlyServed(crowd) < crowd.readers)
    if (wrong.length > 0) {
      const first = wrong[0]!
      const invariant = (first.outcomes.complete ?? 0) < first.readers ? 'incomplete' : 'other-bytes'
      return fail(readers, `${readers - right} of ${readers.toLocaleString('en-US')} readers did not get exactly what was written.`, wrong.flatMap(describe), `crowd-is-served-right/${invariant}/${first.mode}/crowd/${first.path}`, figures)
    }
    return pass(readers, `${readers.toLocaleString('en-US')} readers in ${crowds.length} crowds got exactly what was written, and its offset.`, figures)
  },
  measure: ({ crowds, limits }) => ({ fanOut: crowds.map((crowd) => measurementOf(crowd, limits.staleMs)) }),
}

function rightlyServed(crowd: Crowd): number {
  const ok = crowd.statuses['200'] ?? 0
  const identical = crowd.hashes[crowd.expectedSha256] ?? 0
  const offsets = crowd.nextOffsets[crowd.expectedNextOffset] ?? 0
  return Math.min(crowd.answered, ok, identical, offsets)
}

function describe(crowd: Crowd): string[] {
  const counts = (values: Record<string, number>) =>
    Object.entries(values).toSorted((a, b) => b[1] - a[1]).slice(0, 4).map(([value, n]) => `${n} x ${value.slice(0, 24)}`).join(', ')
  return [
    `${crowd.crowd}: outcomes ${counts(crowd.outcomes)}; statuses ${counts(crowd.statuses)}`,
    `  bodies ${counts(crowd.hashes)}; right is ${crowd.expectedSha256.slice(0, 24)}`,
    `  next offsets ${counts(crowd.nextOffsets)}; right is ${crowd.expectedNextOffset}`,
  ]
}

function measurementOf(crowd: Crowd, staleMs: number): FanOutMeasurement {
  const at = (quantile: number) => crowd.spread.find(([q]) => q >= quantile)?.[1] ?? 0
  return {
    mode: crowd.mode,
    path: crowd.path,
    generation: crowd.generation,
    readers: crowd.readers,
    answered: crowd.answered,
    identical: crowd.hashes[crowd.expectedSha256] ?? 0,
    upstreamRequests: crowd.upstreamRequests,
    probeRequests: crowd.probeRequests,
    probeRequestsMax: probesMax(crowd, staleMs),
    upstreamRequestsMax: requestsMax(crowd, staleMs),
    arrivalMs: crowd.arrivalMs,
    connectMs: crowd.connectMs,
    spreadP50Ms: at(0.5),
    spreadP99Ms: at(0.99),
    readerBytes: crowd.readerBytes,
    spread: crowd.spread,
  }
}
