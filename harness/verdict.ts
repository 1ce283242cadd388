/**
 * The verdict of a check, a row or a run, and how several become one.
 *
 * `unknown` is an answer: nothing was seen, or what was seen proves nothing. It is never rounded
 * up to a pass; a required unknown blocks readiness.
 */
export const verdictKinds = ['pass', 'fail', 'unknown', 'not-applicable'] as const
export type VerdictKind = (typeof verdictKinds)[number]

export interface Verdict {
  verdict: VerdictKind
  /** One sentence with the numbers. */
  because: string
  /** What a sceptic would ask to see: requests, answers, log lines. A few short lines. */
  evidence: string[]
  /** How many items were looked at. A verdict on zero items is `unknown`. */
  examined: number
  /** For a failure: `check/invariant/stream-kind/fault/hop`, stable across runs, without numbers. */
  fingerprint?: string
  /** The measured figure that the verdict hangs on, with its unit and the limit it was held against. */
  value?: number
  unit?: string
  limit?: number
  /** Whether the figure must stay below its limit or reach it; at most, where nothing is said. */
  limitIs?: 'at-most' | 'at-least'
}

/** A verdict that holds nothing against anybody. */
export type BlamelessVerdict = Verdict & { verdict: Exclude<VerdictKind, 'fail'> }

const rank: Record<VerdictKind, number> = { fail: 3, unknown: 2, pass: 1, 'not-applicable': 0 }

/**
 * The worst of several kinds: fail > unknown > pass > not-applicable. Nothing at all is `unknown`.
 */
export function worst(kinds: Iterable<VerdictKind>): VerdictKind {
  let result: VerdictKind | undefined
  for (const kind of kinds) {
    if (result === undefined || rank[kind] > rank[result]) result = kind
  }
  return result ?? 'unknown'
}

/** How many evidence lines one verdict carries at most; the history holds the rest. */
export const evidenceMax = 8

/** A pass, unless nothing was examined: then it is `unknown`, whatever the check believed. */
export function pass(examined: number, because: string, more: Partial<Omit<Verdict, 'verdict'>> = {}): BlamelessVerdict {
  if (examined === 0) return unknown('Nothing was examined: the history holds no event of this kind.')
  return { verdict: 'pass', because, evidence: [], examined, ...more }
}

export function fail(
  examined: number,
  because: string,
  evidence: string[],
  fingerprint: string,
  more: Partial<Verdict> = {},
): Verdict {
  return {
    verdict: 'fail',
    because,
    evidence: evidence.slice(0, evidenceMax),
    examined,
    fingerprint,
    ...more,
  }
}

export function unknown(because: string, evidence: string[] = [], examined = 0): BlamelessVerdict {
  return { verdict: 'unknown', because, evidence: evidence.slice(0, evidenceMax), examined }
}

export function notApplicable(because: string): BlamelessVerdict {
  return { verdict: 'not-applicable', because, evidence: [], examined: 0 }
}
