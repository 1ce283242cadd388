/** What the checks of pages share: what keeps them from judging, and how ways are called. */
import type { HistoryEvent, Via } from '../history.ts'
import { nearestFirst } from './findings.ts'

/** A browser that could not be had is ours, not the subject's. Returns why, once it is known. */
export function browserMissing(event: HistoryEvent): string | null {
  return event.kind === 'shortfall' && event.what === 'browser' ? event.because : null
}

const words: Partial<Record<Via, string>> = { origin: 'at the origin', edge: 'through the cache', tls: 'through TLS and cache' }

export function byWay(via: Via): string {
  return words[via] ?? `by ${via}`
}

/** In the order of the ways: what is wrong at the origin is named there first, it is seen behind it too. */
export function byWays(vias: Iterable<Via>): string {
  const all = [...new Set(vias)].toSorted((a, b) => nearestFirst.indexOf(a) - nearestFirst.indexOf(b))
  return all.map(byWay).join(', ')
}

export function firstWay(vias: Iterable<Via>): Via {
  return [...vias].toSorted((a, b) => nearestFirst.indexOf(a) - nearestFirst.indexOf(b))[0]!
}
