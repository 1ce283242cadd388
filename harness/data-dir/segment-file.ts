/**
 * Walks a stream's data file of the production server: messages behind a length of four bytes, big
 * endian. Read in pieces; of the messages themselves nothing is kept.
 */
import { createReadStream } from 'node:fs'

export interface Amount {
  messages: number
  /** Of the messages alone, without their lengths. */
  payloadBytes: number
}

export interface Segment {
  /** All whole messages. */
  whole: Amount
  /** Those that end where acknowledged data ends, or before. */
  committed: Amount
  /** Where the last whole message ends. */
  wholeBytes: number
  /** Behind that: a message that was never written to its end, or bytes that are none. */
  tornBytes: number
  /** Set where a length is beyond what the server writes: what follows cannot be told apart. */
  damage: string | null
}

const lengthBytes = 4
const messageBytesMax = 64 * 1024 ** 2

/** `committedBytes` is where acknowledged data ends, in bytes of the file. Throws what the file system throws. */
export async function scanSegment(file: string, committedBytes: number): Promise<Segment> {
  const walk = new Walk(committedBytes)
  for await (const piece of createReadStream(file, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) walk.take(piece)
  return walk.end()
}

class Walk {
  readonly #committedBytes: number
  #committed: Amount = { messages: 0, payloadBytes: 0 }
  #messages = 0
  #wholeBytes = 0
  #seen = 0
  #damage: string | null = null
  /** The length that is being read, and how many bytes of the message are still to come. */
  #length = Buffer.alloc(0)
  #missing = 0

  constructor(committedBytes: number) {
    this.#committedBytes = committedBytes
  }

  take(piece: Buffer): void {
    let at = 0
    this.#seen += piece.length
    while (at < piece.length && this.#damage === null) at = this.#missing > 0 ? this.#skip(piece, at) : this.#readLength(piece, at)
  }

  end(): Segment {
    return { whole: this.#amount(), committed: this.#committed, wholeBytes: this.#wholeBytes, tornBytes: this.#seen - this.#wholeBytes, damage: this.#damage }
  }

  #readLength(piece: Buffer, at: number): number {
    const until = Math.min(piece.length, at + lengthBytes - this.#length.length)
    this.#length = Buffer.concat([this.#length, piece.subarray(at, until)])
    if (this.#length.length < lengthBytes) return until
    const length = this.#length.readUInt32BE(0)
    if (length > messageBytesMax) this.#damage = `a message of ${length} bytes at byte ${this.#wholeBytes}, where the server writes at most ${messageBytesMax}`
    else if (length === 0) this.#whole(0)
    else this.#missing = length
    return until
  }

  #skip(piece: Buffer, at: number): number {
    const taken = Math.min(this.#missing, piece.length - at)
    this.#missing -= taken
    if (this.#missing === 0) this.#whole(this.#length.readUInt32BE(0))
    return at + taken
  }

  #whole(length: number): void {
    this.#messages += 1
    this.#wholeBytes += lengthBytes + length
    this.#length = Buffer.alloc(0)
    if (this.#wholeBytes <= this.#committedBytes) this.#committed = this.#amount()
  }

  #amount(): Amount {
    return { messages: this.#messages, payloadBytes: this.#wholeBytes - this.#messages * lengthBytes }
  }
}
