/**
 * Event streams from bytes in whatever pieces they come, for many readers at once. Rules: the
 * WHATWG's "parsing an event stream", of which Durable Streams uses `event` and `data`.
 *
 * Most readers receive the same pieces. A piece of whole events is remembered with what it says,
 * and a reader who receives the same bytes again, byte for byte, is told the same events.
 */

/** Told each event. `data` is valid during the call only. */
export interface EventSink {
  event(reader: number, type: string, data: Buffer): void
  malformed(reader: number, reason: string): void
}

/** An event that has not come to its end yet. */
interface Partial {
  pieces: Buffer[]
  bytes: number
}

/** Whole events that came in one piece, and a copy of their bytes. */
interface Remembered {
  bytes: Buffer
  events: { type: string; data: Buffer }[]
}

/** An edge may write data and control apart, so that pieces take turns; a few more are cheap. */
const rememberedMax = 4
const rememberedBytesMax = 16_384

const eventBytesMax = 64 << 20
/** For all readers together. */
const partialBytesMax = 512 << 20

const cr = 13
const lf = 10
const colon = 0x3a
const space = 0x20

/** Bits of a reader's place in its stream. */
const flags = { lineBegun: 1, afterCr: 2, started: 4 } as const

export class SseParser {
  readonly #sink: EventSink
  readonly #flags: Uint8Array
  readonly #partials = new Map<number, Partial>()
  #partialBytes = 0
  readonly #remembered: Remembered[] = []
  #nextRemembered = 0
  /** Events of the piece that is being read, when it may be worth remembering. */
  #told: Remembered['events'] | undefined

  constructor(readers: number, sink: EventSink) {
    this.#sink = sink
    this.#flags = new Uint8Array(readers)
  }

  /** Takes the next bytes of a reader's event stream. */
  push(reader: number, bytes: Buffer, start: number, end: number): void {
    const clean = this.#isBetweenEvents(reader) && end - start <= rememberedBytesMax
    const known = clean && this.#recall(bytes, start, end)
    if (known) {
      for (const { type, data } of known.events) this.#sink.event(reader, type, data)
      return
    }
    this.#told = clean ? [] : undefined
    this.#read(reader, bytes, start, end)
    if (this.#told && this.#isBetweenEvents(reader)) {
      const remembered = { bytes: Buffer.from(bytes.subarray(start, end)), events: this.#told }
      this.#remembered[this.#nextRemembered++ % rememberedMax] = remembered
    }
    this.#told = undefined
  }

  /** Whether the reader's stream stops within an event. */
  isWithinEvent(reader: number): boolean {
    return this.#partials.has(reader)
  }

  /** Forgets what it holds of a reader's bytes. */
  abandon(reader: number): void {
    const partial = this.#partials.get(reader)
    if (!partial) return
    this.#partialBytes -= partial.bytes
    this.#partials.delete(reader)
  }

  /** After the first event, and within no other: what comes means the same to each such reader. */
  #isBetweenEvents(reader: number): boolean {
    return this.#flags[reader] === flags.started && !this.#partials.has(reader)
  }

