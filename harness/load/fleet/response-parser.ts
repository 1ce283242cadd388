/**
 * HTTP/1.1 responses from bytes in whatever pieces they come, for many readers at once: a reader
 * is a few numbers in typed arrays. Rules: RFC 9112, read as a client that sends GET only.
 */
import { HeadParser, type ResponseHead } from './response-head.ts'

/** Told what the bytes mean. The ranges are valid during the call only. */
export interface ResponseSink {
  /** The final response's head; interim (1xx) ones are skipped. */
  head(reader: number, head: ResponseHead, bytes: Buffer): void
  body(reader: number, bytes: Buffer, start: number, end: number): void
  /** The response's last byte has been seen. */
  end(reader: number): void
  malformed(reader: number, reason: string): void
}

const states = {
  head: 0,
  fixed: 1,
  untilClose: 2,
  chunkSize: 3,
  chunkExtension: 4,
  chunkSizeLf: 5,
  chunkData: 6,
  chunkDataCr: 7,
  chunkDataLf: 8,
  trailerStart: 9,
  trailerLine: 10,
  trailerLf: 11,
  endLf: 12,
  done: 13,
  broken: 14,
} as const

const headBytesMax = 65_536
/** Chunk extensions and trailers of one response. */
const overheadBytesMax = 65_536
const cr = 13
const lf = 10

export class ResponseParser {
  readonly #sink: ResponseSink
  readonly #heads: HeadParser
  readonly #state: Uint8Array
  /** Body bytes to come; in a chunk's size line, the size read so far, -1 before any digit. */
  readonly #remaining: Float64Array
  readonly #overhead: Uint32Array
  /** Heads that came in pieces. */
  readonly #partialHeads = new Map<number, Buffer>()

  /** @param captured lower-case names of the headers whose places a head tells */
  constructor(readers: number, captured: readonly string[], sink: ResponseSink) {
    this.#sink = sink
    this.#heads = new HeadParser(captured)
    this.#state = new Uint8Array(readers)
    this.#remaining = new Float64Array(readers)
    this.#overhead = new Uint32Array(readers)
  }

  /** Takes the next bytes of a reader's connection. */
  push(reader: number, bytes: Buffer, end: number): void {
    let at = 0
    while (at < end) {
      const state = this.#state[reader]!
      if (state === states.head) {
        const partial = this.#partialHeads.get(reader)
        if (partial) {
          bytes = Buffer.concat([partial, bytes.subarray(at, end)])
          this.#partialHeads.delete(reader)
          at = 0
          end = bytes.length
        }
        at = this.#head(reader, bytes, at, end)
      } else if (state === states.fixed || state === states.chunkData) {
        at = this.#counted(reader, state, bytes, at, end)
      } else if (state === states.untilClose) {
        this.#sink.body(reader, bytes, at, end)
        at = end
      } else if (state === states.done) {
        this.#break(reader, 'bytes-after-response')
      } else if (state === states.broken) {
        return
      } else {
        this.#framing(reader, state, bytes[at]!)
        at++
      }
    }
  }

  /**
   * The connection was closed in good order.
   * @returns false when that cut a response short
   */
  close(reader: number): boolean {
    const state = this.#state[reader]!
    if (state === states.untilClose) this.#end(reader)
    return state === states.untilClose || state === states.done
  }

  /** Forgets what it holds of a reader's bytes, and ignores those to come. */
  abandon(reader: number): void {
    this.#partialHeads.delete(reader)
    this.#state[reader] = states.broken
  }

