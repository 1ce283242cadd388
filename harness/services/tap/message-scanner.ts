/**
 * Follows HTTP/1.1 messages in one direction of a connection: where a head ends, what it says about
 * its body, where that ends. Keeps nothing of a body. Bytes may come split anywhere; bytes that are
 * no HTTP make it opaque, never throw.
 */

/** How a body is delimited (RFC 9112, section 6.3). */
export type Framing =
  | { body: 'none' }
  | { body: 'length'; bytes: number }
  | { body: 'chunked' }
  | { body: 'until-close' }
  /** Not to be followed any further. */
  | { body: 'opaque' }

export interface MessageListener {
  /** A head without its empty line: the start line first. Tells how its body is delimited. */
  onHead(lines: string[]): Framing
  /** A head's first line has passed; the next byte of this chunk, at `at`, begins its fields. */
  onStartLine?(line: string, at: number): void
  /** The last byte of a message has passed. */
  onEnd(): void
  /** Bytes came that are no HTTP/1.1. */
  onOdd(): void
}

type State = 'head' | 'body' | 'chunk-size' | 'chunk-end' | 'trailer' | 'until-close' | 'opaque'

const headBytesMax = 1024 ** 2
const lineBytesMax = headBytesMax
const lineFeed = 10

export class MessageScanner {
  #listener: MessageListener
  #state: State = 'head'
  #head: string[] = []
  #headBytes = 0
  /** A line of which the end has not come yet. */
  #partial = ''
  /** Bytes left of the body, or of the chunk. */
  #left = 0
  #inChunks = false
  #at = 0

  constructor(listener: MessageListener) {
    this.#listener = listener
  }

  /** True within a message whose end will be the connection's. */
  get endsWithConnection(): boolean {
    return this.#state === 'until-close'
  }

  becomeOpaque(): void {
    this.#state = 'opaque'
    this.#head = []
    this.#partial = ''
  }

  push(chunk: Buffer): void {
    this.#at = 0
    while (this.#at < chunk.length && this.#state !== 'opaque' && this.#state !== 'until-close') {
      if (this.#state === 'body') this.#skip(chunk)
      else this.#takeLine(chunk)
    }
  }

  #skip(chunk: Buffer): void {
    const skipped = Math.min(this.#left, chunk.length - this.#at)
    this.#left -= skipped
    this.#at += skipped
    if (this.#left > 0) return
    if (this.#inChunks) this.#state = 'chunk-end'
    else this.#endMessage()
  }

  #takeLine(chunk: Buffer): void {
    const end = chunk.indexOf(lineFeed, this.#at)
    const stop = end < 0 ? chunk.length : end
    const text = this.#partial + chunk.toString('latin1', this.#at, stop)
    this.#at = end < 0 ? stop : stop + 1
    if (text.length > lineBytesMax) return this.#becomeOdd()
    if (end < 0) {
      this.#partial = text
      return
    }
    this.#partial = ''
    this.#line(text.endsWith('\r') ? text.slice(0, -1) : text)
  }

  #line(line: string): void {
    switch (this.#state) {
      case 'head':
        return this.#headLine(line)
      case 'chunk-size':
        return this.#chunkSize(line)
      case 'chunk-end':
        if (line !== '') return this.#becomeOdd()
        this.#state = 'chunk-size'
        return
      case 'trailer':
        if (line === '') this.#endMessage()
        return
    }
  }

  #headLine(line: string): void {
    this.#headBytes += line.length
    if (this.#headBytes > headBytesMax) return this.#becomeOdd()
    if (line !== '' && this.#head.length === 0) this.#listener.onStartLine?.(line, this.#at)
    if (line !== '') this.#head.push(line)
    // Empty lines before a start line are passed over (RFC 9112, section 2.2).
    else if (this.#head.length > 0) this.#endHead()
  }

  #endHead(): void {
    const lines = this.#head
    this.#head = []
    this.#headBytes = 0
    const framing = this.#listener.onHead(lines)
    // The listener may have made this very scanner opaque.
    if (this.#state !== 'opaque') this.#begin(framing)
  }

  #begin(framing: Framing): void {
    this.#inChunks = framing.body === 'chunked'
    switch (framing.body) {
      case 'none':
        return this.#endMessage()
      case 'length':
        this.#left = framing.bytes
        this.#state = 'body'
        if (framing.bytes === 0) this.#endMessage()
        return
      case 'chunked':
        this.#state = 'chunk-size'
        return
      case 'until-close':
        this.#state = 'until-close'
        return
      case 'opaque':
        return this.becomeOpaque()
    }
  }

  #chunkSize(line: string): void {
    const size = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?$/i.exec(line)?.[1]
    if (size === undefined) return this.#becomeOdd()
    this.#left = Number.parseInt(size, 16)
    this.#state = this.#left === 0 ? 'trailer' : 'body'
  }

  #endMessage(): void {
    this.#state = 'head'
    this.#listener.onEnd()
  }

  #becomeOdd(): void {
    this.becomeOpaque()
    this.#listener.onOdd()
  }
}

/** Framing by a head's fields, without the rules for methods and statuses; 'opaque' where they contradict. */
export function framingOf(lines: string[]): Framing | null {
  const codings = fieldValues(lines, 'transfer-encoding')
  if (codings.length > 0) {
    return codings.at(-1)!.toLowerCase() === 'chunked' ? { body: 'chunked' } : { body: 'opaque' }
  }
  const lengths = new Set(fieldValues(lines, 'content-length'))
  if (lengths.size === 0) return null
  const [length] = lengths
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length!)) return { body: 'opaque' }
  return { body: 'length', bytes: Number(length) }
}

/** All values of a field, those in one line separated by commas included. */
export function fieldValues(lines: string[], name: string): string[] {
  const values: string[] = []
  for (let n = 1; n < lines.length; n += 1) {
    const line = lines[n]!
    if (line.charCodeAt(name.length) !== 58 || line.slice(0, name.length).toLowerCase() !== name) continue
    values.push(...line.slice(name.length + 1).split(',').map((value) => value.trim()).filter(Boolean))
  }
  return values
}