  #recall(bytes: Buffer, start: number, end: number): Remembered | undefined {
    return this.#remembered.find(
      (one) => one.bytes.length === end - start && one.bytes.compare(bytes, start, end) === 0,
    )
  }

  #read(reader: number, bytes: Buffer, start: number, end: number): void {
    let state = this.#flags[reader]!
    let eventStart = start
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      if (byte === lf && (state & flags.afterCr) !== 0) {
        // The second half of a line's end: it belongs to the line, not to the next event.
        state &= ~flags.afterCr
        if (at === eventStart && !this.#partials.has(reader)) eventStart++
        continue
      }
      state = byte === cr ? state | flags.afterCr : state & ~flags.afterCr
      if (byte !== lf && byte !== cr) state |= flags.lineBegun
      else if ((state & flags.lineBegun) !== 0) state &= ~flags.lineBegun
      else {
        this.#flags[reader] = state
        this.#event(reader, bytes, eventStart, at)
        state = this.#flags[reader]!
        eventStart = at + 1
      }
    }
    this.#flags[reader] = state
    if (eventStart < end) this.#keep(reader, bytes, eventStart, end)
  }

  #keep(reader: number, bytes: Buffer, start: number, end: number): void {
    const partial = this.#partials.get(reader) ?? { pieces: [], bytes: 0 }
    this.#partials.set(reader, partial)
    partial.pieces.push(Buffer.from(bytes.subarray(start, end)))
    partial.bytes += end - start
    this.#partialBytes += end - start
    if (partial.bytes > eventBytesMax || this.#partialBytes > partialBytesMax) {
      this.abandon(reader)
      this.#sink.malformed(reader, 'event-too-large')
    }
  }

  /** The bytes up to `end` finish an event, or are empty lines between events. */
  #event(reader: number, bytes: Buffer, start: number, end: number): void {
    const partial = this.#partials.get(reader)
    if (partial) {
      partial.pieces.push(bytes.subarray(start, end))
      bytes = Buffer.concat(partial.pieces)
      this.abandon(reader)
      start = 0
      end = bytes.length
    }
    if ((this.#flags[reader]! & flags.started) === 0) {
      this.#flags[reader]! |= flags.started
      if (isByteOrderMark(bytes, start, end)) start += 3
    }
    if (start < end) this.#dispatch(reader, bytes, start, end)
  }

  #dispatch(reader: number, bytes: Buffer, start: number, end: number): void {
    let type = 'message'
    let dataLines = 0
    let dataStart = 0
    let dataEnd = 0
    let joined: Buffer[] | undefined
    for (let line = start; line < end; ) {
      const lineEnd = endOfLine(bytes, line, end)
      const nameEnd = endOfName(bytes, line, lineEnd)
      const valueStart = startOfValue(bytes, nameEnd, lineEnd)
      if (isName(bytes, line, nameEnd, 'data')) {
        if (dataLines === 1) joined = [Buffer.from(bytes.subarray(dataStart, dataEnd))]
        if (dataLines > 0) joined!.push(lineFeed, bytes.subarray(valueStart, lineEnd))
        dataStart = valueStart
        dataEnd = lineEnd
        dataLines++
      } else if (isName(bytes, line, nameEnd, 'event')) {
        type = eventType(bytes, valueStart, lineEnd)
      }
      line = afterLineEnd(bytes, lineEnd, end)
    }
    if (dataLines === 0) return
    const data = joined ? Buffer.concat(joined) : bytes.subarray(dataStart, dataEnd)
    this.#told?.push({ type, data: Buffer.from(data) })
    this.#sink.event(reader, type, data)
  }
}

const lineFeed = Buffer.from('\n')

function isByteOrderMark(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start >= 3 &&
    bytes[start] === 0xef &&
    bytes[start + 1] === 0xbb &&
    bytes[start + 2] === 0xbf
  )
}

function endOfLine(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== lf && bytes[at] !== cr) at++
  return at
}

function afterLineEnd(bytes: Buffer, at: number, end: number): number {
  return bytes[at] === cr && at + 1 < end && bytes[at + 1] === lf ? at + 2 : at + 1
}

function endOfName(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== colon) at++
  return at
}

/** After the colon, and after one space if there is one. */
function startOfValue(bytes: Buffer, nameEnd: number, lineEnd: number): number {
  if (nameEnd === lineEnd) return lineEnd
  return nameEnd + 1 < lineEnd && bytes[nameEnd + 1] === space ? nameEnd + 2 : nameEnd + 1
}

function isName(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name.charCodeAt(i)) return false
  return true
}

/** The two types of Durable Streams without a new string each time. An empty one is the default. */
function eventType(bytes: Buffer, start: number, end: number): string {
  if (isName(bytes, start, end, 'data')) return 'data'
  if (isName(bytes, start, end, 'control')) return 'control'
  return bytes.toString('utf8', start, end) || 'message'
}
