/** What every rendering says first: the verdict's words, and the rows by how they came out. */
import type { VerdictKind } from '../verdict.ts'
import { plural } from './figures.ts'
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

export function waivedRows(result: Result): ChecklistRow[] {
  return result.checklist.filter((row) => row.waived)
}

/** These rows, where their owner waives all of them: one that nobody waives is enough to count. Else none. */
export function allWaived(result: Result, rows: readonly string[]): ChecklistRow[] {
  const waived = waivedRows(result).filter(({ id }) => rows.includes(id))
  return waived.length < rows.length ? [] : waived
}

/** A program that is broken on purpose was judged. */
export function judgesTwin({ banners }: Result): boolean {
  return banners.some((banner) => banner.startsWith('TWIN:'))
}

/** What follows the word `ready` where it holds but for what is waived: nobody takes the one for the other. */
export function butWaived(result: Result): string {
  const { length } = waivedRows(result)
  return result.verdict !== 'ready' || length === 0 ? '' : `, with ${plural(length, 'row')} waived`
}

/** 'READY', 'READY, WITH 1 ROW WAIVED'. */
export function verdictTitle(result: Result): string {
  return `${verdictWords[result.verdict]}${butWaived(result).toUpperCase()}`
}

/** That a row is waived, or was: a sentence to stand before what was seen; null for all others. */
export function waiverSentence({ id, waived }: ChecklistRow, { waivers = [] }: Pick<Result, 'waivers'>): string | null {
  if (waived) return `Waived until ${waived.until}: ${waived.reason}`
  const expired = waivers.find(({ row, state }) => row === id && state === 'expired')
  return expired ? `Its waiver expired, ${expired.until} was the last day: ${expired.reason}` : null
}

/** The first line of every rendering: the verdict and why, in one sentence. */
export function headline(result: Result): string {
  return `${verdictTitle(result)} — ${result.because}`
}
