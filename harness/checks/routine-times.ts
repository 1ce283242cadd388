/** When hops were down and routines went on, for checks that judge what clients saw meanwhile. */
import type { HistoryEvent, HopId, Via } from '../history.ts'

export interface Routine {
  what: string
  hop: HopId
  fromMs: number
  /** Null while it goes on. */
  toMs: number | null
  isDown: boolean
}

const hopsOf: Partial<Record<Via, HopId[]>> = { origin: ['origin'], direct: ['origin'], edge: ['origin', 'edge'] }

/** Whether a request by this way passes the hop. */
export function passes(via: Via, hop: HopId): boolean {
  return (hopsOf[via] ?? ['origin', 'edge', 'tls']).includes(hop)
}

/** Notes a hop's stop, start, kill or crash, and the beginning and end of a routine. */
export function keepRoutine(routines: Routine[], event: HistoryEvent): void {
  if (event.kind === 'fault' && event.hop !== undefined) {
    if (event.phase === 'injected') routines.push({ what: event.fault, hop: event.hop, fromMs: event.atMs, toMs: null, isDown: false })
    else close(routines, event.hop, event.atMs, false)
  }
  if (event.kind !== 'lifecycle' || event.what === 'refused' || event.what === 'not-ready') return
  if (event.what === 'started') return close(routines, event.hop, event.atMs, true)
  const isOpen = routines.some((routine) => routine.isDown && routine.hop === event.hop && routine.toMs === null)
  if (!isOpen) routines.push({ what: event.what, hop: event.hop, fromMs: event.atMs - (event.what === 'stopping' ? 0 : (event.tookMs ?? 0)), toMs: null, isDown: true })
}

function close(routines: Routine[], hop: HopId, atMs: number, isDown: boolean): void {
  const open = routines.findLast((routine) => routine.hop === hop && routine.isDown === isDown && routine.toMs === null)
  if (open) open.toMs = atMs
}

/** What goes on at this moment on this way; 'none' where nothing does. */
export function goingOn(routines: readonly Routine[], via: Via): string {
  return routines.find((routine) => routine.toMs === null && passes(via, routine.hop))?.what ?? 'none'
}

/** Whether a hop on this way is down or in the middle of a routine; then nothing is asked of time. */
export function goesOn(routines: readonly Routine[], via: Via): boolean {
  return goingOn(routines, via) !== 'none'
}

/** When the last routine on this way ended; -Infinity where there was none. */
export function healedAtMs(routines: readonly Routine[], via: Via): number {
  return routines.reduce((last, { hop, toMs }) => (toMs !== null && passes(via, hop) ? Math.max(last, toMs) : last), -Infinity)
}
