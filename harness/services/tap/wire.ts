/** One direction of a connection: what comes in at one end goes out at the other, as the link's state says. */
import type { Socket } from 'node:net'
import { monotonicMs } from '../../clock.ts'
import type { Marking } from './marks.ts'

export type LinkState =
  | { state: 'open'; markings?: Marking[] }
  | { state: 'cut' }
  | { state: 'silent' }
  | { state: 'slow'; latencyMs: number; bytesPerSecond?: number; sliceBytes?: number }

export interface WireTold {
  state(): LinkState
  /** A piece waits because nothing passes. */
  held(): void
  /** A piece was delayed by so many milliseconds, on purpose. */
  delayed(ms: number): void
}

interface Waiting {
  /** Bytes, or what ends this direction. */
  what: Buffer | (() => void)
  cameAtMs: number
  dueAtMs: number
}

/** More than this is not taken from the sender, who notices, as by any full network. */
const waitingBytesMax = 256 * 1024

export class Wire {
  #from: Socket
  #to: Socket
  #told: WireTold
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #lastDueMs = 0
  #timer: NodeJS.Timeout | null = null
  #isPaused = false

  constructor(from: Socket, to: Socket, told: WireTold) {
    this.#from = from
    this.#to = to
    this.#told = told
    to.on('drain', () => this.#resume())
    from.once('close', () => this.#forget())
  }

  /** Bytes from the sender. Reading stops while the other side does not take what was read. */
  carry(chunk: Buffer): void {
    const state = this.#told.state()
    if (state.state === 'open' && this.#waiting.length === 0) return this.#write(chunk)
    if (state.state === 'silent') this.#told.held()
    for (const piece of sliced(chunk, state)) this.#queue(piece, piece.length)
    this.#pass()
  }

  /** An end or a reset: told to the other side after all that was sent before it. */
  after(end: () => void): void {
    if (this.#told.state().state === 'open' && this.#waiting.length === 0) return end()
    this.#queue(end, 0)
    this.#pass()
  }

  stateChanged(): void {
    // What waited for a silence to end is not slower than what comes now.
    if (this.#told.state().state === 'open') for (const one of this.#waiting) one.dueAtMs = 0
    this.#pass()
  }

  #queue(what: Waiting['what'], bytes: number): void {
    const state = this.#told.state()
    const cameAtMs = monotonicMs()
    if (state.state === 'slow') {
      const sendingMs = state.bytesPerSecond === undefined ? 0 : (1_000 * bytes) / state.bytesPerSecond
      this.#lastDueMs = Math.max(cameAtMs + state.latencyMs, this.#lastDueMs) + sendingMs
    }
    this.#waiting.push({ what, cameAtMs, dueAtMs: state.state === 'slow' ? this.#lastDueMs : 0 })
    this.#waitingBytes += bytes
    if (this.#waitingBytes > waitingBytesMax) this.#pause()
  }

  #pass(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    while (this.#waiting.length > 0 && this.#told.state().state !== 'silent') {
      const { what, cameAtMs, dueAtMs } = this.#waiting[0]!
      const now = monotonicMs()
      if (dueAtMs > now) {
        this.#timer = setTimeout(() => this.#pass(), Math.ceil(dueAtMs - now))
        return
      }
      this.#waiting.shift()
      if (dueAtMs > 0) this.#told.delayed(now - cameAtMs)
      if (typeof what === 'function') what()
      else {
        this.#waitingBytes -= what.length
        this.#write(what)
      }
    }
    this.#resume()
  }

  #write(chunk: Buffer): void {
    if (!this.#to.destroyed && !this.#to.write(chunk)) this.#pause()
  }

  #pause(): void {
    this.#isPaused = true
    this.#from.pause()
  }

  /** Only what it paused itself: a sender that nobody listens to yet is paused too, and would lose its bytes. */
  #resume(): void {
    if (!this.#isPaused || this.#waitingBytes > waitingBytesMax || this.#to.writableNeedDrain) return
    this.#isPaused = false
    this.#from.resume()
  }

  /** Nobody is left to carry for. */
  #forget(): void {
    if (!this.#to.destroyed) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#waiting = []
  }
}

function sliced(chunk: Buffer, state: LinkState): Buffer[] {
  const bytes = state.state === 'slow' ? (state.sliceBytes ?? chunk.length) : chunk.length
  if (bytes >= chunk.length) return [chunk]
  return Array.from({ length: Math.ceil(chunk.length / bytes) }, (_, n) => chunk.subarray(n * bytes, (n + 1) * bytes))
}
