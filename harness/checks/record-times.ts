/**
 * A moment for each record, eight bytes each where the records are numbered: a long run has a million
 * of them, and several checks remember their times.
 */
import { numberIn, splitRecordId } from '../record-id.ts'

/** Numbers further than this beyond the last one are kept apart, so that no id can ask for much memory. */
const gapMax = 10_000

export class RecordTimes {
  #series = new Map<string, number[]>()
  /** Ids of another form, and numbers far off. */
  #others = new Map<string, number>()
  /** Records mostly come in runs of one series. */
  #lastSeries = ''
  #lastTimes: number[] = []

  /** Undefined for a record that no time was set for. */
  get(record: string): number | undefined {
    const number = this.#turnTo(record)
    const time = number === 0 ? undefined : this.#lastTimes[number - 1]
    return time === undefined || Number.isNaN(time) ? this.#others.get(record) : time
  }

  set(record: string, atMs: number): void {
    const number = this.#turnTo(record)
    const times = this.#lastTimes
    if (number === 0 || number > times.length + gapMax) {
      this.#others.set(record, atMs)
      return
    }
    if (times.length === 0) this.#series.set(this.#lastSeries, times)
    while (times.length < number - 1) times.push(Number.NaN)
    times[number - 1] = atMs
  }

  /** How many records have a time up to `untilMs`, and which of those are not among `present`. */
  upTo(untilMs: number, present: readonly string[]): { count: number; absent: [record: string, atMs: number][] } {
    const found = { count: 0, absent: [] as [string, number][] }
    for (const [series, times] of this.#series) {
      const seen = new Uint8Array(times.length + 1)
      for (const record of present) {
        const number = numberIn(series, record)
        if (number <= times.length) seen[number] = 1
      }
      times.forEach((atMs, index) => {
        if (!(atMs <= untilMs)) return
        found.count += 1
        if (seen[index + 1] === 0) found.absent.push([`${series}${index + 1}`, atMs])
      })
    }
    this.#othersUpTo(untilMs, present, found)
    return found
  }

  #othersUpTo(untilMs: number, present: readonly string[], found: ReturnType<RecordTimes['upTo']>): void {
    if (this.#others.size === 0) return
    const seen = new Set(present)
    for (const [record, atMs] of this.#others) {
      if (atMs > untilMs) continue
      found.count += 1
      if (!seen.has(record)) found.absent.push([record, atMs])
    }
  }

  /** Forgets a series. */
  drop(series: string): void {
    this.#series.delete(series)
    if (this.#lastSeries === series) this.#lastSeries = ''
    for (const record of this.#others.keys()) if (splitRecordId(record).series === series) this.#others.delete(record)
  }

  /** Makes the record's series the last one; returns its number in it, 0 for an id of another form. */
  #turnTo(record: string): number {
    const known = this.#lastSeries === '' ? 0 : numberIn(this.#lastSeries, record)
    if (known > 0) return known
    const { series, number } = splitRecordId(record)
    if (number > 0) {
      this.#lastSeries = series
      this.#lastTimes = this.#series.get(series) ?? []
    }
    return number
  }
}

/** Remembers the moment of a record of this stream. */
export function keepTime(byStream: Map<string, RecordTimes>, stream: string, record: string, atMs: number): void {
  const times = byStream.get(stream) ?? new RecordTimes()
  byStream.set(stream, times)
  times.set(record, atMs)
}
