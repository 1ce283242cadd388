/** Which `max_file_handles` the measured rounds speak for. Pure. */
import type { Measurements } from '../report/result.ts'
import { duration, number, percent, plural } from '../report/figures.ts'

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
 * no round was without an error. More handles than that are descriptors for nothing. A larger pool
 * makes no operation slower: where a smaller one was faster, the machine was busy meanwhile, and
 * the smaller one's figures speak for the larger one, too.
 */
export function recommendFileHandles(rounds: readonly Round[]): Advice | null {
  const clean = rounds.filter((round) => round.errors === 0 && round.maxFileHandles > 0 && round.appendsPerSecond > 0)
  if (clean.length === 0) return null
  const settings = clean.toSorted((a, b) => a.maxFileHandles - b.maxFileHandles)
  const rates = atLeastAsGoodAsSmaller(settings)
  const best = rates.at(-1)!
  const keepsUp = rates.filter((rate) => rate.perSecond >= best.perSecond * rateShareMin && rate.p99Ms <= best.p99Ms * p99FactorMax + p99SlackMs)
  const chosen = keepsUp.find((rate) => rate.maxFileHandles >= handlesMin) ?? best
  const streams = Math.max(...clean.map((round) => round.streams))
  const smaller = rates.filter((rate) => rate.maxFileHandles < chosen.maxFileHandles)
  return { streams, maxFileHandles: chosen.maxFileHandles, because: reason(chosen, smaller, keepsUp) }
}

interface Rate {
  maxFileHandles: number
  perSecond: number
  p99Ms: number
}

function atLeastAsGoodAsSmaller(bySize: readonly Round[]): Rate[] {
  return bySize.map((round, index) => {
    const upToIt = bySize.slice(0, index + 1)
    return {
      maxFileHandles: round.maxFileHandles,
      perSecond: Math.max(...upToIt.map((one) => one.appendsPerSecond)),
      p99Ms: Math.min(...upToIt.map((one) => one.p99Ms)),
    }
  })
}

function reason(chosen: Rate, smaller: readonly Rate[], keepsUp: readonly Rate[]): string {
  const asGood = smaller.find((rate) => keepsUp.includes(rate))
  if (asGood) {
    const enough = chosen.maxFileHandles === handlesMin ? ', so the server\'s default is enough' : ''
    return `even ${plural(asGood.maxFileHandles, 'handle')} cost nothing that could be measured here (${perSecond(asGood)})${enough}`
  }
  const slower = smaller.map((rate) => `${number(rate.maxFileHandles)} at ${percent(Math.round((100 * rate.perSecond) / chosen.perSecond) / 100)}`)
  if (slower.length === 0) return `with it ${perSecond(chosen)}, and no smaller one was tried`
  return `with it ${perSecond(chosen)}; with ${slower.join(', with ')} of that rate or with longer waits`
}

function perSecond(rate: Rate): string {
  return `${number(Math.round(rate.perSecond))} appends/s, p99 ${duration(rate.p99Ms)}`
}
