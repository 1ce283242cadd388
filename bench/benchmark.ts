/** What a file `bench/*.bench.ts` gives as its default export, and what comes out of it. */

export interface BenchOptions {
  /** Each subject is measured so often, in turns. */
  rounds: number
  readers: number
  /** Of a history that is judged. */
  operations: number
  /** The benchmarks that were asked for. */
  ids: ReadonlySet<string>
  /** A line of progress, or the reason why something was not measured. */
  say(line: string): void
}

export interface Measurement {
  id: string
  subject: string
  /** The median of the rounds. */
  value: number
  min: number
  max: number
  unit: string
  rounds: number
  /** The floor's median, and the value's ratio to it, where there is a floor. */
  floor: number | null
  ratio: number | null
}

export interface BenchGroup {
  /** Every benchmark of the group, and the goal it is held against, in words. */
  benchmarks: Record<string, string>
  run(options: BenchOptions): Promise<Measurement[]>
}

export interface Samples {
  id: string
  subject: string
  unit: string
  values: number[]
}

/** Medians of the samples, held against those of the floor's samples of the same benchmark. */
export function measure(all: readonly Samples[], floorSubject?: string): Measurement[] {
  return all
    .filter(({ values }) => values.length > 0)
    .map(({ id, subject, unit, values }) => {
      const floorSamples = all.find((one) => one.id === id && one.subject === floorSubject)
      const floor = floorSamples?.values.length ? medianOf(floorSamples.values) : null
      const value = medianOf(values)
      const ratio = floor ? value / floor : null
      const [min, max] = [Math.min(...values), Math.max(...values)]
      return { id, subject, value, min, max, unit, rounds: values.length, floor, ratio }
    })
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
