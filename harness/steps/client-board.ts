/** What is known of each reader of a client program, and lets steps wait for it. */
import type { Recorder } from '../recorder.ts'
import type { ClientEvent } from '../load/client/plan.ts'
import type { Observation } from '../services/fault-proxy/faults.ts'
import { settlesWithin } from '../until.ts'

export interface Seen {
  records: Set<string>
  /** Requests for a live answer. */
  liveRequests: number
  /** Requests that were passed on. */
  passed: number
  strikes: number
  /** Its token is the new one. */
  isRenewed: boolean
  /** Its session ended, and it has not opened another. */
  isOver: boolean
}

export class ClientBoard {
  #recorder: Recorder
  #seen = new Map<string, Seen>()
  #waiting = new Set<{ met(): boolean; resolve(): void }>()

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  of(cell: string): Seen {
    let seen = this.#seen.get(cell)
    if (!seen) this.#seen.set(cell, (seen = { records: new Set(), liveRequests: 0, passed: 0, strikes: 0, isRenewed: false, isOver: false }))
    return seen
  }

  observe(observation: Observation): void {
    const { client: cell, atMs, event } = observation
    const seen = this.of(cell)
    const base = { kind: 'client-request' as const, cell, what: event }
    if (event === 'request') {
      const { mode, injectedStatus } = observation
      if (injectedStatus === null) seen.passed += 1
      else seen.strikes += 1
      if (mode !== 'catch-up') seen.liveRequests += 1
      this.#recorder.record({ ...base, mode, ...(injectedStatus === null ? {} : { injectedStatus }) }, atMs)
    } else {
      if (event !== 'offset-went-back') seen.strikes += 1
      this.#recorder.record(base, atMs)
    }
    this.#wake()
  }

  hear(event: ClientEvent): void {
    if (event.event === 'lag') this.#recorder.record({ kind: 'sample', name: 'client-program-lag-ms', value: event.maxMs }, event.atMs)
    if (!('reader' in event)) return
    const seen = this.of(event.reader)
    if (event.event === 'renewed') {
      seen.isRenewed = true
      return this.#wake()
    }
    const base = { kind: 'client-saw' as const, cell: event.reader, what: event.event }
    if (event.event === 'batch') {
      for (const record of event.records) seen.records.add(record)
      this.#recorder.record({ ...base, records: event.records, ...(event.damaged > 0 ? { damaged: event.damaged } : {}) }, event.atMs)
    } else if (event.event === 'resumed' || event.event === 'sent') {
      seen.isOver = false
      this.#recorder.record(base, event.atMs)
    } else {
      if (event.event === 'ended') seen.isOver = true
      const told = { ...(event.status === null ? {} : { status: event.status }), ...(event.error === null ? {} : { error: event.error }) }
      this.#recorder.record({ ...base, ...told, ...(event.event === 'on-error' ? { returned: event.returned } : {}) }, event.atMs)
    }
    this.#wake()
  }

  /** Whether it comes to be in time. */
  async when(met: () => boolean, timeoutMs: number): Promise<boolean> {
    if (met()) return true
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiter = { met, resolve }
    this.#waiting.add(waiter)
    const isMet = await settlesWithin(promise, timeoutMs)
    this.#waiting.delete(waiter)
    return isMet
  }

  #wake(): void {
    for (const waiter of this.#waiting) if (waiter.met()) waiter.resolve()
  }
}
