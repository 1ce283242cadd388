/** A reader goes on by itself when what it met has passed: its session does not end by a fault that heals. */
import type { Check } from '../check.ts'
import { plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { keepCells, newCells, openOf, placeOf, spread, struckCells, whereOf, type Cells, type CellSeen } from './client-cells.ts'

export const transientsAreOutlastedCheck: Check<Cells, object> = {
  id: 'transients-are-outlasted',
  title: 'Faults that heal end no session',
  hangsOnTime: true,
  init: newCells,
  step: keepCells,
  finish(state) {
    const due = struckCells(state).filter(({ cell }) => cell.expects === 'retry')
    const failed = due.filter(({ ended }) => ended.length > 0)
    const figures = { value: failed.length, unit: 'readers', limit: 0 }
    if (failed.length > 0) {
      const { fault, when, mode } = failed[0]!.cell
      const because = `${state.client} ended the sessions of ${failed.length} of ${plural(due.length, 'reader')} by faults that had healed a moment later: ${whereOf(failed)}.`
      return fail(due.length, because, spread(failed).map(lineOf), `transients-are-outlasted/ended-on-${when}/${mode}/${fault}/client`, figures)
    }
    const open = openOf(state, due.length)
    if (open) return open
    return pass(due.length, `The sessions of all ${plural(due.length, 'reader')} of ${state.client} outlasted what healed.`, figures)
  },
}

function lineOf({ cell, ended }: CellSeen): string {
  return `${placeOf(cell)}: the session ended by "${ended[0]!.error}", onError ${ended[0]!.handlerWasAsked ? 'was' : 'was not'} called`
}
