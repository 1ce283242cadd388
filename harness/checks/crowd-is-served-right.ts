/**
 * Every reader of a crowd gets a complete answer, byte for byte what the writer sent, that leads to
 * the offset the writer was told. Not "the same as the others": the same as what was written.
 */
import { limitsOf, type Check } from '../check.ts'
import { crowdName, modeWords } from '../crowd-words.ts'
import type { Crowd } from '../history.ts'
import { number, plural } from '../report/figures.ts'
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
  finish({ crowds, limits }) {
    const readers = crowds.reduce((sum, crowd) => sum + crowd.readers, 0)
    const right = crowds.reduce((sum, crowd) => sum + rightlyServed(crowd), 0)
    const figures = { value: readers - right, unit: 'readers wrong', limit: 0 }
    if (crowds.length === 0) return unknown(`No ${modeWords[limits.mode]} crowd was gathered.`)
    const wrong = crowds.filter((crowd) => rightlyServed(crowd) < crowd.readers)
    if (wrong.length > 0) {
      const first = wrong[0]!
      const invariant = (first.outcomes.complete ?? 0) < first.readers ? 'incomplete' : 'other-bytes'
      const because = `${number(readers - right)} of ${number(readers)} readers did not get exactly what was written: ${whatWentWrong(first)} (${crowdName(first)}).`
      return fail(readers, because, wrong.flatMap(describe), `crowd-is-served-right/${invariant}/${first.mode}/crowd/${first.path}`, figures)
    }
    return pass(readers, `${number(readers)} readers in ${plural(crowds.length, 'crowd')} got exactly what was written, and its offset.`, figures)
  },
  measure: ({ crowds, limits }) => ({ fanOut: crowds.map((crowd) => measurementOf(crowd, limits.staleMs)) }),
}

/** Readers who got a whole answer with the bytes and the next offset that the writer was told. */
export function rightlyServed(crowd: Crowd): number {
  const ok = crowd.statuses['200'] ?? 0
  const identical = crowd.hashes[crowd.expectedSha256] ?? 0
  const offsets = crowd.nextOffsets[crowd.expectedNextOffset] ?? 0
  return Math.min(crowd.answered, ok, identical, offsets)
}

/** What was wrong with the first wrong reader's answer, in a word a person acts on. */
function whatWentWrong(crowd: Crowd): string {
  const refused = Object.entries(crowd.statuses).filter(([status]) => status !== '200')
  if (refused.length > 0) return `${refused.map(([status, count]) => `${number(count)} answered ${status}`).join(', ')}`
  const cut = Object.entries(crowd.outcomes).filter(([outcome]) => outcome !== 'complete')
  if (cut.length > 0) return cut.map(([outcome, count]) => `${number(count)} ${outcome}`).join(', ')
  const other = crowd.answered - (crowd.hashes[crowd.expectedSha256] ?? 0)
  if (other > 0) return `${number(other)} got other bytes`
  return `${number(crowd.answered - (crowd.nextOffsets[crowd.expectedNextOffset] ?? 0))} were told another next offset`
}

/** The hash of no bytes at all. */
const nothingSha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

function describe(crowd: Crowd): string[] {
  const right = (value: string, expected: string, short: string) => (value === expected ? 'right' : value === nothingSha256 ? 'no bytes' : short)
  const bodies = sorted(crowd.hashes).map(([hash, count]) => `${number(count)} ${right(hash, crowd.expectedSha256, `sha256 ${hash.slice(0, 8)}…`)}`)
  const offsets = sorted(crowd.nextOffsets).map(([offset, count]) => `${number(count)} ${right(offset, crowd.expectedNextOffset, `instead ${offset}`)}`)
  return [
    `${crowdName(crowd)}: ${number(rightlyServed(crowd))} of ${number(crowd.readers)} readers served right`,
    `outcomes: ${counts(crowd.outcomes)}; statuses: ${counts(crowd.statuses)}`,
    `bodies: ${bodies.join(', ')}; next offsets: ${offsets.join(', ') || 'none'}`,
  ]
}

function counts(values: Record<string, number>): string {
  return sorted(values).map(([value, count]) => `${number(count)} × ${value}`).join(', ')
}

/** The most frequent first, and no more than a few. */
function sorted(values: Record<string, number>): [string, number][] {
  return Object.entries(values).toSorted((a, b) => b[1] - a[1]).slice(0, 4)
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
