/**
 * The log of one service id: a file the service writes to by itself, so that a busy harness never
 * holds it up. Starts are told apart by a line; the file's size is bounded.
 */
import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'

const bytesMax = 50 * 1024 ** 2
/** What is kept of a log that grew beyond its bound. */
const keptBytes = 5 * 1024 ** 2
const tailBytesMax = 512 * 1024

export class ServiceLog {
  readonly file: string
  /** Open for appending; handed to the service. */
  readonly descriptor: number
  /** Times it was cut: positions from before a cut mean nothing after it. */
  #cuts = 0
  #closed = false
  #bytesMax: number
  /** Programs writing to it now. */
  writers = 0

  constructor(file: string, limits = { bytesMax }) {
    this.file = file
    this.#bytesMax = limits.bytesMax
    this.descriptor = openSync(file, 'a')
  }

  note(text: string): void {
    writeSync(this.descriptor, `--- ${new Date().toISOString()} ${text} ---\n`)
  }

  /** The end of what is written now. */
  position(): LogPosition {
    return { cuts: this.#cuts, bytes: statSync(this.file).size }
  }

  /** Text between two positions, at most the last `charsMax` of it. */
  textBetween(from: LogPosition, to: LogPosition, charsMax = tailBytesMax): string {
    const start = from.cuts === this.#cuts ? from.bytes : 0
    const end = to.cuts === this.#cuts ? to.bytes : this.position().bytes
    const length = Math.max(0, Math.min(end - start, charsMax))
    return this.#read(end - length, length).toString('utf8')
  }

  /** The last lines between two positions, without line ends. */
  linesBetween(from: LogPosition, to: LogPosition, linesMax: number): string[] {
    const lines = this.textBetween(from, to).split('\n')
    if (lines.at(-1) === '') lines.pop()
    return lines.slice(-linesMax)
  }

  /** For programs whose output passes through the harness. */
  append(chunk: Buffer): void {
    if (!this.#closed) writeSync(this.descriptor, chunk)
  }

  /** Cuts the log to its end when it has grown too long. Lines written in this very moment are lost. */
  keepBounded(): void {
    const { bytes } = this.position()
    if (bytes <= this.#bytesMax) return
    const keptLength = Math.min(keptBytes, Math.floor(this.#bytesMax / 2))
    const kept = this.#read(bytes - keptLength, keptLength)
    ftruncateSync(this.descriptor, 0)
    this.#cuts += 1
    this.note(`log cut: its first ${bytes - kept.length} bytes were dropped`)
    writeSync(this.descriptor, kept.subarray(kept.indexOf('\n') + 1))
  }

  /** By a descriptor of its own: a log can be read after it was closed. */
  #read(from: number, length: number): Buffer {
    const descriptor = openSync(this.file, 'r')
    try {
      const buffer = Buffer.alloc(length)
      return buffer.subarray(0, readSync(descriptor, buffer, 0, length, from))
    } finally {
      closeSync(descriptor)
    }
  }

  close(): void {
    this.#closed = true
    closeSync(this.descriptor)
  }
}

export interface LogPosition {
  cuts: number
  bytes: number
}
