/**
 * A schedule is plain data: moves on paths, in the order in which each path sees them. Paths are
 * independent of each other, so that leaving one out changes no other.
 */
import type { ReadMode, Via } from '../history.ts'

export type ScheduleVia = Extract<Via, 'origin' | 'edge' | 'tls'>

interface Placed {
  /** Names the path, within the schedule. */
  stream: string
  /** It begins with the move before it; without this, when all moves of its path before it have ended. */
  together?: true
  /** How long after its turn it begins. */
  afterMs?: number
}

export interface WriteMove extends Placed {
  /** 'fork' creates the path from a source that is made for it. */
  do: 'create' | 'append' | 'close' | 'delete' | 'fork'
  via: ScheduleVia
  /** Payload of an append, or of the record that a creation comes with. */
  bytes?: number
  json?: true
  /** Of a creation: sent as Stream-Expires-At. */
  expiresInMs?: number
}

export interface ReadMove extends Placed {
  do: 'read'
  mode: ReadMode
  via: ScheduleVia
  /**
   * The start, before the last record, the tail as the writer knows it, or the tail of the path's life
   * before this one. A live read at the tail stays until something happens there; the moves after it do
   * not wait for it.
   */
  from?: 'start' | 'behind' | 'tail' | 'former'
  /** So many ask at once. */
  readers?: number
  /** Sends the ETag that came with the last answer from this URL, if one did. */
  validated?: true
  /** The query's parameters the other way round, for all readers or for every other one. */
  swapped?: 'all' | 'every-other'
  credentials?: 'authorization' | 'cookie'
}

export interface WaitMove extends Placed {
  do: 'wait'
  /** Until nothing may be stale any more, until the stream has expired, or until the origin was stopped. */
  for: 'staleness' | 'expiry' | 'origin-down'
}

export type Move = WriteMove | ReadMove | WaitMove

/** The moves that begin together, turn by turn. */
export function turnsOf(moves: readonly Move[]): Move[][] {
  const turns: Move[][] = []
  for (const move of moves) {
    if (move.together && turns.length > 0) turns.at(-1)!.push(move)
    else turns.push([move])
  }
  return turns
}

/** A live read at the tail waits for what comes. */
export function isParked(move: Move): boolean {
  return move.do === 'read' && (move.mode === 'long-poll' || move.mode === 'sse') && move.from === 'tail'
}

/** The moves of each path, in their order. */
export function pathsOf(moves: readonly Move[]): [stream: string, moves: Move[]][] {
  return [...Map.groupBy(moves, ({ stream }) => stream)]
}
