/**
 * What both transports do with what they receive: note head and times, hash the body or take its
 * events apart, and end the reader's story.
 */
import type { Crowd } from './crowd.ts'
import { controlFields } from './crowd.ts'
import { monotonicMs } from '../../clock.ts'
import { noValue } from './distinct.ts'
import { SseParser, type EventSink } from './sse-parser.ts'
import type { CheckedFleetPlan } from './plan.ts'

/** Bits of what is known of a reader's response. */
const traits = { eventStream: 1, base64: 2, controlDue: 4 } as const

export class Receiver implements EventSink {
  readonly #crowd: Crowd
  readonly #dataEventsMax: number
  readonly #sse: SseParser | undefined
  readonly #traits: Uint8Array
  readonly #controlColumn: number
  #controlsDue = 0
  #lastControl: Buffer = Buffer.alloc(0)
  #lastControlValues: number[] = []

  constructor(plan: CheckedFleetPlan, crowd: Crowd) {
    this.#crowd = crowd
    const sse = plan.read.kind === 'sse'
    this.#dataEventsMax = plan.read.kind === 'sse' ? plan.read.dataEvents : 0
    this.#sse = sse ? new SseParser(plan.readers, this) : undefined
    this.#traits = new Uint8Array(sse ? plan.readers : 0)
    this.#controlColumn = plan.captureHeaders.length
  }

  /** Readers whose last data event has not been followed by its control event yet. */
  get controlsDue(): number {
    return this.#controlsDue
  }

  /** The reader has its last data event, and not yet the control event that tells its offset. */
  isControlDue(reader: number): boolean {
    return this.#sse !== undefined && (this.#traits[reader]! & traits.controlDue) !== 0
  }

  /** The head of the final response; the transport has captured its headers already. */
  head(reader: number, status: number, contentType: string, encoding: string): void {
    this.#crowd.status[reader] = status
    if (!this.#sse) return
    if (status !== 200 || !contentType.startsWith('text/event-stream')) return
    this.#traits[reader] = traits.eventStream | (encoding === 'base64' ? traits.base64 : 0)
  }

  body(reader: number, bytes: Buffer, start: number, end: number): void {
    if (this.#isEventStream(reader)) this.#sse!.push(reader, bytes, start, end)
    else if (!this.#crowd.isDone(reader)) this.#crowd.bodies.push(reader, bytes, start, end)
  }

  /** The response ended in good order. */
  end(reader: number): void {
    if (this.#crowd.isDone(reader)) return
    this.#crowd.lastByteMs[reader] = monotonicMs()
    if (!this.#sse) this.#crowd.finish(reader, 'complete')
    else if (this.#sse.isWithinEvent(reader)) this.#crowd.finish(reader, 'truncated', 'event')
    else this.#crowd.finish(reader, 'ended')
    this.abandon(reader)
  }

  malformed(reader: number, reason: string): void {
    this.#crowd.finish(reader, 'malformed', reason)
  }

  /** The reader hung up, or lost its connection. */
  abandon(reader: number): void {
    if (!this.#sse) return
    this.#sse.abandon(reader)
    this.#noControlDue(reader)
  }

  event(reader: number, type: string, data: Buffer): void {
    if (type === 'control') this.#control(reader, data)
    else if (type === 'data' && !this.#crowd.isDone(reader)) this.#data(reader, data)
    this.#crowd.open(reader)
  }

  #data(reader: number, data: Buffer): void {
    const crowd = this.#crowd
    const base64 = (this.#traits[reader]! & traits.base64) !== 0
    const payload = base64 ? fromBase64(data) : data
    if (payload === undefined) return this.malformed(reader, 'base64')
    crowd.bodies.push(reader, payload, 0, payload.length)
    crowd.lastByteMs[reader] = monotonicMs()
    crowd.dataEvents[reader]!++
    if (crowd.dataEvents[reader] !== this.#dataEventsMax) return
    this.#traits[reader]! |= traits.controlDue
    this.#controlsDue++
    crowd.finish(reader, 'complete')
  }

  #control(reader: number, data: Buffer): void {
    this.#noControlDue(reader)
    if (!this.#lastControl.equals(data)) {
      const values = this.#controlValues(data)
      if (values === undefined) return this.malformed(reader, 'control-event')
      this.#lastControl = Buffer.from(data)
      this.#lastControlValues = values
    }
    this.#lastControlValues.forEach((value, i) => {
      this.#crowd.headers[this.#controlColumn + i]![reader] = value
    })
  }

  /** Indexes of the values of a control event's fields. */
  #controlValues(data: Buffer): number[] | undefined {
    const fields = parseObject(data.toString())
    return fields && controlFields.map((name, i) => this.#indexOf(i, fields[name]))
  }

  #indexOf(field: number, value: unknown): number {
    if (value === undefined) return noValue
    const bytes = Buffer.from(String(value))
    const values = this.#crowd.headerValues[this.#controlColumn + field]!
    return values.indexOf(bytes, 0, bytes.length)
  }

  #noControlDue(reader: number): void {
    if ((this.#traits[reader]! & traits.controlDue) === 0) return
    this.#traits[reader]! &= ~traits.controlDue
    this.#controlsDue--
  }

  #isEventStream(reader: number): boolean {
    return this.#sse !== undefined && (this.#traits[reader]! & traits.eventStream) !== 0
  }
}

/** The bytes, or undefined when it is not standard base64 whose lines may have been split. */
export function fromBase64(data: Buffer): Buffer | undefined {
  const text = data.toString('latin1').replaceAll(/[\r\n]/g, '')
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
