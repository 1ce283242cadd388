/**
 * A check consumes a history event by event and ends with a verdict. It is pure: no clock, no
 * process, no socket, so that it can be run again on a saved history. Its state is bounded by the
 * number of live streams and records, not by the length of the run.
 */
import type { HistoryEvent } from './history.ts'
import type { Measurements } from './report/result.ts'
import type { BlamelessVerdict, Verdict } from './verdict.ts'

export interface Check<State, Limits> {
  id: string
  /** What it asserts, as the title of a line in the report. */
  title: string
  init(limits: Limits): State
  step(state: State, event: HistoryEvent): void
  finish(state: State): Verdict
  /** Figures for the report that this check's state already holds. */
  measure?(state: State): MeasurementParts
  /** A failure of it may be that something took too long: on a machine that cannot keep up it is none. */
  hangsOnTime?: true
  /** Where it judges the run and not the subject. */
  blames?: 'nobody'
}

/**
 * A check of the run itself: whether enough was met, whether the control counted right, what the stock
 * configuration did. Where it is not content the rows stay unknown; it has no way to fail, and so no twin.
 */
export interface RunCheck<State, Limits> extends Check<State, Limits> {
  blames: 'nobody'
  finish(state: State): BlamelessVerdict
}

/** Figures of several checks make one object; lists are appended, objects merged by key. */
export type MeasurementParts = {
  [K in keyof Measurements]?: NonNullable<Measurements[K]> extends unknown[]
    ? NonNullable<Measurements[K]>
    : Partial<NonNullable<Measurements[K]>>
}

/** Limits come out of a scenario's JSON; a check names the ones it knows. */
export function limitsOf<Limits extends object>(defaults: Limits, given: object): Limits {
  return { ...defaults, ...given }
}

// oxlint-disable-next-line no-explicit-any -- each check has its own state and limits
export type AnyCheck = Check<any, any>
