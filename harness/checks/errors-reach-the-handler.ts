/**
 * An application hears of an error by its onError: of a permanent one always, of any other at the
 * latest before the session ends by it. On the first connection and on every reconnect.
 */
import type { Check } from '../check.ts'
import { plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { keepCells, newCells, openOf, placeOf, spread, struckCells, whereOf, type Cells, type CellSeen } from './client-cells.ts'

export const errorsReachTheHandlerCheck: Check<Cells, object> = {
  id: 'errors-reach-the-handler',
  title: 'onError is called, on first connections and on reconnects',
  hangsOnTime: true,
  init: newCells,
  step: keepCells,
  finish(state) {
    const due = struckCells(state).filter(isDue)
    const failed = due.filter((seen) => !wasAsked(seen))
    const figures = { value: failed.length, unit: 'readers', limit: 0 }
    if (failed.length > 0) {
      const { fault, when, mode } = failed[0]!.cell
      const because = `${state.client} did not call onError for ${failed.length} of ${plural(due.length, 'reader')} that met an error it could not or did not outlast: ${whereOf(failed)}.`
      return fail(due.length, because, spread(failed).map(lineOf), `errors-reach-the-handler/not-called-on-${when}/${mode}/${fault}/client`, figures)
    }
    const open = openOf(state, due.length)
    if (open) return open
    const struck = struckCells(state).length
    if (due.length === 0) return pass(struck, `None of ${plural(struck, 'reader')} of ${state.client} met an error that it did not outlast.`, figures)
    return pass(due.length, `${state.client} called onError for all ${plural(due.length, 'reader')} that met an error it could not outlast.`, figures)
  },
}

function isDue({ cell, ended }: CellSeen): boolean {
  return cell.expects === 'stop' || cell.fault === 'token-renewed-by-handler' || ended.length > 0
}

function wasAsked({ onErrors, ended }: CellSeen): boolean {
  return onErrors.length > 0 && ended.every(({ handlerWasAsked }) => handlerWasAsked)
}

function lineOf({ cell, ended, onErrors }: CellSeen): string {
  const end = ended[0] ? `the session ended by "${ended[0].error}"` : 'the session went on'
  return `${placeOf(cell)}: ${end}, onError was called ${plural(onErrors.length, 'time')}`
}
