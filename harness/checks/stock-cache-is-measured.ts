/**
 * What small crowds met behind the cache as it comes. The stock configuration is nobody's subject: it is
 * measured, so that a reader sees what the rules of the judged one are for, and never judged.
 */
import type { RunCheck } from '../check.ts'
import { modeWords } from '../crowd-words.ts'
import type { Crowd } from '../history.ts'
import { plural } from '../report/figures.ts'
import type { StockMeasurement } from '../report/result.ts'
import { pass, unknown } from '../verdict.ts'
import { rightlyServed } from './crowd-is-served-right.ts'

interface State {
  configuration: string | null
  crowds: Crowd[]
}

export const stockCacheIsMeasuredCheck: RunCheck<State, object> = {
  id: 'stock-cache-is-measured',
  title: 'What the cache would do as it comes',
  blames: 'nobody',
  init: () => ({ configuration: null, crowds: [] }),
  step(state, event) {
    if (event.kind === 'sample' && event.name === 'stock-configuration') state.configuration = event.label ?? null
    if (event.kind === 'crowd' && event.path !== 'direct') state.crowds.push(event)
  },
  finish({ configuration, crowds }) {
    if (configuration === null) return unknown('No cache with its stock configuration was here.')
    const modes = modesOf(crowds)
    const evidence = modes.map((one) => `${modeWords[one.mode]}: ${plural(one.readers, 'reader')}, ${plural(one.upstreamRequests, 'upstream request')}, ${plural(one.wrong, 'wrong answer')}`)
    const readers = modes.reduce((sum, one) => sum + one.readers, 0)
    return pass(readers, `Behind ${configuration} ${plural(crowds.length, 'small crowd')} of ${plural(modes.length, 'read mode')} were measured, not judged.`, { evidence })
  },
  measure: ({ configuration, crowds }) => (configuration === null ? {} : { stockCache: { configuration, modes: modesOf(crowds) } }),
}

function modesOf(crowds: readonly Crowd[]): StockMeasurement[] {
  const modes = [...new Set(crowds.map((crowd) => crowd.mode))]
  return modes.map((mode) => {
    const ofMode = crowds.filter((crowd) => crowd.mode === mode)
    const sum = (figure: (crowd: Crowd) => number) => ofMode.reduce((total, crowd) => total + figure(crowd), 0)
    return {
      mode,
      crowds: ofMode.length,
      readers: sum((crowd) => crowd.readers),
      upstreamRequests: sum((crowd) => crowd.upstreamRequests),
      wrong: sum((crowd) => crowd.readers - rightlyServed(crowd)),
    }
  })
}
