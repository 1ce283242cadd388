/**
 * What is said to the program that runs upstream's conformance suite, and what it says: JSON, a
 * line each. The suite's version is pinned, and with it the number of its tests: a run of another
 * number is not a run of this suite.
 */
import type { Via } from '../history.ts'

export interface SuitePlan {
  /** By the name that requests shall say in `Host`; it is found on loopback: 'http://localhost:20001'. */
  url: string
  /** The authority that an https subject's certificate comes from. */
  caPem: string | null
  /** Sent with every request: what this subject asks of its clients. */
  headers: Record<string, string>
  /** How long this origin holds a long-poll. */
  longPollTimeoutMs: number
  /** Suites that run at one origin at the same time are so many, and each has an index from 0. */
  place: { of: number; index: number }
}

export type TestState = 'passed' | 'failed' | 'skipped'

export type SuiteMessage =
  | { event: 'begin'; suite: string; vitest: string }
  /** `attempt` counts from 1; from 2 on the test had failed in each before. */
  | { event: 'test'; test: string; state: TestState; attempt: number; durationMs: number; error?: string }
  | { event: 'end' }
  | { event: 'failed'; because: string }

/** The version of the package and how many tests it holds, those that it skips by itself among them. */
export const pinnedSuite = { version: '0.3.6', tests: 338 } as const

/** By this name a check knows whose suite did not end. */
export function suiteName({ via, subject }: { via: string; subject?: string | undefined }): string {
  return subject === undefined ? `conformance/${via}` : `conformance/${via}/${subject}`
}

/** Of a name that `suiteName` made with a subject; null for any other. */
export function suiteOf(name: string): { via: Via; subject: string } | null {
  const [, via, subject] = /^conformance\/([^/]+)\/(.+)$/.exec(name) ?? []
  return subject === undefined ? null : { via: via as Via, subject }
}

/** Null for a line that is no message: whatever else is printed by that program. */
export function parseMessage(line: string): SuiteMessage | null {
  return line.startsWith('{"event":') ? (JSON.parse(line) as SuiteMessage) : null
}
