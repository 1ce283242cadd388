/** Headers that the tap puts onto the origin's answers, as something between the two might do. */

export interface Marking {
  /** The last segment of the path, as it stands on the request line. */
  segment: string
  name: string
  value: string
  /** Only the first of them; all without it. */
  times?: number
}

export class Marks {
  #markings: { marking: Marking; left: number }[] = []
  #marked = 0

  /** Answers marked since its start. */
  get marked(): number {
    return this.#marked
  }

  set(markings: readonly Marking[]): void {
    this.#markings = markings.map((marking) => ({ marking, left: marking.times ?? Infinity }))
  }

  /** The header lines for an answer to this request, without line ends. */
  linesFor(method: string, target: string): string[] {
    if (method !== 'GET' || this.#markings.length === 0) return []
    const segment = target.split('?')[0]!.split('/').at(-1)
    const fitting = this.#markings.filter((one) => one.marking.segment === segment && one.left > 0)
    for (const one of fitting) one.left -= 1
    if (fitting.length > 0) this.#marked += 1
    return fitting.map(({ marking: { name, value } }) => `${name}: ${value}`)
  }
}
