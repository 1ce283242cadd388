/**
 * What all findings of a check have in common, for a fingerprint that is the same in every run
 * whichever finding happens to come first: a trait in which they differ is 'any'.
 */
import { nearestFirst } from './findings.ts'

export class Traits<Name extends string> {
  #values = new Map<Name, string>()

  note(traits: Record<Name, string>): void {
    for (const [name, value] of Object.entries(traits) as [Name, string][]) {
      const known = this.#values.get(name)
      this.#values.set(name, known === undefined || known === value ? value : 'any')
    }
  }

  of(name: Name): string {
    return this.#values.get(name) ?? 'any'
  }
}

/**
 * Traits of findings that were made by several ways: those of the way nearest to the origin count, since what is
 * wrong there is seen behind it, too.
 */
export class TraitsByWay<Name extends string> {
  #byWay = new Map<string, Traits<Name>>()

  note(way: string, traits: Record<Name, string>): void {
    const known = this.#byWay.get(way) ?? new Traits<Name>()
    known.note(traits)
    this.#byWay.set(way, known)
  }

  get way(): string {
    return nearestFirst.find((way) => this.#byWay.has(way)) ?? 'any'
  }

  of(name: Name): string {
    return this.#byWay.get(this.way)?.of(name) ?? 'any'
  }
}
