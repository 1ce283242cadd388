/**
 * What the tap counts: requests by method and target, their statuses, those in flight, and when.
 *
 * Totals are kept per method and target, for the most recently seen `recordMax` of them. What came
 * since a mark is told from a ring of the last `eventsMax` observations, so that a mark costs nothing.
 * Where either bound was exceeded the answer says so: a count that may be short is never shown as whole.
 */

/** How a request that was seen came to its end. */
export type Ending =
  | 'complete'
  /** The connection ended before a status. */
  | 'unanswered'
  /** The connection ended within the answer. */
  | 'cut'
  /** The connection became opaque meanwhile. */
  | 'unobserved'

export interface RequestCounts {
  method: string
  /** Path and query, as the origin got it. */
  target: string
  count: number
  /** Final statuses; interim ones are not counted. */
  statuses: Record<string, number>
  unanswered: number
  cut: number
  firstAtMs: number
  lastAtMs: number
}

/** Connections of which not every byte could be followed. */
export interface OpaqueCounts {
  /** By a protocol change the origin agreed to. */
  upgraded: number
  /** By bytes that are not HTTP/1.1. */
  odd: number
}

/** Since a mark, or since the tap's start. Times are CLOCK_MONOTONIC in milliseconds. */
export interface TapTally {
  total: number
  requests: RequestCounts[]
  opaque: OpaqueCounts
  /** Connections the origin did not accept. */
  refused: number
  /** True when counts may be short: more targets or observations than the tap keeps. */
  overflow: boolean
  /** What is missing, when `overflow` is true. */
  because: string
}

/** One method and target. */
export interface Entry extends RequestCounts {
  inFlight: number
}

/** So that one request never pays for many. */
const looksPerEntry = 32

type Observation = 'request' | 'refused' | 'upgraded' | 'odd' | 'unanswered' | 'cut' | number

export class Ledger {
  #entries = new Map<string, Entry>()
  #recordMax: number
  #eventsMax: number
  #nowMs: () => number
  /** The ring: what was seen, of which entry, when. */
  #seen: Observation[] = []
  #of: (Entry | null)[] = []
  #atMs: number[] = []
  /** Observations ever made; also the next mark. */
  #made = 0
  #total = 0
  #forgotten = 0
  #refused = 0
  #opaque: OpaqueCounts = { upgraded: 0, odd: 0 }

  constructor(limits: { recordMax: number; eventsMax: number }, nowMs: () => number) {
    this.#recordMax = limits.recordMax
    this.#eventsMax = limits.eventsMax
    this.#nowMs = nowMs
  }

  request(method: string, target: string): Entry {
    const atMs = this.#nowMs()
    const entry = this.#entryFor(method, target, atMs)
    entry.count += 1
    entry.inFlight += 1
    entry.lastAtMs = atMs
    this.#total += 1
    this.#note('request', entry, atMs)
    return entry
  }

  status(entry: Entry, status: number): void {
    entry.statuses[status] = (entry.statuses[status] ?? 0) + 1
    this.#note(status, entry, this.#nowMs())
  }

  end(entry: Entry, ending: Ending): void {
    entry.inFlight -= 1
    if (ending !== 'unanswered' && ending !== 'cut') return
    entry[ending] += 1
    this.#note(ending, entry, this.#nowMs())
  }

  refuse(): void {
    this.#refused += 1
    this.#note('refused', null, this.#nowMs())
  }

  becomeOpaque(why: keyof OpaqueCounts): void {
    this.#opaque[why] += 1
    this.#note(why, null, this.#nowMs())
  }

  mark(): number {
    return this.#made
  }

