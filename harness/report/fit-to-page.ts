/**
 * What a page or a summary can hold: long texts and lists are cut, and it is said what was left out. The whole
 * is in result.json.
 */
import { clip } from './neutralise.ts'
import type { Result } from './result.ts'

interface Budget {
  charactersMax: number
  itemsMax: number
}

/** From what a usual run needs down to what always fits. */
const budgets: readonly Budget[] = [
  { charactersMax: 4_000, itemsMax: 200 },
  { charactersMax: 800, itemsMax: 60 },
  { charactersMax: 240, itemsMax: 24 },
  { charactersMax: 120, itemsMax: 8 },
]

/** Points of plots are thinned by the plots themselves; rows and boxes are never cut. */
const neverCut = new Set(['spread', 'throughput', 'disk', 'points', 'checklist', 'boxes'])
/** A diff is one text of many lines. */
const diffFactor = 8

export interface Fitted {
  result: Result
  /** Where something is missing: 'scenarios[0].checks: 12 left out'. */
  leftOut: string[]
}

/** Renders with the largest budget whose text stays within `bytesMax`, else with the smallest. */
export function renderWithin(result: Result, bytesMax: number, render: (fitted: Fitted) => string): string {
  for (const budget of budgets.slice(0, -1)) {
    const fitted = fitToPage(result, budget)
    if (leastBytes(fitted.result) > bytesMax) continue
    const text = render(fitted)
    if (Buffer.byteLength(text) <= bytesMax) return text
  }
  return render(fitToPage(result, budgets.at(-1)!))
}

/** A lower bound of what a page of it will take: its texts, without what plots thin out. */
function leastBytes(result: Result): number {
  return JSON.stringify(result, (key, value: unknown) => (neverCut.has(key) ? undefined : value)).length
}

function fitToPage(result: Result, budget: Budget): Fitted {
  const leftOut: string[] = []
  const fitted = cut(result, '', budget, leftOut) as Result
  return { result: fitted, leftOut }
}

function cut(value: unknown, place: string, budget: Budget, leftOut: string[]): unknown {
  if (typeof value === 'string') {
    return clip(value, place.endsWith('.diff') ? budget.charactersMax * diffFactor : budget.charactersMax)
  }
  if (Array.isArray(value)) return cutList(value, place, budget, leftOut)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).slice(0, Math.max(budget.itemsMax, 60))
  return Object.fromEntries(entries.map(([key, inner]) => [key, cut(inner, join(place, key), budget, leftOut)]))
}

function cutList(list: unknown[], place: string, budget: Budget, leftOut: string[]): unknown[] {
  const key = place.slice(place.lastIndexOf('.') + 1)
  if (neverCut.has(key) && typeof list[0] !== 'string' && Array.isArray(list[0])) return list
  const kept = neverCut.has(key) ? list : list.slice(0, budget.itemsMax)
  if (kept.length < list.length) leftOut.push(`${place}: ${list.length - kept.length} of ${list.length}`)
  return kept.map((item, index) => cut(item, `${place}[${index}]`, budget, leftOut))
}

function join(place: string, key: string): string {
  return place === '' ? key : `${place}.${key}`
}
