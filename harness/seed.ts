/**
 * Randomness drawn per (seed, scenario, actor, operation): removing one actor shifts no other.
 * A seed fixes the schedule, never the interleaving of real processes.
 */
import { createHash } from 'node:crypto'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

export interface Random {
  /** A whole number in [0, below). */
  int(below: number): number
  /** `length` bytes. */
  bytes(length: number): Buffer
  /** `length` printable ASCII characters without space, quote or backslash. */
  text(length: number): string
}

export function randomFor(seed: number, ...names: (string | number)[]): Random {
  const digest = createHash('sha256').update(`${seed}/${names.join('/')}`).digest()
  const generator = xoroshiro128plus(digest.readInt32LE(0))
  const next = () => generator.next() >>> 0
  return {
    int: (below) => next() % below,
    bytes: (length) => fill(length, next),
    text: (length) => fill(length, next, alphabet).toString('latin1'),
  }
}

const alphabet = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_')

function fill(length: number, next: () => number, letters?: Buffer): Buffer {
  const buffer = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i += 1) {
    const byte = next() & 0xff
    buffer[i] = letters ? letters[byte & 63]! : byte
  }
  return buffer
}