  /** Requests not answered to the end yet, of targets that begin with `prefix`. */
  inFlight(prefix: string): number {
    let count = 0
    for (const entry of this.#entries.values()) if (entry.target.startsWith(prefix)) count += entry.inFlight
    return count
  }

  /** All since the tap's start. */
  totals(prefix = ''): TapTally {
    const entries = [...this.#entries.values()].filter(({ target }) => target.startsWith(prefix))
    const requests = entries.map(({ inFlight: _inFlight, ...counts }) => counts)
    const overflow = this.#forgotten > 0
    const because = overflow ? `${this.#forgotten} requests of earlier targets are no longer told apart` : ''
    const total = prefix === '' ? this.#total : sum(requests)
    return { total, requests, opaque: { ...this.#opaque }, refused: this.#refused, overflow, because }
  }

  /** All since a mark, of targets that begin with `prefix`. */
  since(mark: number, prefix = ''): TapTally {
    const oldest = this.#made - this.#seen.length
    const counts = new Map<Entry, RequestCounts>()
    const opaque: OpaqueCounts = { upgraded: 0, odd: 0 }
    let refused = 0
    for (let at = Math.max(mark, oldest); at < this.#made; at += 1) {
      const slot = at % this.#eventsMax
      const seen = this.#seen[slot]!
      const entry = this.#of[slot]!
      if (seen === 'refused') refused += 1
      else if (seen === 'upgraded' || seen === 'odd') opaque[seen] += 1
      else if (entry.target.startsWith(prefix)) addTo(counts, entry, seen, this.#atMs[slot]!)
    }
    const requests = [...counts.values()]
    const shown = requests.slice(0, this.#recordMax)
    const because = this.#shortfall(mark, oldest, requests.length - shown.length)
    return { total: sum(requests), requests: shown, opaque, refused, overflow: because !== '', because }
  }

  #shortfall(mark: number, oldest: number, hidden: number): string {
    if (mark < oldest) return `${oldest - mark} observations since the mark are no longer kept`
    return hidden > 0 ? `${hidden} more targets than are told` : ''
  }

  #note(seen: Observation, entry: Entry | null, atMs: number): void {
    const slot = this.#made % this.#eventsMax
    this.#seen[slot] = seen
    this.#of[slot] = entry
    this.#atMs[slot] = atMs
    this.#made += 1
  }

  /** Kept in the order of their last use, so that those unused for longest are forgotten first. */
  #entryFor(method: string, target: string, atMs: number): Entry {
    const key = `${method} ${target}`
    const known = this.#entries.get(key)
    if (known) this.#entries.delete(key)
    else this.#forgetOldest()
    const entry = known ?? newEntry(method, target, atMs)
    this.#entries.set(key, entry)
    return entry
  }

  /**
   * Those with requests in flight are kept, and are the last to be looked at again; the connections
   * bound their number.
   */
  #forgetOldest(): void {
    let looks = looksPerEntry
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size < this.#recordMax || looks === 0) return
      looks -= 1
      this.#entries.delete(key)
      if (entry.inFlight > 0) this.#entries.set(key, entry)
      else this.#forgotten += entry.count
    }
  }
}

function newEntry(method: string, target: string, atMs: number): Entry {
  return { ...newCounts(method, target, atMs), inFlight: 0 }
}

function newCounts(method: string, target: string, atMs: number): RequestCounts {
  return { method, target, count: 0, statuses: {}, unanswered: 0, cut: 0, firstAtMs: atMs, lastAtMs: atMs }
}

function addTo(
  counts: Map<Entry, RequestCounts>,
  entry: Entry,
  seen: 'request' | 'unanswered' | 'cut' | number,
  atMs: number,
): void {
  const own = counts.get(entry) ?? newCounts(entry.method, entry.target, atMs)
  counts.set(entry, own)
  if (typeof seen === 'number') own.statuses[seen] = (own.statuses[seen] ?? 0) + 1
  else if (seen === 'request') {
    if (own.count === 0) own.firstAtMs = atMs
    own.count += 1
    own.lastAtMs = atMs
  } else own[seen] += 1
}

function sum(requests: RequestCounts[]): number {
  return requests.reduce((total, { count }) => total + count, 0)
}
