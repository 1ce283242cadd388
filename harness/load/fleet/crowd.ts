/** What is known of every reader, as columns of numbers, and the milestones of them all. */
import { Bodies } from './bodies.ts'
import { monotonicMs } from '../../clock.ts'
import { DistinctBytes, DistinctValues, noValue } from './distinct.ts'
import { outcomeCode, type Outcome } from './outcomes.ts'

/** Milestones that every reader passes, or is done before it passes them. */
export const milestones = ['connected', 'sent', 'open', 'done'] as const
export type Milestone = (typeof milestones)[number]

/** The pseudo headers that an event stream's control events give. */
export const controlFields = ['streamNextOffset', 'upToDate', 'streamCursor', 'streamClosed']

export interface CrowdShape {
  readers: number
  requests: number
  captureHeaders: readonly string[]
  sse: boolean
}

export class Crowd {
  readonly readers: number
  readonly status: Uint16Array
  readonly outcome: Uint8Array
  /** Index in `errors`, plus one; 0 is none. */
  readonly error: Uint16Array
  readonly bodyHash: Uint32Array
  readonly dataEvents: Uint32Array
  /** Times of `monotonicMs`; NaN is never. */
  readonly dueMs: Float64Array
  readonly connectStartMs: Float64Array
  readonly connectedMs: Float64Array
  readonly sentMs: Float64Array
  readonly firstByteMs: Float64Array
  readonly lastByteMs: Float64Array
  readonly errors = new DistinctValues()
  readonly bodies: Bodies
  readonly headerNames: readonly string[]
  readonly headers: Uint32Array[]
  readonly headerValues: DistinctBytes[]
  /** How many readers have passed each milestone on their feet. */
  readonly reached: Record<Milestone, number> = { connected: 0, sent: 0, open: 0, done: 0 }
  readonly #passed: Uint8Array
  /** How many have passed each milestone or were done before it. */
  readonly #settled: Record<Milestone, number> = { connected: 0, sent: 0, open: 0, done: 0 }
  readonly #onMilestone: (milestone: Milestone) => void

  constructor(shape: CrowdShape, onMilestone: (milestone: Milestone) => void) {
    const n = shape.readers
    this.readers = n
    this.status = new Uint16Array(n)
    this.outcome = new Uint8Array(n)
    this.error = new Uint16Array(n)
    this.bodyHash = new Uint32Array(n).fill(noValue)
    this.dataEvents = new Uint32Array(n)
    this.dueMs = times(n)
    this.connectStartMs = times(n)
    this.connectedMs = times(n)
    this.sentMs = times(n)
    this.firstByteMs = times(n)
    this.lastByteMs = times(n)
    this.bodies = new Bodies(n, shape.requests)
    const pseudo = shape.sse ? controlFields.map((name) => `sse:${name}`) : []
    this.headerNames = [...shape.captureHeaders, ...pseudo]
    this.headers = this.headerNames.map(() => new Uint32Array(n).fill(noValue))
    this.headerValues = this.headerNames.map(() => new DistinctBytes())
    this.#passed = new Uint8Array(n)
    this.#onMilestone = onMilestone
  }

  isDone(reader: number): boolean {
    return this.outcome[reader] !== outcomeCode.pending
  }

  connecting(reader: number): void {
    this.connectStartMs[reader] = monotonicMs()
  }

  connected(reader: number): void {
    if (this.isDone(reader)) return
    this.connectedMs[reader] = monotonicMs()
    this.#pass(reader, 'connected')
  }

  sent(reader: number): void {
    if (this.isDone(reader)) return
    this.sentMs[reader] = monotonicMs()
    this.#pass(reader, 'sent')
  }

  /** The reader is being served: its event stream gave its first event. */
  open(reader: number): void {
    this.#pass(reader, 'open')
  }

  /** Ends a reader's story; what it has received by now is hashed. */
  finish(reader: number, outcome: Outcome, error?: string): void {
    if (this.isDone(reader)) return
    this.outcome[reader] = outcomeCode[outcome]
    if (error !== undefined) this.error[reader] = this.errors.indexOf(error) + 1
    if (this.status[reader] !== 0) this.bodyHash[reader] = this.bodies.finish(reader)
    this.reached.done++
    for (let m = this.#passed[reader]!; m < milestones.length; m++) this.#settle(milestones[m]!)
  }

  /** A reader that was done received what it should not have: its story ends worse. */
  spoil(reader: number, outcome: Outcome, error: string): void {
    this.outcome[reader] = outcomeCode[outcome]
    this.error[reader] = this.errors.indexOf(error) + 1
  }

  #pass(reader: number, milestone: Milestone): void {
    const index = milestones.indexOf(milestone)
    if (this.isDone(reader) || this.#passed[reader]! > index) return
    this.#passed[reader] = index + 1
    this.reached[milestone]++
    this.#settle(milestone)
  }

  #settle(milestone: Milestone): void {
    this.#settled[milestone]++
    if (this.#settled[milestone] === this.readers) this.#onMilestone(milestone)
  }
}

function times(readers: number): Float64Array {
  return new Float64Array(readers).fill(Number.NaN)
}
