/**
 * What the audits know of a cache's configuration: what it certainly does to a few typical exchanges of
 * readers and the origin, as far as its text alone tells. Each proxy reads its own language into these words.
 */
import type { Place } from './finding.ts'

export interface EdgeFacts {
  /** Of the file: its first line. */
  place: Place
  /** How many exchanges were followed through the text. */
  followed: number
  /** It has a statement that makes the cache forget: a ban, a purge. */
  forgets: boolean
  acts: EdgeAct[]
}

/** The typical exchanges, by what the origin answers. */
export type Exchange = 'history' | 'tail' | 'missing' | 'long-poll' | 'nothing-new' | 'event-stream'

const exchangeWords: Record<Exchange, string> = {
  history: 'a piece of history',
  tail: 'the answer at the tail',
  missing: 'a 404',
  'long-poll': "a long-poll's answer",
  'nothing-new': "a long-poll's 204",
  'event-stream': 'an event stream',
}

/** Two requests that differ in this, and in nothing else. */
export type Difference = 'path' | 'offset' | 'live' | 'cursor' | 'authorization' | 'cookie'

export type EdgeAct = { place: Place } & (
  /** A header of the origin's answer does not reach the reader, or reaches it as something else. */
  | { kind: 'header'; header: string; how: 'dropped' | 'replaced'; certainty: Certainty; exchanges: Exchange[] }
  /** A request header does not reach the origin. */
  | { kind: 'request-header'; header: string }
  /** Requests that differ in this are answered from one stored answer. */
  | { kind: 'shares-over'; difference: Difference }
  /** The parameters of a query in another order are another object. */
  | { kind: 'order-counts' }
  /** These parameters do not reach the origin. */
  | { kind: 'query'; lost: string[] }
  /** The answer is stored and given to others for so long, in seconds; `default` where the program's own lifetime is taken. */
  | { kind: 'stored'; exchange: Exchange; seconds: number; by: 'statement' | 'default' }
  /** Every reader gets a request of his own to the origin. */
  | { kind: 'not-shared'; exchange: Exchange }
  /** Stored answers are given out for so long after their lifetime, in seconds. */
  | { kind: 'grace'; exchange: Exchange; seconds: number }
)

/** `always` for each request of that kind; `perhaps` under a condition that the text does not decide. */
export type Certainty = 'always' | 'perhaps'

/** 'the answer at the tail, a 404 and an event stream'. */
export function exchangesInWords(exchanges: readonly Exchange[]): string {
  return new Intl.ListFormat('en-GB').format(exchanges.map((exchange) => exchangeWords[exchange]))
}
