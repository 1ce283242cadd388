/**
 * What one path was at each moment, from the writes as the origin answered them. The origin handled
 * a write somewhere between its sending and its answer, so each version of the path begins within an
 * interval. Writes of one path never overlap; that is how schedules are played.
 */
import type { Outcome, Via } from '../../history.ts'

/** What a schedule's writers and the clock do to a path. */
export const happenings = ['create', 'append', 'close', 'delete', 're-create', 'fork', 'expire'] as const
export type Happening = (typeof happenings)[number]

export interface Version {
  /** What made it; 'nothing' for the path before its first creation. */
  by: Happening | 'nothing'
  exists: boolean
  /** Counts creations of the path. */
  incarnation: number
  records: readonly string[]
  /** The offset behind each record, the first one before any; undefined where the origin never told it. */
  offsets: readonly (string | undefined)[]
  closed: boolean
  /** It cannot have begun before. */
  earliestMs: number
  /** It had begun by then. */
  latestMs: number
  /** Whether the cache saw what made it. */
  throughEdge: boolean
}

export interface StreamModel {
  versions: readonly Version[]
  /** From here on nothing is known: a write got no answer. Infinity where all were answered. */
  knownUntilMs: number
}

type Write = Outcome & { atMs: number }

const absent: Omit<Version, 'by' | 'incarnation' | 'earliestMs' | 'latestMs' | 'throughEdge'> = {
  exists: false,
  records: [],
  offsets: [],
  closed: false,
}

/** `expiryMs`: how long after its Expires-At the origin may still answer for a stream. */
export function modelOf(writes: readonly Write[], expiryMs: number): StreamModel {
  const versions: Version[] = [{ ...absent, by: 'nothing', incarnation: 0, earliestMs: -Infinity, latestMs: -Infinity, throughEdge: true }]
  let expiresAtMs = Infinity
  for (const write of writes.toSorted((a, b) => a.invokedAtMs - b.invokedAtMs)) {
    if (write.invokedAtMs > expiresAtMs) {
      versions.push(expired(versions.at(-1)!, expiresAtMs, expiryMs))
      expiresAtMs = Infinity
    }
    if (write.kind === 'info') return { versions, knownUntilMs: write.invokedAtMs }
    const next = write.kind === 'ok' ? after(versions.at(-1)!, write) : null
    if (next === null) continue
    // Before its creation is acknowledged, a stream with content may be seen without.
    if (write.op === 'create' && next.records.length > 0) versions.push({ ...next, records: [], offsets: [undefined], closed: false })
    versions.push(next)
    if (write.op === 'create') expiresAtMs = write.create?.expiresAtMs ?? Infinity
    if (write.op === 'delete') expiresAtMs = Infinity
  }
  if (expiresAtMs < Infinity) versions.push(expired(versions.at(-1)!, expiresAtMs, expiryMs))
  return { versions, knownUntilMs: Infinity }
}

function expired(before: Version, atMs: number, expiryMs: number): Version {
  return { ...absent, by: 'expire', incarnation: before.incarnation, earliestMs: atMs, latestMs: atMs + expiryMs, throughEdge: false }
}

export function passesEdge(via: Via): boolean {
  return via === 'edge' || via === 'tls'
}

/** The version that a write made; null where it changed nothing. */
function after(before: Version, write: Write): Version | null {
  const when = { earliestMs: write.invokedAtMs, latestMs: write.atMs, throughEdge: passesEdge(write.via) }
  const nextOffset = write.headers?.['stream-next-offset']
  switch (write.op) {
    case 'create':
      return write.status === 201 ? { ...created(before, write, nextOffset), ...when } : null
    case 'append':
      return { ...before, ...when, by: 'append', records: [...before.records, write.append!.record], offsets: [...before.offsets, nextOffset] }
    case 'close':
      return before.closed ? null : { ...before, ...when, by: 'close', closed: true }
    case 'delete':
      return { ...absent, ...when, by: 'delete', incarnation: before.incarnation }
    default:
      return null
  }
}

function created(before: Version, write: Write, nextOffset: string | undefined) {
  const { inherits = [], inheritedOffsets, closed = false } = write.create!
  const own = write.append ? [write.append.record] : []
  const known = inheritedOffsets ?? (own.length > 0 ? [undefined] : [nextOffset])
  const by: Happening = inheritedOffsets ? 'fork' : before.incarnation > 0 ? 're-create' : 'create'
  return {
    by,
    exists: true,
    incarnation: before.incarnation + 1,
    records: [...inherits, ...own],
    offsets: own.length > 0 ? [...known, nextOffset] : known,
    closed,
  }
}

/**
 * The versions that an answer to a request sent at `fromMs` and answered at `untilMs` may tell of: from
 * the first to the last index. `staleMs` is how long a write that the cache did not see may stay unknown
 * to the reader; 0 for a reader at the origin.
 */
export function mayTellOf({ versions }: StreamModel, fromMs: number, untilMs: number, staleMs: number): { first: number; last: number } {
  let [first, last] = [0, 0]
  versions.forEach((version, index) => {
    if (surelyKnownMs(version, staleMs) < fromMs) first = index
    if (version.earliestMs <= untilMs) last = index
  })
  return { first, last: Math.max(first, last) }
}

/** From when on each reader is to know of a version. */
export function surelyKnownMs({ latestMs, throughEdge }: Version, staleMs: number): number {
  return latestMs + (throughEdge ? 0 : staleMs)
}
