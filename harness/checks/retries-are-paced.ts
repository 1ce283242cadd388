/** However long a fault lasts, one reader does not hammer: its requests and connections in any one second are bounded. */
import { limitsOf, type Check } from '../check.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { keepCells, newCells, placeOf, struckCells, type Cells } from './client-cells.ts'

interface State extends Cells {
  limits: { perSecondMax: number }
}

export const retriesArePacedCheck: Check<State, { perSecondMax?: number }> = {
  id: 'retries-are-paced',
  title: 'No reader storms while something is down',
  init: (limits) => ({ ...newCells(), limits: limitsOf({ perSecondMax: 20 }, limits) }),
  step: keepCells,
  finish(state) {
    // A server that tells offsets backwards makes any client ask on and on.
    const due = struckCells(state).filter(({ wentBack }) => !wentBack).toSorted((a, b) => b.perSecondMax - a.perSecondMax)
    if (due.length === 0) return pass(0, '')
    const { cell, perSecondMax } = due[0]!
    const figures = { value: perSecondMax, unit: 'requests a second', limit: state.limits.perSecondMax }
    const lines = due.slice(0, 5).map((one) => `${placeOf(one.cell)}: at most ${one.perSecondMax} in a second, ${number(one.requests)} in all`)
    if (perSecondMax > state.limits.perSecondMax) {
      const because = `A reader of ${state.client} sent ${number(perSecondMax)} requests in one second (${placeOf(cell)}); the limit is ${state.limits.perSecondMax}.`
      return fail(due.length, because, lines, `retries-are-paced/storm-on-${cell.when}/${cell.mode}/${cell.fault}/client`, figures)
    }
    return pass(due.length, `Of ${plural(due.length, 'reader')} of ${state.client} none sent more than ${number(perSecondMax)} requests in a second (${placeOf(cell)}).`, { ...figures, evidence: lines })
  },
}
