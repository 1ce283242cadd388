/**
 * What a reader of the history knows of one stream: its kind and its life. Shared by checks; each
 * keeps a ledger of its own, so that checks stay independent. It is bounded by the streams that live
 * and the last thousand that were deleted.
 */
import type { HistoryEvent, Outcome, Retired } from '../history.ts'
import { downOf, type Down } from './downs.ts'

export interface StreamEntry {
  name: string
  kind: string
  contentType: string
  incarnation: number
  inherits: string[]
  createdAtMs: number
  closedAtMs: number | null
  /** Set between a delete that was sent and the next create: readers may see either. */
  deletedAtMs: number | null
  /** A close or delete without answer: the stream may be in either state. */
  uncertain: boolean
  ttlSeconds: number | null
  expiresAt: string | null
}

export interface Ledger {
  streams: Map<string, StreamEntry>
  /** How many were made, whether still known or not. */
  made: number
  /** Names of deleted streams, in the order in which they went. */
  retired: Set<string>
  /** The last thing done to the origin. For fingerprints. */
  lastFault: Down | 'none'
}

export function newLedger(): Ledger {
  return { streams: new Map(), made: 0, retired: new Set(), lastFault: 'none' }
}

/** A deleted stream must stay gone, so it is remembered for a while: until so many others went after it. */
const retiredMax = 1_000

/**
 * Brings the ledger up to date with one event. Returns the entry that is no longer known: of a stream
 * that was made anew, or that was deleted long ago.
 */
export function keepLedger(ledger: Ledger, event: HistoryEvent): StreamEntry | undefined {
  ledger.lastFault = downOf(event) ?? ledger.lastFault
  if (event.kind === 'retired') return forget(ledger, event)
  if (event.kind === 'info' && (event.op === 'close' || event.op === 'delete' || event.op === 'create')) {
    const entry = ledger.streams.get(event.stream)
    if (entry) entry.uncertain = true
  }
  return event.kind === 'ok' ? keepOutcome(ledger, event) : undefined
}

function keepOutcome(ledger: Ledger, event: Outcome & { atMs: number }): StreamEntry | undefined {
  if (event.op === 'create') return createEntry(ledger, event)
  if (event.op !== 'close' && event.op !== 'delete') return undefined
  const entry = ledger.streams.get(event.stream)
  if (!entry) return undefined
  if (event.op === 'close') entry.closedAtMs = event.atMs
  if (event.op === 'delete') entry.deletedAtMs = event.atMs
  return event.op === 'delete' ? retire(ledger, entry) : undefined
}

/** Nobody asks for it again, whatever became of it. */
function forget(ledger: Ledger, { stream, incarnation }: Retired): StreamEntry | undefined {
  const entry = ledger.streams.get(stream)
  if (entry?.incarnation !== incarnation) return undefined
  ledger.streams.delete(stream)
  ledger.retired.delete(stream)
  return entry
}

/** Returns the entry of the stream that is forgotten instead, once there are too many. */
function retire(ledger: Ledger, entry: StreamEntry): StreamEntry | undefined {
  ledger.retired.add(entry.name)
  if (ledger.retired.size <= retiredMax) return undefined
  const [oldest] = ledger.retired
  const forgotten = ledger.streams.get(oldest!)
  ledger.retired.delete(oldest!)
  ledger.streams.delete(oldest!)
  return forgotten
}

function createEntry(ledger: Ledger, event: Outcome & { atMs: number }): StreamEntry | undefined {
  const request = event.create!
  const before = ledger.streams.get(event.stream)
  if (!before) ledger.made += 1
  ledger.retired.delete(event.stream)
  ledger.streams.set(event.stream, {
    name: event.stream,
    kind: request.streamKind,
    contentType: request.contentType,
    incarnation: event.incarnation,
    inherits: request.inherits ?? [],
    createdAtMs: event.atMs,
    closedAtMs: request.closed ? event.atMs : null,
    deletedAtMs: null,
    uncertain: false,
    ttlSeconds: request.ttlSeconds ?? null,
    expiresAt: request.expiresAt ?? null,
  })
  return before
}

/** How much older than its request a read's answer may be, by the way it took. */
export function staleAllowanceMs(via: Outcome['via'], staleMs: number): number {
  return via === 'edge' || via === 'tls' ? staleMs : 0
}

/** '+1,234 ms' since the given start, for evidence lines. */
export function since(startMs: number, atMs: number): string {
  return `+${Math.round(atMs - startMs).toLocaleString('en-US')} ms`
}
