/**
 * Live readers keep up with the writers, and after a routine each comes back by itself: within a
 * bound that counts from its end, for liveness is asked only when everything is up again.
 */
import { limitsOf, type Check } from '../check.ts'
import type { Follow, HistoryEvent } from '../history.ts'
import { duration, number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { RecordTimes } from './record-times.ts'
import { goesOn, healedAtMs, keepRoutine, type Routine } from './routine-times.ts'
import { since, staleAllowanceMs } from './stream-ledger.ts'
import { Traits } from './traits.ts'

interface Limits {
  /** From a routine's end until each reader is attached again, and has what came meanwhile. */
  resumeMs: number
  /** From an append's acknowledgement to its arrival at any reader, at all other times; from the reader's beginning, where that is later. */
  keepUpMs: number
  staleMs: number
}

interface State {
  limits: Limits
  startMs: number | null
  acknowledged: RecordTimes
  routines: Routine[]
  readers: Set<string>
  /** When a reader first asked: what is older than that, it could not have sooner. */
  begunAt: Map<string, number>
  /**
   * Of all readers, not of the findings alone: which of several ways is hit first is chance, and says nothing of
   * the hop. Where all take one way, it is that one.
   */
  ways: Traits<'via'>
  /** Since when a reader has been without an answer; not of those that are attached. */
  cutSince: Map<string, number>
  /** When a reader that had been cut was back. */
  backAt: Map<string, number>
  unattached: { attached: number; of: number } | null
  arrivals: number
  resumptions: number
  slowestMs: number
  slowestResumptionMs: number
  late: Findings
  traits: Traits<'invariant' | 'mode' | 'routine'>
}

export const liveReadersResumeCheck: Check<State, Partial<Limits>> = {
  id: 'live-readers-resume',
  title: 'Live readers keep up, and come back by themselves after each routine',
  hangsOnTime: true,
  init: (limits) => ({
    limits: limitsOf({ resumeMs: 8_000, keepUpMs: 5_000, staleMs: 1_000 }, limits),
    startMs: null,
    acknowledged: new RecordTimes(),
    routines: [],
    readers: new Set(),
    begunAt: new Map(),
    ways: new Traits(),
    cutSince: new Map(),
    backAt: new Map(),
    unattached: null,
    arrivals: 0,
    resumptions: 0,
    slowestMs: 0,
    slowestResumptionMs: 0,
    late: new Findings(),
    traits: new Traits(),
  }),
  step(state, event) {
    state.startMs ??= event.atMs
    keepRoutine(state.routines, event)
    if (event.kind === 'ok' && event.append) state.acknowledged.set(event.append.record, event.atMs)
    if (event.kind === 'followers' && event.attached < event.of) state.unattached = event
    if (event.kind === 'follow') keepReader(state, event)
  },
  finish(state) {
    const { limits, unattached, readers, arrivals, late } = state
    const figures = { value: Math.round(state.slowestMs), unit: 'ms', limit: limits.keepUpMs }
    if (unattached !== null) {
      return fail(unattached.of, `${number(unattached.of - unattached.attached)} of ${plural(unattached.of, 'live reader')} got no usable answer to begin with.`, late.evidence, 'live-readers-resume/never-attached/any/none/any')
    }
    if (late.count > 0) {
      return fail(arrivals, `${late.counted} times a live reader was late: more than ${duration(limits.keepUpMs)} behind the writers, or ${duration(limits.resumeMs)} after a routine had ended.`, late.evidence, fingerprintOf(state), figures)
    }
    if (readers.size === 0) return unknown('No live reader followed a stream.')
    const came = state.resumptions === 0 ? 'none had to come back' : `they came back ${plural(state.resumptions, 'time')}, the slowest ${duration(state.slowestResumptionMs)} after the end of a routine`
    return pass(arrivals, `${plural(readers.size, 'live reader')} were at most ${duration(state.slowestMs)} behind the writers; ${came}.`, figures)
  },
}

function fingerprintOf({ traits, ways }: State): string {
  return `live-readers-resume/${traits.of('invariant')}/${traits.of('mode')}/${traits.of('routine')}/${ways.of('via')}`
}

function keepReader(state: State, event: Follow & { atMs: number }): void {
  state.readers.add(event.reader)
  if (event.what === 'begun') state.begunAt.set(event.reader, event.atMs)
  state.ways.note({ via: event.via })
  if (event.what === 'cut' || event.what === 'refused') {
    if (!state.cutSince.has(event.reader)) state.cutSince.set(event.reader, event.atMs)
  }
  if (event.what === 'attached' || event.what === 'ended') comeBack(state, event)
  for (const record of event.records ?? []) arrive(state, event, record)
  if (event.what === 'ended') state.begunAt.delete(event.reader)
}

function comeBack(state: State, event: Follow & { atMs: number }): void {
  const cutAtMs = state.cutSince.get(event.reader)
  state.cutSince.delete(event.reader)
  if (cutAtMs !== undefined) state.backAt.set(event.reader, event.atMs)
  // A long-poll at the tail is answered when there is something new: its arrivals tell.
  if (cutAtMs === undefined || event.mode === 'long-poll' || goesOn(state.routines, event.via)) return
  const tookMs = event.atMs - Math.max(cutAtMs, healedAtMs(state.routines, event.via))
  if (event.what === 'attached') state.resumptions += 1
  state.slowestResumptionMs = Math.max(state.slowestResumptionMs, tookMs)
  if (tookMs > state.limits.resumeMs) note(state, event, 'resumed', `was ${event.what === 'ended' ? 'not' : 'only'} back ${duration(tookMs)} after the routine had ended`)
}

function arrive(state: State, event: Follow & { atMs: number }, record: string): void {
  state.arrivals += 1
  const ackAtMs = state.acknowledged.get(record)
  if (ackAtMs === undefined || goesOn(state.routines, event.via)) return
  const { limits } = state
  const healedMs = healedAtMs(state.routines, event.via)
  const lateMs = event.atMs - Math.max(ackAtMs, healedMs, state.begunAt.get(event.reader) ?? -Infinity)
  const isComingBack = ackAtMs <= (state.backAt.get(event.reader) ?? -Infinity)
  if (!isComingBack) state.slowestMs = Math.max(state.slowestMs, lateMs)
  const limitMs = isComingBack ? limits.resumeMs : limits.keepUpMs
  if (lateMs > limitMs + staleAllowanceMs(event.via, limits.staleMs)) note(state, event, 'kept-up', `received ${record} ${duration(lateMs)} late`)
}

function note(state: State, event: Follow & Pick<HistoryEvent, 'atMs'>, invariant: string, what: string): void {
  const last = state.routines.at(-1)?.what ?? 'none'
  const line = () => `${event.mode} by ${event.via} on ${event.stream}: ${what}, at ${since(state.startMs ?? 0, event.atMs)}`
  state.traits.note({ invariant, mode: event.mode, routine: last })
  state.late.note(`${event.reader} ${what}`, null, line)
}
