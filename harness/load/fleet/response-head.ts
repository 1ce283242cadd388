/** The head of an HTTP/1.1 response, read in place: no string is made of what nobody asked for. */

/** Reused from call to call: take what you need before the next one. */
export interface ResponseHead {
  status: number
  /** -1 when the head gives none. */
  contentLength: number
  chunked: boolean
  /** Index of the first byte after the head. */
  end: number
  /** Where the captured headers' values are: start and end of header i at 2i; -1 when absent. */
  readonly captured: Int32Array
  /** Values of captured headers that came in several lines, joined by a comma. */
  readonly repeated: Map<number, string>
}

interface Known {
  readonly name: string
  take(bytes: Buffer, start: number, end: number): string | undefined
}

const cr = 13
const lf = 10
const colon = 0x3a

export class HeadParser {
  readonly #head: ResponseHead
  /** Headers that matter, by the length of their name. */
  readonly #known: Known[][] = []
  #framed = false

  constructor(captured: readonly string[]) {
    this.#head = {
      status: 0,
      contentLength: -1,
      chunked: false,
      end: 0,
      captured: new Int32Array(2 * captured.length),
      repeated: new Map(),
    }
    this.#know('content-length', (bytes, start, end) => this.#contentLength(bytes, start, end))
    this.#know('transfer-encoding', (bytes, start, end) => this.#coding(bytes, start, end))
    captured.forEach((name, index) => {
      this.#know(name, (bytes, start, end) => this.#capture(index, bytes, start, end))
    })
  }

  /** The head that starts at `start`; undefined when it is not all there; a reason when bad. */
  parse(bytes: Buffer, start: number, end: number): ResponseHead | string | undefined {
    const head = this.#head
    head.status = 0
    head.contentLength = -1
    head.chunked = false
    head.captured.fill(-1)
    head.repeated.clear()
    this.#framed = false
    head.end = -1
    for (let line = start; head.end < 0; ) {
      const stop = bytes.indexOf(lf, line)
      if (stop < 0 || stop >= end) return undefined
      if (stop === line || bytes[stop - 1] !== cr) return 'bare-line-feed'
      const wrong = this.#line(bytes, line, stop - 1, line === start)
      if (wrong !== undefined) return wrong
      line = stop + 1
    }
    return head
  }

  #line(bytes: Buffer, start: number, end: number, first: boolean): string | undefined {
    if (first) return this.#statusLine(bytes, start, end)
    if (start === end) return this.#finish(end + 2)
    return this.#headerLine(bytes, start, end)
  }

  #know(name: string, take: Known['take']): void {
    ;(this.#known[name.length] ??= []).push({ name, take })
  }

  #statusLine(bytes: Buffer, start: number, end: number): string | undefined {
    const length = end - start
    if (length < 12) return 'status-line'
    if (bytes.toString('latin1', start, start + 7) !== 'HTTP/1.') return 'status-line'
    const version = bytes[start + 7]!
    if ((version !== 0x30 && version !== 0x31) || bytes[start + 8] !== 0x20) return 'status-line'
    if (length > 12 && bytes[start + 12] !== 0x20) return 'status-line'
    const status = decimal(bytes, start + 9, start + 12)
    if (!(status >= 100)) return 'status-line'
    this.#head.status = status
    return undefined
  }

  #headerLine(bytes: Buffer, start: number, end: number): string | undefined {
    let at = start
    while (at < end && bytes[at] !== colon) {
      const byte = bytes[at++]!
      if (byte <= 0x20 || byte >= 0x7f) return 'header-name'
    }
    if (at === start || at === end) return 'header-line'
    const known = this.#known[at - start]
    if (known === undefined) return undefined
    let valueStart = at + 1
    let valueEnd = end
    while (valueStart < valueEnd && isBlank(bytes[valueStart]!)) valueStart++
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) valueEnd--
    for (const header of known) {
      if (!isNamed(header.name, bytes, start)) continue
      const wrong = header.take(bytes, valueStart, valueEnd)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  #finish(end: number): string | undefined {
    this.#head.end = end
    return this.#framed && this.#head.contentLength >= 0 ? 'two-framings' : undefined
  }

  #contentLength(bytes: Buffer, start: number, end: number): string | undefined {
    const length = decimal(bytes, start, end)
    const known = this.#head.contentLength
    if (!Number.isSafeInteger(length) || (known >= 0 && known !== length)) return 'content-length'
    this.#head.contentLength = length
    return undefined
  }

  #coding(bytes: Buffer, start: number, end: number): undefined {
    const codings = bytes.toString('latin1', start, end).toLowerCase().split(',')
    this.#framed = true
    this.#head.chunked = codings.at(-1)?.trim() === 'chunked'
  }

  #capture(index: number, bytes: Buffer, start: number, end: number): undefined {
    const { captured, repeated } = this.#head
    if (captured[2 * index]! >= 0) {
      const [firstStart, firstEnd] = [captured[2 * index], captured[2 * index + 1]]
      const before = repeated.get(index) ?? bytes.toString('latin1', firstStart, firstEnd)
      repeated.set(index, `${before}, ${bytes.toString('latin1', start, end)}`)
    }
    captured[2 * index] = start
    captured[2 * index + 1] = end
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 9
}

/** Whether the bytes are the lower-case name in any case. */
function isNamed(name: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i]!
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    if (lower !== name.charCodeAt(i)) return false
  }
  return true
}

/** The number, or NaN when the range is empty or has anything but digits. */
function decimal(bytes: Buffer, start: number, end: number): number {
  if (start === end) return Number.NaN
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
