/** Lets readers arrive: when they are due, and no more at once than may be connecting. */
import { monotonicMs } from '../../clock.ts'

export interface ArrivalPlan {
  count: number
  /** 0: all are due at once. */
  spanMs: number
  inFlightMax: number
  /** Begins arrival `index`, which was due at `dueMs` of the monotonic clock. */
  start(index: number, dueMs: number): void
}

/** How long a turn of the event loop may go on starting before it looks at its sockets. */
const turnMs = 4

export class Arrivals {
  readonly #plan: ArrivalPlan
  #beginMs = 0
  #next = 0
  #inFlight = 0
  #timer: NodeJS.Timeout | undefined

  constructor(plan: ArrivalPlan) {
    this.#plan = plan
  }

  begin(): void {
    this.#beginMs = monotonicMs()
    this.#pump()
  }

  /** An arrival that was started has connected, or failed to. */
  settled(): void {
    this.#inFlight--
    this.#timer ??= setTimeout(() => this.#pump(), 0)
  }

  stop(): void {
    this.#next = this.#plan.count
    clearTimeout(this.#timer)
  }

  #pump(): void {
    this.#timer = undefined
    const { count, inFlightMax } = this.#plan
    const turnEndMs = monotonicMs() + turnMs
    while (this.#next < count && this.#inFlight < inFlightMax) {
      const dueMs = this.#dueMs(this.#next)
      const nowMs = monotonicMs()
      if (dueMs > nowMs) return this.#later(dueMs - nowMs)
      if (nowMs > turnEndMs) return this.#later(0)
      this.#inFlight++
      this.#plan.start(this.#next++, dueMs)
    }
  }

  #later(delayMs: number): void {
    this.#timer ??= setTimeout(() => this.#pump(), delayMs)
  }

  #dueMs(index: number): number {
    return this.#beginMs + (this.#plan.spanMs * index) / this.#plan.count
  }
}
