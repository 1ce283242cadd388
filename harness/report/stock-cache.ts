/** The stock configuration's figures beside those of the judged one, by read mode. Pure. */
import { modeWords } from '../crowd-words.ts'
import { number, plural } from './figures.ts'
import type { FanOutMeasurement, Result, StockMeasurement } from './result.ts'

export interface CacheFigures {
  readers: number
  crowds: number
  upstreamRequests: number
  /** Readers who did not get exactly what was written. */
  wrong: number
}

export interface StockComparison {
  configuration: string
  modes: { mode: FanOutMeasurement['mode']; stock: CacheFigures; judged: CacheFigures | null }[]
}

/** Null where the stock configuration was not measured. */
export function stockComparison({ scenarios }: Pick<Result, 'scenarios'>): StockComparison | null {
  const stock = scenarios.map((scenario) => scenario.measurements.stockCache).find((seen) => seen !== undefined)
  if (stock === undefined || stock.modes.length === 0) return null
  const judged = scenarios.flatMap((scenario) => scenario.measurements.fanOut ?? []).filter((crowd) => crowd.path !== 'direct')
  return { configuration: stock.configuration, modes: stock.modes.map((one) => ({ mode: one.mode, stock: one, judged: figuresOf(judged, one.mode) })) }
}

function figuresOf(crowds: readonly FanOutMeasurement[], mode: StockMeasurement['mode']): CacheFigures | null {
  const ofMode = crowds.filter((crowd) => crowd.mode === mode)
  if (ofMode.length === 0) return null
  const sum = (figure: (crowd: FanOutMeasurement) => number) => ofMode.reduce((total, crowd) => total + figure(crowd), 0)
  return {
    crowds: ofMode.length,
    readers: sum((crowd) => crowd.readers),
    upstreamRequests: sum((crowd) => crowd.upstreamRequests),
    wrong: sum((crowd) => crowd.readers - crowd.identical),
  }
}

/** '200 readers in 2 crowds were 0 upstream requests, and 200 were served old or wrong answers'. */
function words({ readers, crowds, upstreamRequests, wrong }: CacheFigures): string {
  return `${plural(readers, 'reader')} in ${plural(crowds, 'crowd')} were ${plural(upstreamRequests, 'upstream request')}, and ${number(wrong)} were served old or wrong answers`
}

/** One sentence a mode, for where there is no table. */
export function stockSentences(modes: readonly StockMeasurement[]): string[] {
  return modes.map((one) => `${modeWords[one.mode]}, stock configuration: ${words(one)}.`)
}