  #head(reader: number, bytes: Buffer, start: number, end: number): number {
    const head = this.#heads.parse(bytes, start, end)
    if (typeof head === 'string') {
      this.#break(reader, head)
      return end
    }
    if (head === undefined) {
      if (end - start > headBytesMax) this.#break(reader, 'head-too-large')
      else this.#partialHeads.set(reader, Buffer.from(bytes.subarray(start, end)))
      return end
    }
    if (head.status < 200) {
      if (head.status === 101) this.#break(reader, 'unasked-upgrade')
      return head.end
    }
    this.#sink.head(reader, head, bytes)
    this.#startBody(reader, head)
    return head.end
  }

  #startBody(reader: number, head: ResponseHead): void {
    const bodiless = head.status === 204 || head.status === 304
    if (bodiless || (!head.chunked && head.contentLength === 0)) this.#end(reader)
    else if (head.chunked) this.#expectChunk(reader)
    else if (head.contentLength < 0) this.#state[reader] = states.untilClose
    else {
      this.#state[reader] = states.fixed
      this.#remaining[reader] = head.contentLength
    }
  }

  #counted(reader: number, state: number, bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#remaining[reader]!)
    this.#remaining[reader]! -= stop - start
    this.#sink.body(reader, bytes, start, stop)
    if (this.#remaining[reader] !== 0 || this.#state[reader] !== state) return stop
    if (state === states.fixed) this.#end(reader)
    else this.#state[reader] = states.chunkDataCr
    return stop
  }

  #expectChunk(reader: number): void {
    this.#state[reader] = states.chunkSize
    this.#remaining[reader] = -1
  }

  /** One byte of what lies between the chunks of a body. */
  #framing(reader: number, state: number, byte: number): void {
    switch (state) {
      case states.chunkSize:
        return this.#chunkSize(reader, byte)
      case states.chunkExtension:
        if (byte === cr) return this.#become(reader, states.chunkSizeLf)
        if (byte === lf) return this.#break(reader, 'chunk-extension')
        return this.#countOverhead(reader)
      case states.chunkSizeLf:
        if (byte !== lf) return this.#break(reader, 'chunk-size-line')
        return this.#become(
          reader,
          this.#remaining[reader] === 0 ? states.trailerStart : states.chunkData,
        )
      case states.chunkDataCr:
        if (byte !== cr) return this.#break(reader, 'chunk-end')
        return this.#become(reader, states.chunkDataLf)
      case states.chunkDataLf:
        if (byte !== lf) return this.#break(reader, 'chunk-end')
        return this.#expectChunk(reader)
      default:
        return this.#trailer(reader, state, byte)
    }
  }

  #chunkSize(reader: number, byte: number): void {
    const size = this.#remaining[reader]!
    const digit = hexDigit(byte)
    if (digit >= 0) {
      this.#remaining[reader] = Math.max(size, 0) * 16 + digit
      if (size > 0xffff_ffff_ff) this.#break(reader, 'chunk-size')
      else this.#countOverhead(reader)
    } else if (size < 0) this.#break(reader, 'chunk-size')
    else if (byte === cr) this.#become(reader, states.chunkSizeLf)
    else if (byte === 0x3b || byte === 0x20 || byte === 9) {
      this.#become(reader, states.chunkExtension)
    } else this.#break(reader, 'chunk-size')
  }

  #trailer(reader: number, state: number, byte: number): void {
    if (state === states.trailerStart) {
      this.#become(reader, byte === cr ? states.endLf : states.trailerLine)
      this.#countOverhead(reader)
    } else if (state === states.trailerLine) {
      if (byte === cr) this.#become(reader, states.trailerLf)
      else this.#countOverhead(reader)
    } else if (byte !== lf) this.#break(reader, 'trailer')
    else if (state === states.trailerLf) this.#become(reader, states.trailerStart)
    else this.#end(reader)
  }

  #countOverhead(reader: number): void {
    this.#overhead[reader]!++
    if (this.#overhead[reader]! > overheadBytesMax) this.#break(reader, 'chunk-overhead')
  }

  #become(reader: number, state: number): void {
    this.#state[reader] = state
  }

  #end(reader: number): void {
    this.#state[reader] = states.done
    this.#sink.end(reader)
  }

  #break(reader: number, reason: string): void {
    this.#state[reader] = states.broken
    this.#sink.malformed(reader, reason)
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
