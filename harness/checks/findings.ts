/**
 * What a check found wrong: how many different things, and the first few of them in words. Its memory
 * is bounded, however broken the subject is.
 */
import { number } from '../report/figures.ts'
import { evidenceMax } from '../verdict.ts'

/** Beyond this many the count stands still; the verdict is the same. */
export const findingsMax = 100_000

export class Findings {
  #keys = new Set<string>()
  /** The first ones, as lines for the report. */
  readonly evidence: string[] = []
  /**
   * Of the one nearest to the origin, which the hops behind it only pass on; among these after the mildest fault,
   * since what a stop loses a kill does, too; among these the first in the alphabet. Readers run side by side,
   * and the same failure is to have the same fingerprint in every run. Null where the check makes it from Traits.
   */
  fingerprint: string | null = null

  /**
   * Notes a finding once by its key; `fingerprint` is null where the check makes one from what all of them have in
   * common. It is only put into words while there is room for them.
   */
  note(key: string, fingerprint: string | null, describe: () => string): void {
    // Also of one that is known already: it may have been seen behind the cache first.
    if (fingerprint !== null && (this.fingerprint === null || before(fingerprint, this.fingerprint))) this.fingerprint = fingerprint
    if (this.#keys.has(key) || this.#keys.size >= findingsMax) return
    this.#keys.add(key)
    if (this.evidence.length < evidenceMax) this.evidence.push(describe())
  }

  get count(): number {
    return this.#keys.size
  }

  /** The count in words: '12', or 'at least 100,000'. */
  get counted(): string {
    return `${this.count < findingsMax ? '' : 'at least '}${number(this.count)}`
  }
}

/** The ways, the nearest to the origin first: what is wrong there is seen behind it too. */
export const nearestFirst: readonly string[] = ['origin', 'direct', 'edge', 'tls']

/** What was done to the origin last, the mildest first. */
const mildestFirst: readonly string[] = ['none', 'stop', 'kill', 'crash', 'power-cut']

function before(one: string, other: string): boolean {
  const [a, b] = [one.split('/'), other.split('/')]
  const byHop = placeIn(nearestFirst, a.at(-1)) - placeIn(nearestFirst, b.at(-1))
  const byFault = placeIn(mildestFirst, a.at(-2)) - placeIn(mildestFirst, b.at(-2))
  return (byHop || byFault || (one < other ? -1 : 1)) < 0
}

/** Behind all others where it is none of them. */
function placeIn(order: readonly string[], name = ''): number {
  return (order.indexOf(name) + 1) || order.length + 1
}
