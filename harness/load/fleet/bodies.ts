/**
 * Hashes what readers receive without keeping it, and without hashing equal bytes 10,000 times.
 *
 * Readers of one request mostly receive the same bytes. The first one to receive a byte writes it
 * to the request's log; the others are compared with the log, byte for byte, and as long as they
 * agree a reader is one number: how far it got. Its hash is the hash of that much of the log. A
 * reader that differs, or outgrows the log, gets an incremental hash of its own.
 */
import { createHash, hash, type Hash } from 'node:crypto'
import { DistinctValues } from './distinct.ts'

/** Beyond this many bytes a body is hashed reader by reader instead of being compared. */
const logBytesMax = 1 << 20

class SharedLog {
  #bytes = Buffer.allocUnsafeSlow(4_096)
  #length = 0
  /** Hash index by length of the prefix. */
  readonly #hashes = new Map<number, number>()

  /** Whether the bytes are what the log has at `position`; extends the log at its end. */
  agrees(position: number, bytes: Buffer, start: number, end: number): boolean {
    const known = Math.min(this.#length - position, end - start)
    const same =
      known === 0 ||
      bytes.compare(this.#bytes, position, position + known, start, start + known) === 0
    if (!same) return false
    return known === end - start || this.#append(bytes, start + known, end)
  }

  prefix(length: number): Buffer {
    return this.#bytes.subarray(0, length)
  }

  hashOfPrefix(length: number, distinct: DistinctValues): number {
    const known = this.#hashes.get(length)
    if (known !== undefined) return known
    const index = distinct.indexOf(hash('sha256', this.prefix(length), 'hex'))
    this.#hashes.set(length, index)
    return index
  }

  #append(bytes: Buffer, start: number, end: number): boolean {
    const needed = this.#length + end - start
    if (needed > logBytesMax) return false
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(logBytesMax, 2 * needed))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    bytes.copy(this.#bytes, this.#length, start, end)
    this.#length = needed
    return true
  }
}

export class Bodies {
  /** sha256 in hex, by index. */
  readonly hashes = new DistinctValues()
  /** Bytes received, by reader. */
  readonly bytes: Float64Array
  readonly #logs: SharedLog[]
  readonly #own = new Map<number, Hash>()

  /** @param requests reader i belongs to request i % requests */
  constructor(readers: number, requests: number) {
    this.bytes = new Float64Array(readers)
    this.#logs = Array.from({ length: Math.min(readers, requests) }, () => new SharedLog())
  }

  push(reader: number, bytes: Buffer, start: number, end: number): void {
    if (start === end) return
    const position = this.bytes[reader]!
    this.bytes[reader] = position + end - start
    const own = this.#own.get(reader)
    if (own) own.update(bytes.subarray(start, end))
    else if (!this.#logOf(reader).agrees(position, bytes, start, end)) {
      const hash = createHash('sha256').update(this.#logOf(reader).prefix(position))
      this.#own.set(reader, hash.update(bytes.subarray(start, end)))
    }
  }

  /** The index of the hash of all that the reader received; to be asked once. */
  finish(reader: number): number {
    const own = this.#own.get(reader)
    if (!own) return this.#logOf(reader).hashOfPrefix(this.bytes[reader]!, this.hashes)
    this.#own.delete(reader)
    return this.hashes.indexOf(own.digest('hex'))
  }

  #logOf(reader: number): SharedLog {
    return this.#logs[reader % this.#logs.length]!
  }
}
