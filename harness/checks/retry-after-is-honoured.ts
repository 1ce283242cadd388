/** A client that is told when to come again (RFC 9110, 10.2.3) does not come before. */
import { limitsOf, type Check } from '../check.ts'
import { plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { keepCells, newCells, notStruck, placeOf, struckCells, type Cells } from './client-cells.ts'

interface State extends Cells {
  limits: { toleranceMs: number }
}

export const retryAfterIsHonouredCheck: Check<State, { toleranceMs?: number }> = {
  id: 'retry-after-is-honoured',
  title: 'Retry-After is waited for',
  hangsOnTime: true,
  init: (limits) => ({ ...newCells(), limits: limitsOf({ toleranceMs: 50 }, limits) }),
  step: keepCells,
  finish(state) {
    const due = struckCells(state).filter(({ waitedMsMin }) => waitedMsMin !== null)
    const early = due.filter(({ cell, waitedMsMin }) => waitedMsMin! < cell.retryAfterMs! - state.limits.toleranceMs)
    const waitedMs = Math.round(Math.min(...due.map(({ waitedMsMin }) => waitedMsMin!)))
    if (early.length > 0) {
      const { fault, mode, when } = early[0]!.cell
      const lines = early.map(({ cell, waitedMsMin }) => `${placeOf(cell)}: came again after ${Math.round(waitedMsMin!)} ms, was told ${cell.retryAfterMs} ms`)
      const figures = { value: waitedMs, unit: 'ms', limit: early[0]!.cell.retryAfterMs!, limitIs: 'at-least' as const }
      return fail(due.length, `${state.client} came again before its Retry-After for ${early.length} of ${plural(due.length, 'reader')}.`, lines, `retry-after-is-honoured/early-on-${when}/${mode}/${fault}/client`, figures)
    }
    const missing = notStruck(state).filter((line) => line.includes('429') || line.includes('retry-after'))
    if (missing.length > 0) return unknown('Not every fault struck.', missing, due.length)
    if (due.length === 0) return pass(0, '')
    const figures = { value: waitedMs, unit: 'ms', limit: Math.max(...due.map(({ cell }) => cell.retryAfterMs!)), limitIs: 'at-least' as const }
    return pass(due.length, `${plural(due.length, 'reader')} of ${state.client} waited for their Retry-After, the earliest ${waitedMs} ms.`, figures)
  },
}
