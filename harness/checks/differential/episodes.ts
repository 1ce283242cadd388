/**
 * Gathers, of one path at a time, all that was written, answered and passed to the origin, until its
 * history is whole. What is kept is bounded by the paths that are in play.
 */
import type { Answer, HistoryEvent, Outcome, Upstream } from '../../history.ts'

/** With the moment at which the reader had all of it. */
export type Answered = Answer & { atMs: number }

export interface Episode {
  stream: string
  writes: (Outcome & { atMs: number })[]
  answers: Answered[]
  upstream: Map<number, Upstream>
}

export type Episodes = Map<string, Episode>

/** Brings the episodes up to date; returns the one that this event ends. */
export function keepEpisodes(episodes: Episodes, event: HistoryEvent): Episode | null {
  switch (event.kind) {
    case 'answer':
      episodeOf(episodes, event.stream).answers.push(event)
      return null
    case 'upstream':
      episodeOf(episodes, event.stream).upstream.set(event.number, event)
      return null
    case 'episode':
      return end(episodes, event.stream)
    case 'ok':
    case 'info':
      if (isWrite(event)) episodeOf(episodes, event.stream).writes.push(event)
  }
  return null
}

/** The origin's response that an answer was made from, where the tap numbered it. */
export function upstreamOf({ upstream }: Episode, answer: Answer): Upstream | undefined {
  return answer.upstream === null ? undefined : upstream.get(answer.upstream)
}

function end(episodes: Episodes, stream: string): Episode | null {
  const episode = episodes.get(stream) ?? null
  episodes.delete(stream)
  return episode
}

function isWrite({ op }: Outcome): boolean {
  return op === 'create' || op === 'append' || op === 'close' || op === 'delete'
}

function episodeOf(episodes: Episodes, stream: string): Episode {
  const known = episodes.get(stream)
  if (known) return known
  const fresh: Episode = { stream, writes: [], answers: [], upstream: new Map() }
  episodes.set(stream, fresh)
  return fresh
}
