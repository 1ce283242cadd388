/** What every rendering says first: the verdict's words, and the rows by how they came out. */
import type { VerdictKind } from '../verdict.ts'
import type { Result } from './result.ts'

export type ChecklistRow = Result['checklist'][number]

export const verdictWords: Record<Result['verdict'], string> = {
  ready: 'READY',
  'not-ready': 'NOT READY',
  unknown: 'UNKNOWN',
}

export const kindWords: Record<VerdictKind, string> = {
  fail: 'Failed',
  unknown: 'Unknown',
  pass: 'Passed',
  'not-applicable': 'Not applicable',
}

/** The worst first: the order in which verdicts are listed. */
export const kindOrder: readonly VerdictKind[] = ['fail', 'unknown', 'pass', 'not-applicable']

const severityOrder = { critical: 0, high: 1, medium: 2 }

/** Failed rows first, the required before the others, the severer before the milder. */
export function worstFirst(rows: readonly ChecklistRow[]): ChecklistRow[] {
  const rank = (row: ChecklistRow) =>
    kindOrder.indexOf(row.verdict) * 100 + (row.required ? 0 : 10) + severityOrder[row.severity]
  return rows.toSorted((a, b) => rank(a) - rank(b))
}

export function rowsBy(result: Result, verdict: VerdictKind): ChecklistRow[] {
  return worstFirst(result.checklist.filter((row) => row.verdict === verdict))
}

/** What shares a reason is listed once: ids by their reason, in the order of the first. */
export function idsByReason(entries: readonly { id: string; because: string }[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { id, because } of entries) groups.set(because, [...(groups.get(because) ?? []), id])
  return groups
}

/** The first line of every rendering: the verdict and why, in one sentence. */
export function headline(result: Result): string {
  return `${verdictWords[result.verdict]} — ${result.because}`
}
