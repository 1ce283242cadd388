/**
 * Each acknowledged append of a stream is told an offset of its own, and no reader is told a tail that lies
 * before one that was acknowledged when it asked. Offsets are opaque, but sort as they advance (PROTOCOL.md 6).
 */
import { limitsOf, type Check } from '../check.ts'
import type { HistoryEvent, Operation, Outcome } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { since } from './stream-ledger.ts'

interface Limits {
  /** So many appends must have been under way to one stream at once, or nothing was put to the test. */
  togetherMin: number
}

interface Tail {
  /** Offsets that acknowledged appends were told; of streams of some thousand appends. */
  told: Set<string>
  highest: string
  underWay: number
}

interface State {
  limits: Limits
  startMs: number | null
  tails: Map<string, Tail>
  /** By operation: the highest offset that was acknowledged when it was sent. */
  highestBefore: Map<number, string>
  appends: number
  reads: number
  together: number
  wrong: Findings
}

/** Beyond so many a stream's offsets are no longer held against each other. */
const offsetsMax = 100_000

export const offsetsOnlyAdvanceCheck: Check<State, Partial<Limits>> = {
  id: 'offsets-only-advance',
  title: 'Appends at once are told offsets of their own, and the tail is behind them all',
  init: (limits) => ({ limits: limitsOf({ togetherMin: 2 }, limits), startMs: null, tails: new Map(), highestBefore: new Map(), appends: 0, reads: 0, together: 0, wrong: new Findings() }),
  step(state, event) {
    state.startMs ??= event.atMs
    if (event.kind === 'invoke') return begin(state, event)
    if (event.kind !== 'ok' && event.kind !== 'fail' && event.kind !== 'info') return
    if (event.op === 'append') endAppend(state, event)
    if (event.op === 'read' && event.kind === 'ok') endRead(state, event)
    state.highestBefore.delete(event.id)
  },
  finish({ limits, appends, reads, together, wrong }) {
    const examined = appends + reads
    const figures = { value: wrong.count, unit: 'answers', limit: 0 }
    if (wrong.count > 0) return fail(examined, `${wrong.counted} of ${number(examined)} answers told an offset that another append had been told, or a tail before what was acknowledged.`, wrong.evidence, wrong.fingerprint!, figures)
    if (together < limits.togetherMin) return unknown(`At most ${plural(together, 'append')} to one stream ${together === 1 ? 'was' : 'were'} under way at once; ${limits.togetherMin} are needed.`, [], examined)
    return pass(examined, `${number(appends)} appends, up to ${together} at once to one stream, were told offsets of their own; ${plural(reads, 'reader')} found the tail behind them.`, figures)
  },
}

function tailOf(state: State, { stream, incarnation }: Pick<Operation, 'stream' | 'incarnation'>): Tail {
  const key = `${incarnation} ${stream}`
  const known = state.tails.get(key)
  if (known) return known
  const tail = { told: new Set<string>(), highest: '', underWay: 0 }
  state.tails.set(key, tail)
  return tail
}

function begin(state: State, event: Operation): void {
  const tail = tailOf(state, event)
  if (event.op === 'read') state.highestBefore.set(event.id, tail.highest)
  if (event.op !== 'append') return
  tail.underWay += 1
  state.together = Math.max(state.together, tail.underWay)
}

function endAppend(state: State, event: Outcome & HistoryEvent): void {
  const tail = tailOf(state, event)
  tail.underWay -= 1
  const offset = event.headers?.['stream-next-offset']
  if (event.kind !== 'ok' || offset === undefined) return
  state.appends += 1
  if (tail.told.has(offset)) note(state, event, 'shared', `${event.append!.record} was told ${offset}, as another append had been`)
  if (tail.told.size < offsetsMax) tail.told.add(offset)
  if (offset > tail.highest) tail.highest = offset
}

function endRead(state: State, event: Outcome & HistoryEvent): void {
  const { read } = event
  const highest = state.highestBefore.get(event.id) ?? ''
  if (!read?.upToDate || read.nextOffset === null) return
  state.reads += 1
  if (read.nextOffset < highest) note(state, event, 'behind', `a reader was told that it is up to date at ${read.nextOffset}, with ${highest} acknowledged before`)
}

function note(state: State, event: Outcome & HistoryEvent, invariant: string, words: string): void {
  state.wrong.note(String(event.id), `offsets-only-advance/${invariant}/any/none/${event.via}`, () => `${event.stream}: ${words}, at ${since(state.startMs ?? 0, event.atMs)}`)
}
