/**
 * Writes one scenario's part of the history, feeds it to the checks as it is written, and lets
 * steps wait for its events ("after 200 acknowledged appends") instead of for seconds.
 */
import { monotonicMs } from './clock.ts'
import type { EventBody, HistoryEvent, Operation, Outcome, Via } from './history.ts'
import { within } from './until.ts'

export interface Sink {
  write(event: HistoryEvent): void
}

export type Settled = Pick<Outcome, 'status' | 'headers' | 'error' | 'read'>

interface Waiter {
  name: string
  atLeast: number
  resolve(): void
}

/** Shared by the scenarios of a run, so that sequence numbers and operation ids are unique in it. */
export class Sequence {
  #event = 0
  #operation = 0
  nextEvent(): number {
    return (this.#event += 1)
  }
  nextOperation(): number {
    return (this.#operation += 1)
  }
}

export class Recorder {
  readonly scenario: string
  #sequence: Sequence
  #sinks: Sink[]
  #inFlight = new Map<number, Operation & { atMs: number }>()
  #counts = new Map<string, number>()
  #waiters = new Set<Waiter>()
  #acknowledgedSinceStart = 0

  constructor(scenario: string, sequence: Sequence, sinks: Sink[]) {
    this.scenario = scenario
    this.#sequence = sequence
    this.#sinks = sinks
  }

  record(body: EventBody, atMs = monotonicMs()): void {
    const event = { ...body, seq: this.#sequence.nextEvent(), atMs, scenario: this.scenario } as HistoryEvent
    for (const sink of this.#sinks) sink.write(event)
    if (body.kind === 'lifecycle' && body.hop === 'origin' && body.what === 'started') {
      this.#acknowledgedSinceStart = 0
    }
    this.#count(eventName(body))
  }

  /** Notes that an operation is about to be sent. Returns its id, for `settle`. */
  invoke(operation: Omit<Operation, 'id'>): number {
    const id = this.#sequence.nextOperation()
    const atMs = monotonicMs()
    this.#inFlight.set(id, { ...operation, id, atMs })
    this.record({ ...operation, id, kind: 'invoke' }, atMs)
    return id
  }

  /** A number for something that is recorded when it has ended; no operation has the same. */
  nextId(): number {
    return this.#sequence.nextOperation()
  }

  settle(id: number, kind: 'ok' | 'fail' | 'info', settled: Settled): Outcome {
    const operation = this.#inFlight.get(id)
    if (!operation) throw new Error(`operation ${id} was settled twice or never invoked`)
    this.#inFlight.delete(id)
    const { atMs: invokedAtMs, ...rest } = operation
    const outcome: Outcome = { ...rest, ...settled, kind, invokedAtMs }
    if (kind === 'ok' && operation.op === 'append') this.#acknowledgedSinceStart += 1
    this.record(outcome)
    return outcome
  }

  appendsInFlight(via?: Via): number {
    let count = 0
    for (const operation of this.#inFlight.values()) {
      if (operation.op === 'append' && (via === undefined || operation.via === via)) count += 1
    }
    return count
  }

  get acknowledgedSinceStart(): number {
    return this.#acknowledgedSinceStart
  }

  countOf(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** Waits until `more` further events of this name ('append.ok', 'lifecycle.started') happened. */
  async waitFor(name: string, more: number, timeoutMs: number): Promise<void> {
    const atLeast = this.countOf(name) + more
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiter = { name, atLeast, resolve }
    this.#waiters.add(waiter)
    try {
      await within(promise, { for: `${more} more events "${name}"`, timeoutMs })
    } finally {
      this.#waiters.delete(waiter)
    }
  }

  #count(name: string): void {
    const count = this.countOf(name) + 1
    this.#counts.set(name, count)
    for (const waiter of this.#waiters) {
      if (waiter.name === name && count >= waiter.atLeast) waiter.resolve()
    }
  }
}

function eventName(body: EventBody): string {
  if ('op' in body) return `${body.op}.${body.kind}`
  if (body.kind === 'lifecycle') return `lifecycle.${body.what}`
  if (body.kind === 'follow') return `follow.${body.what}`
  return body.kind
}
