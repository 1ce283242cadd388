/** Values that many readers share are kept once; a reader keeps an index. */

/** The index of a reader that has no value. */
export const noValue = 0xffff_ffff

/** Strings by index, in the order in which they were first seen. */
export class DistinctValues {
  readonly values: string[] = []
  readonly #indexes = new Map<string, number>()

  indexOf(value: string): number {
    const known = this.#indexes.get(value)
    if (known !== undefined) return known
    this.values.push(value)
    this.#indexes.set(value, this.values.length - 1)
    return this.values.length - 1
  }
}

/** The same for bytes on the wire: a value equal to the one before costs no string. */
export class DistinctBytes {
  readonly distinct = new DistinctValues()
  #last: Uint8Array = new Uint8Array(0)
  #lastIndex = noValue

  indexOf(bytes: Buffer, start: number, end: number): number {
    if (this.#lastIndex !== noValue && sameBytes(this.#last, bytes, start, end)) {
      return this.#lastIndex
    }
    this.#last = Uint8Array.prototype.slice.call(bytes, start, end)
    this.#lastIndex = this.distinct.indexOf(bytes.toString('latin1', start, end))
    return this.#lastIndex
  }
}

function sameBytes(value: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  if (value.length !== end - start) return false
  for (let i = 0; i < value.length; i++) if (value[i] !== bytes[start + i]) return false
  return true
}
