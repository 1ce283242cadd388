/**
 * Whether the machine let the harness go on when it had to. While it is kept waiting for a processor, or by
 * work of its own, the hops are kept waiting too, and what it measures in time says nothing about them.
 */
import type { HistoryEvent } from './history.ts'
import { duration, plural } from './report/figures.ts'

/** A fifth of the shortest bounds that anything is held to. On a quiet machine crowds of 10,000 keep it 0.7 s. */
const lateMs = 1_000
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
    return `this machine was too busy to tell: ${plural(this.#late, 'time')} in ${this.#looks} looks the harness itself was kept from going on for a second or more, up to ${duration(this.#longestMs)}`
  }
}
