/**
 * The longest that this process was kept from going on: by the machine, that had no processor for it, or by
 * work of its own. Node's own monitor (`monitorEventLoopDelay`) does not count the time before it is reset, which
 * is the very time that whoever reads it came late by.
 */
import { monotonicMs } from './clock.ts'

const tickMs = 20

export class LoopDelay {
  #lastMs = monotonicMs()
  #longestMs = 0
  #ticking = setInterval(() => this.#tick(), tickMs).unref()

  /** In ms, since the last time that it was asked. */
  take(): number {
    this.#tick()
    const longestMs = Math.round(this.#longestMs)
    this.#longestMs = 0
    return longestMs
  }

  end(): void {
    clearInterval(this.#ticking)
  }

  #tick(): void {
    const nowMs = monotonicMs()
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs - tickMs)
    this.#lastMs = nowMs
  }
}
