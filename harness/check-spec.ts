/** What a scenario asserts, as plain values: they stand in the scenario's file and in its history. */
import type { RowId } from './checklist.ts'

/** A check as it stands in a scenario. */
export interface CheckSpec {
  check: string
  limits: Record<string, unknown>
  /** The rows it judges; without it, all the rows that its scenario proves. */
  rows?: RowId[]
}

/** A public report that a scenario does again. */
export interface Incident {
  /** Its address. */
  report: string
  /** What it was, in a few words. */
  title: string
  /** From which versions it is mended: 'caddy 0.3.0, server 0.3.3'; null where no release has it mended. */
  fixedIn: string | null
}

/** All that the judge needs to know of a scenario. */
export interface Assertions {
  /** The name of the scenario's file. */
  id: string
  title: string
  /** What goes wrong in production where this is not so. One sentence. */
  why: string
  proves: RowId[]
  /** The public reports that it does again; none where it is not about one. */
  incidents?: Incident[]
  checks: CheckSpec[]
}
