/**
 * Whether the machine let the harness go on when it had to. While it is kept waiting for a processor, or by
 * work of its own, the hops are kept waiting too, and what it measures in time says nothing about them.
 */
import type { HistoryEvent } from './history.ts'
import { duration, plural } from './report/figures.ts'

/**
 * Half of the shortest bounds that anything is held to. On a quiet machine it was 0.45 s at most, on one with ten
 * times the work that it has processors for 0.8 to 2.7 s. Crowds keep it as long by themselves: what judges them
 * has measures of its own, and does not ask here.
 */
const lateMs = 500
/** One moment in a night does not make the night void; one in a scenario of seconds does. */
const shareMax = 0.02

export class HostLateness {
  #looks = 0
  #late = 0
  #longestMs = 0

  write(event: HistoryEvent): void {
    if (event.kind !== 'usage' || event.keptMs === undefined) return
    this.#looks += 1
    if (event.keptMs >= lateMs) this.#late += 1
    this.#longestMs = Math.max(this.#longestMs, event.keptMs)
  }

  /** Why nothing that hangs on time can be held against anybody; null where it can. */
  get doubt(): string | null {
    if (this.#late <= this.#looks * shareMax) return null
    return `this machine was too busy to tell: ${plural(this.#late, 'time')} in ${this.#looks} looks the harness itself was kept from going on for half a second or more, up to ${duration(this.#longestMs)}`
  }
}
