/**
 * What became of each reader of a client library that met a fault. Shared by the checks of clients;
 * each keeps its own, bounded by the readers there were.
 */
import type { ClientCell, ClientRequest, ClientSaw, HistoryEvent } from '../history.ts'
import { unknown, type Verdict } from '../verdict.ts'

export interface CellSeen {
  cell: ClientCell
  /** How often the fault struck; null until the cell has ended. */
  struck: number | null
  /** Infinity until then. */
  endedAtMs: number
  requests: number
  lastRequestAtMs: number
  /** When the fault struck it first. */
  struckAtMs: number | null
  /** The most that arrived of it within one second. */
  perSecondMax: number
  /** An answer with Retry-After, until the next request. */
  toldToWaitAtMs: number | null
  /** Between an answer with Retry-After and the next request, at least. */
  waitedMsMin: number | null
  onErrors: { atMs: number; returned: 'stop' | 'retry' }[]
  /** Sessions that ended by an error, and whether the handler had been asked before. */
  ended: { error: string; handlerWasAsked: boolean }[]
  /** Handler calls since the session began. */
  asked: number
  isOver: boolean
  /** The server told it an offset before the one it had asked for: what it reads twice then is not its client's doing. */
  wentBack: boolean
  records: string[]
  damaged: number
}

export interface Cells {
  client: string
  cells: Map<string, CellSeen>
  /** Arrivals of the last second, by cell. */
  recent: Map<string, number[]>
}

/** More of anything is not kept of one reader: what is told of it does not change any more. */
const keptMax = 2_000
const secondMs = 1_000

export function newCells(): Cells {
  return { client: '', cells: new Map(), recent: new Map() }
}

export function keepCells(state: Cells, event: HistoryEvent): void {
  if (event.kind === 'client-cell') keepCell(state, event)
  const seen = 'cell' in event ? state.cells.get(event.cell as string) : undefined
  // What proxy and client saw before the end may be told after it, on a busy machine.
  if (seen === undefined || event.atMs > seen.endedAtMs) return
  if (event.kind === 'client-request') keepRequest(state, seen, event)
  if (event.kind === 'client-saw') keepSight(seen, event)
}

function keepCell(state: Cells, event: ClientCell & { atMs: number }): void {
  state.client = event.client
  if (event.phase === 'end') {
    state.recent.delete(event.cell)
    Object.assign(state.cells.get(event.cell)!, { struck: event.struck ?? 0, endedAtMs: event.atMs })
    return
  }
  state.cells.set(event.cell, {
    cell: event,
    struck: null,
    endedAtMs: Infinity,
    requests: 0,
    lastRequestAtMs: -Infinity,
    struckAtMs: null,
    perSecondMax: 0,
    toldToWaitAtMs: null,
    waitedMsMin: null,
    onErrors: [],
    ended: [],
    asked: 0,
    isOver: false,
    wentBack: false,
    records: [],
    damaged: 0,
  })
}

function keepRequest(state: Cells, seen: CellSeen, event: ClientRequest & { atMs: number }): void {
  const { atMs, what, injectedStatus } = event
  if (what === 'offset-went-back') return void (seen.wentBack = true)
  if (what !== 'request' || injectedStatus !== undefined) seen.struckAtMs ??= atMs
  if (what === 'cut' || what === 'no-upstream') return
  seen.requests += 1
  seen.lastRequestAtMs = Math.max(seen.lastRequestAtMs, atMs)
  const recent = (state.recent.get(seen.cell.cell) ?? []).filter((earlier) => earlier > atMs - secondMs)
  if (recent.length < keptMax) recent.push(atMs)
  state.recent.set(seen.cell.cell, recent)
  seen.perSecondMax = Math.max(seen.perSecondMax, recent.length)
  if (seen.toldToWaitAtMs !== null) {
    seen.waitedMsMin = Math.min(seen.waitedMsMin ?? Infinity, atMs - seen.toldToWaitAtMs)
    seen.toldToWaitAtMs = null
  }
  if (injectedStatus !== undefined && seen.cell.retryAfterMs !== undefined) seen.toldToWaitAtMs = atMs
}

function keepSight(seen: CellSeen, event: ClientSaw & { atMs: number }): void {
  if (event.what === 'batch') {
    if (seen.records.length < keptMax) seen.records.push(...event.records!)
    seen.damaged += event.damaged ?? 0
  }
  if (event.what === 'on-error') {
    seen.asked += 1
    if (seen.onErrors.length < keptMax) seen.onErrors.push({ atMs: event.atMs, returned: event.returned! })
  }
  if (event.what === 'ended') {
    if (event.error !== undefined && seen.ended.length < keptMax) seen.ended.push({ error: event.error, handlerWasAsked: seen.asked > 0 })
    seen.isOver = true
    seen.asked = 0
  }
  if (event.what === 'resumed') seen.isOver = false
}

/**
 * The cells that count: whose fault is proven to have struck. In one order, whichever was first on the day:
 * the same failures are to have the same fingerprint in every run.
 */
export function struckCells({ cells }: Cells): CellSeen[] {
  const struck = [...cells.values()].filter((seen) => seen.struck !== null && seen.struck > 0)
  return struck.toSorted((one, other) => (placeOf(one.cell) < placeOf(other.cell) ? -1 : 1))
}

/** Why something is not known, where a fault was asked for and never struck; empty where all did. */
export function notStruck({ cells }: Cells): string[] {
  return [...cells.values()].filter(({ struck }) => struck === 0).map(({ cell }) => `${placeOf(cell)}: the fault never struck`)
}

/** A verdict where a fault was asked for and never struck; null where all did. */
export function openOf(state: Cells, examined: number): Verdict | null {
  const open = notStruck(state)
  return open.length === 0 ? null : unknown('Not every fault struck.', open, examined)
}

/** One line for each fault first, so that a few lines show what all there is. */
export function spread(cells: readonly CellSeen[]): CellSeen[] {
  const firsts = cells.filter((one, index) => cells.findIndex(({ cell }) => cell.fault === one.cell.fault && cell.when === one.cell.when) === index)
  return [...firsts, ...cells.filter((one) => !firsts.includes(one))]
}

/** 'unauthorized-401 on a reconnect, sse' */
export function placeOf({ fault, when, mode, contentType }: ClientCell): string {
  return `${fault} ${when === 'first' ? 'at the first request' : 'on a reconnect'}, ${mode}, ${contentType}`
}

/** Where failures lie: '12 of 14 on a reconnect (sse, auto)'. */
export function whereOf(failed: readonly CellSeen[]): string {
  const parts = (['first', 'reconnect'] as const).flatMap((when) => {
    const those = failed.filter(({ cell }) => cell.when === when)
    if (those.length === 0) return []
    const modes = [...new Set(those.map(({ cell }) => cell.mode))].toSorted()
    return [`${those.length} ${when === 'first' ? 'at the first request' : 'on a reconnect'} (${modes.join(', ')})`]
  })
  return parts.join(', ')
}
