/**
 * What a reader of the history knows of one stream: its kind, its life, what was acknowledged.
 * Shared by checks; each keeps a ledger of its own, so that checks stay independent.
 */
import type { HistoryEvent, Outcome } from '../history.ts'

export interface Acknowledged {
  record: string
  invokedAtMs: number
  ackAtMs: number
}

export interface StreamEntry {
  name: string
  kind: string
  contentType: string
  incarnation: number
  acknowledged: Acknowledged[]
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
  /** The last thing done to the origin: 'none', 'stop', 'kill', 'crash'. For fingerprints. */
  lastFault: string
  lastFaultAtMs: number
  kills: number
}

export function newLedger(): Ledger {
  return { streams: new Map(), lastFault: 'none', lastFaultAtMs: 0, kills: 0 }
}

/** Brings the ledger up to date with one event. */
export function keepLedger(ledger: Ledger, event: HistoryEvent): void {
  if (event.kind === 'lifecycle') keepFault(ledger, event)
  if (event.kind === 'info' && (event.op === 'close' || event.op === 'delete' || event.op === 'create')) {
    const entry = ledger.streams.get(event.stream)
    if (entry) entry.uncertain = true
  }
  if (event.kind === 'ok') keepOutcome(ledger, event)
}

function keepFault(ledger: Ledger, event: Extract<HistoryEvent, { kind: 'lifecycle' }>): void {
  const faults: Record<string, string> = { stopped: 'stop', killed: 'kill', crashed: 'crash' }
  const fault = faults[event.what]
  if (event.hop !== 'origin' || fault === undefined) return
  ledger.lastFault = fault
  ledger.lastFaultAtMs = event.atMs
  if (fault === 'kill') ledger.kills += 1
}

function keepOutcome(ledger: Ledger, event: Outcome & { atMs: number }): void {
  if (event.op === 'create') createEntry(ledger, event)
  const entry = ledger.streams.get(event.stream)
  if (!entry) return
  if (event.append) {
    entry.acknowledged.push({ record: event.append.record, invokedAtMs: event.invokedAtMs, ackAtMs: event.atMs })
  }
  if (event.op === 'close') entry.closedAtMs = event.atMs
  if (event.op === 'delete') entry.deletedAtMs = event.atMs
}

function createEntry(ledger: Ledger, event: Outcome & { atMs: number }): void {
  const request = event.create!
  ledger.streams.set(event.stream, {
    name: event.stream,
    kind: request.streamKind,
    contentType: request.contentType,
    incarnation: event.incarnation,
    acknowledged: [],
    inherits: request.inherits ?? [],
    createdAtMs: event.atMs,
    closedAtMs: request.closed ? event.atMs : null,
    deletedAtMs: null,
    uncertain: false,
    ttlSeconds: request.ttlSeconds ?? null,
    expiresAt: request.expiresAt ?? null,
  })
}

/** How much older than its request a read's answer may be, by the way it took. */
export function staleAllowanceMs(via: Outcome['via'], staleMs: number): number {
  return via === 'edge' || via === 'tls' ? staleMs : 0
}

/** '+1,234 ms' since the given start, for evidence lines. */
export function since(startMs: number, atMs: number): string {
  return `+${Math.round(atMs - startMs).toLocaleString('en-US')} ms`
}
