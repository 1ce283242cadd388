/** What a scenario asserts, as plain values: they stand in the scenario's file and in its history. */
import type { RowId } from './checklist.ts'

/** A check as it stands in a scenario. */
export interface CheckSpec {
  check: string
  limits: Record<string, unknown>
  /** The rows it judges; without it, all the rows that its scenario proves. */
  rows?: RowId[]
}

/** All that the judge needs to know of a scenario. */
export interface Assertions {
  /** The name of the scenario's file. */
  id: string
  title: string
  /** What goes wrong in production where this is not so. One sentence. */
  why: string
  proves: RowId[]
  checks: CheckSpec[]
}
