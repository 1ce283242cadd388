/** What the kill cycles in a history took: from one start to the next, and what of it was the harness's own. */
import type { HistoryEvent } from '../../harness/history.ts'

export interface Cycle {
  /** From one ready server to the next: appends, a kill, a start. */
  tookMs: number
  /**
   * Between the last acknowledgement and the start's spawning: killing, seeing it gone, noting it. What
   * the server took to become ready is not in it, nor the load before the kill.
   */
  ownMs: number
}

export class KillCycles {
  readonly cycles: Cycle[] = []
  #readyAtMs: number | null = null
  #lastAckAtMs: number | null = null
  #killedAfterAckMs: number | null = null

  take(event: HistoryEvent): void {
    if (event.kind === 'ok' && event.op === 'append') this.#lastAckAtMs = event.atMs
    if (event.kind !== 'lifecycle' || event.hop !== 'origin') return
    if (event.what === 'killed') this.#killedAfterAckMs = this.#lastAckAtMs
    if (event.what === 'started') this.#started(event.atMs, event.tookMs ?? 0)
  }

  #started(atMs: number, readyMs: number): void {
    if (this.#readyAtMs !== null && this.#killedAfterAckMs !== null) {
      this.cycles.push({ tookMs: atMs - this.#readyAtMs, ownMs: atMs - readyMs - this.#killedAfterAckMs })
    }
    this.#readyAtMs = atMs
    this.#killedAfterAckMs = null
  }
}
