/**
 * What a live reader is given across a fault is its stream: each acknowledged record once, in order.
 * A session that ended, and told the application so, owes nothing more; one that goes on owes all.
 */
import type { Check } from '../check.ts'
import type { Outcome } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'
import { Findings } from './findings.ts'
import { keepCells, newCells, openOf, placeOf, struckCells, type Cells, type CellSeen } from './client-cells.ts'

interface State extends Cells {
  /** Acknowledged records of each stream, in order. */
  acknowledged: Map<string, Set<string>>
}

export const readersMissNothingCheck: Check<State, object> = {
  id: 'readers-miss-nothing',
  title: 'Live readers are given each record once, in order, whatever they met',
  init: () => ({ ...newCells(), acknowledged: new Map() }),
  step(state, event) {
    keepCells(state, event)
    if (event.kind === 'ok' && event.op === 'append') keepAcknowledged(state, event)
  },
  finish(state) {
    const struck = struckCells(state)
    const due = struck.filter(({ wentBack }) => !wentBack)
    const misled = struck.length - due.length
    const wrong = new Findings()
    for (const seen of due) compare(state, seen, wrong)
    const records = due.reduce((sum, { records }) => sum + records.length, 0)
    const figures = { value: wrong.count, unit: 'readers', limit: 0 }
    if (wrong.count > 0) {
      return fail(due.length, `${wrong.counted} of ${plural(due.length, 'reader')} of ${state.client} missed, doubled or misplaced records around a fault.`, wrong.evidence, wrong.fingerprint!, figures)
    }
    const open = openOf(state, due.length)
    if (open) return open
    return pass(due.length, `${plural(due.length, 'reader')} of ${state.client} were given ${number(records)} records, each once and in order${misled === 0 ? '' : `; ${misled} more were told offsets that went back by the server, and are not judged here`}.`, figures)
  },
}

function keepAcknowledged({ acknowledged }: State, event: Outcome): void {
  const known = acknowledged.get(event.stream) ?? new Set()
  acknowledged.set(event.stream, known.add(event.append!.record))
}

function compare({ acknowledged, client }: State, { cell, records, damaged, isOver, onErrors }: CellSeen, wrong: Findings): void {
  const expected = [...(acknowledged.get(cell.stream) ?? [])]
  const note = (what: string, line: string) =>
    wrong.note(cell.cell, `readers-miss-nothing/${what}-on-${cell.when}/${cell.mode}/${cell.fault}/client`, () => `${placeOf(cell)}: ${line} (${client})`)
  const doubled = records.filter((record, index) => records.indexOf(record) !== index)
  if (doubled.length > 0) return note('doubled', `${plural(doubled.length, 'record')} twice, the first ${doubled[0]}`)
  if (damaged > 0) return note('torn', `${plural(damaged, 'piece')} of no whole record`)
  const known = expected.filter((record) => records.includes(record))
  const owesAll = cell.expects === 'retry' && !isOver && !onErrors.some(({ returned }) => returned === 'stop')
  const last = records.length === 0 ? -1 : expected.indexOf(records.at(-1)!)
  const missing = expected.filter((record, index) => !records.includes(record) && (owesAll || index < last))
  if (missing.length > 0) return note('lost', `${plural(missing.length, 'record')} of ${expected.length} never came, the first ${missing[0]}`)
  const reordered = records.find((record, index) => known[index] !== record)
  if (reordered !== undefined) note('reordered', `${reordered} came out of its order`)
}
