/**
 * What onError says is done: after "stop" a reader asks no more, after "retry" it does. A permanent
 * error ends the requests in any case.
 */
import { limitsOf, type Check } from '../check.ts'
import { plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { keepCells, newCells, openOf, placeOf, struckCells, whereOf, type Cells, type CellSeen } from './client-cells.ts'

interface Limits {
  /** What is on its way when the handler answers may still arrive. */
  onTheWayMs: number
  /** Without a handler's word, a permanent error must have ended the requests after so long. */
  giveUpMs: number
}

interface State extends Cells {
  limits: Limits
}

export const handlerIsHonouredCheck: Check<State, Partial<Limits>> = {
  id: 'handler-is-honoured',
  title: 'What onError says is done',
  hangsOnTime: true,
  init: (limits) => ({ ...newCells(), limits: limitsOf({ onTheWayMs: 250, giveUpMs: 1_000 }, limits) }),
  step: keepCells,
  finish(state) {
    const due = struckCells(state).filter(({ cell, onErrors }) => cell.expects === 'stop' || onErrors.length > 0)
    const failed = due.flatMap((seen) => {
      const wrong = whatIsWrong(seen, state.limits)
      return wrong === null ? [] : [{ ...seen, wrong }]
    })
    const figures = { value: failed.length, unit: 'readers', limit: 0 }
    if (failed.length > 0) {
      const { cell, wrong } = failed[0]!
      const because = `${state.client} did not do what onError said, or went on after a permanent error, for ${failed.length} of ${plural(due.length, 'reader')}: ${whereOf(failed)}.`
      const evidence = failed.map((one) => `${placeOf(one.cell)}: ${one.wrong.line}`)
      return fail(due.length, because, evidence, `handler-is-honoured/${wrong.what}/${cell.mode}/${cell.fault}/client`, figures)
    }
    const open = openOf(state, due.length)
    if (open) return open
    return pass(due.length, `${state.client} stopped or went on as it was told for all ${plural(due.length, 'reader')}.`, figures)
  },
}

function whatIsWrong({ cell, onErrors, lastRequestAtMs, struckAtMs, requests }: CellSeen, limits: Limits): { what: string; line: string } | null {
  const stopped = onErrors.find(({ returned }) => returned === 'stop')
  const last = onErrors.at(-1)
  if (stopped && lastRequestAtMs > stopped.atMs + limits.onTheWayMs) {
    const lateMs = Math.round(lastRequestAtMs - stopped.atMs)
    return { what: 'asked-on-after-stop', line: `onError said stop, and its last of ${plural(requests, 'request')} came ${lateMs} ms later` }
  }
  if (!stopped && cell.expects === 'stop' && lastRequestAtMs > struckAtMs! + limits.giveUpMs) {
    return { what: 'went-on-after-permanent', line: `its last of ${plural(requests, 'request')} came ${Math.round(lastRequestAtMs - struckAtMs!)} ms after the first refusal` }
  }
  if (last?.returned === 'retry' && lastRequestAtMs < last.atMs) return { what: 'did-not-retry', line: 'onError said retry, and no request followed' }
  return null
}
