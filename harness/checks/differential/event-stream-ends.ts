/**
 * From when on a cache knows that the origin has ended an event stream. The end is seen at the tap, and
 * takes its time from there to the cache; who comes in between is still rightly given what is open there.
 */
import { upstreamOf, type Episode } from './episodes.ts'
import { passesEdge } from './stream-model.ts'

export interface EndBounds {
  /** Where no reader shows when the end arrived: within this. */
  endNoticedMs: number
  /** What a reader shows counts up to this. */
  deliveryMs: number
}

/**
 * By the number of the origin's response, in ms of the run's clock: when the first of the readers that had
 * come before its end was given that end, or `endNoticedMs` after it where all had left before.
 */
export function eventStreamEnds(episode: Episode, { endNoticedMs, deliveryMs }: EndBounds): Map<number, number> {
  const ends = new Map<number, number>()
  for (const answer of episode.answers) {
    const endedAtMs = upstreamOf(episode, answer)?.endedAtMs ?? null
    if (endedAtMs === null || answer.mode !== 'sse') continue
    const { invokedAtMs, atMs, left, error } = answer
    const isWitness = passesEdge(answer.via) && invokedAtMs <= endedAtMs && atMs >= endedAtMs && left !== true && error === undefined
    const soFar = ends.get(answer.upstream!) ?? Infinity
    ends.set(answer.upstream!, isWitness ? Math.min(soFar, atMs, endedAtMs + deliveryMs) : soFar)
  }
  return new Map([...ends].map(([number, atMs]) => [number, atMs < Infinity ? atMs : episode.upstream.get(number)!.endedAtMs! + endNoticedMs]))
}
