/** How the origin went, by what the history says of it. */
import type { HistoryEvent, Lifecycle } from '../history.ts'

export type Down = 'stop' | 'kill' | 'crash' | 'power-cut'

const byLifecycle: Partial<Record<Lifecycle['what'], Down>> = { stopped: 'stop', killed: 'kill', crashed: 'crash' }

/** Null for an event that is none. A power cut follows the kill that it begins with, and is more. */
export function downOf(event: HistoryEvent): Down | null {
  if (event.kind === 'fault') return event.fault === 'power-cut' ? event.fault : null
  return event.kind === 'lifecycle' && event.hop === 'origin' ? (byLifecycle[event.what] ?? null) : null
}
