/** Which `max_file_handles` the measured rounds speak for. Pure. */
import type { Measurements } from '../report/result.ts'
import { number, percent, plural } from '../report/figures.ts'

type Round = NonNullable<Measurements['fileHandles']>[number]
type Advice = NonNullable<Measurements['fileHandlesRecommended']>

/** The server's own default: fewer handles than this save nothing but a few descriptors. */
const handlesMin = 100
/** Rounds of seconds on a busy machine differ by less than this without a cause. */
const rateShareMin = 0.85
const p99FactorMax = 1.5
const p99SlackMs = 5

/**
 * The smallest setting, from the server's default up, that kept up with the fastest one; null where
 * no round was without an error. More handles than that are descriptors for nothing.
 */
export function recommendFileHandles(rounds: readonly Round[]): Advice | null {
  const clean = rounds.filter((round) => round.errors === 0 && round.maxFileHandles > 0 && round.appendsPerSecond > 0)
  if (clean.length === 0) return null
  const fastest = clean.reduce((best, round) => (round.appendsPerSecond > best.appendsPerSecond ? round : best))
  const p99Ms = Math.min(...clean.map((round) => round.p99Ms))
  const keepsUp = (round: Round) =>
    round.appendsPerSecond >= fastest.appendsPerSecond * rateShareMin && round.p99Ms <= p99Ms * p99FactorMax + p99SlackMs
  const bySize = clean.toSorted((a, b) => a.maxFileHandles - b.maxFileHandles)
  const chosen = bySize.find((round) => round.maxFileHandles >= handlesMin && keepsUp(round)) ?? fastest
  const streams = Math.max(...clean.map((round) => round.streams))
  return { streams, maxFileHandles: chosen.maxFileHandles, because: reason(chosen, fastest, bySize, keepsUp) }
}

function reason(chosen: Round, fastest: Round, bySize: Round[], keepsUp: (round: Round) => boolean): string {
  const share = (round: Round) => percent(Math.round((100 * round.appendsPerSecond) / fastest.appendsPerSecond) / 100)
  const slower = bySize.filter((round) => round.maxFileHandles < chosen.maxFileHandles && !keepsUp(round))
  const rate = `${number(Math.round(chosen.appendsPerSecond))} appends/s`
  const own = chosen === fastest ? `with it appends ran fastest, ${rate}` : `with it appends ran at ${share(chosen)} of the fastest rate, ${rate}`
  if (slower.length > 0) {
    return `${own}; with ${slower.map((round) => `${number(round.maxFileHandles)} at ${share(round)}`).join(', with ')}`
  }
  const smallest = bySize[0]!
  if (smallest.maxFileHandles === chosen.maxFileHandles) return own
  return `${own}; even ${plural(smallest.maxFileHandles, 'handle')} cost nothing that could be measured here, so the server's default is enough`
}
