/** An event stream as a reader takes it apart: data, and control events that say how far it is. */
import type { Claim } from '../history.ts'
import { findRecords } from '../record.ts'

interface Control {
  streamNextOffset?: string
  upToDate?: boolean
  streamClosed?: boolean
  streamCursor?: string
}

export class SseClaims {
  readonly claims: Claim[] = []
  /** The last cursor that came. */
  cursor: string | null = null
  #text = ''
  #contentType: string
  #isBase64: boolean
  #records: string[] = []
  #damaged = 0
  #decoder = new TextDecoder()

  constructor(contentType: string, isBase64: boolean) {
    this.#contentType = contentType
    this.#isBase64 = isBase64
  }

  /** Takes what has come; a claim is there once its control event is whole. */
  push(chunk: Buffer, atMs: number): void {
    this.#text += this.#decoder.decode(chunk, { stream: true })
    const events = this.#text.split('\n\n')
    this.#text = events.pop()!
    for (const event of events) this.#take(event.split('\n'), atMs)
  }

  #take(lines: string[], atMs: number): void {
    const name = lines.find((line) => line.startsWith('event:'))?.slice('event:'.length).trim()
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice('data:'.length).replace(/^ /, '')).join('\n')
    if (name === 'data') this.#takeData(data)
    if (name === 'control') this.#takeControl(data, atMs)
  }

  #takeData(data: string): void {
    const bytes = this.#isBase64 ? Buffer.from(data.replaceAll('\n', ''), 'base64') : Buffer.from(data)
    const found = findRecords(bytes, this.#contentType)
    this.#records.push(...found.records)
    this.#damaged += found.damaged.length
  }

  #takeControl(data: string, atMs: number): void {
    const control = parsed(data)
    this.cursor = control.streamCursor ?? this.cursor
    this.claims.push({
      atMs,
      records: this.#records,
      damaged: this.#damaged,
      nextOffset: control.streamNextOffset ?? null,
      upToDate: control.upToDate === true,
      closed: control.streamClosed === true,
    })
    this.#records = []
    this.#damaged = 0
  }
}

/** A control event that is no JSON says nothing: no next offset, which no version of a stream accounts for. */
function parsed(data: string): Control {
  try {
    return JSON.parse(data) as Control
  } catch {
    return {}
  }
}
