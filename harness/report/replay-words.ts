/** Whether the failure of a capsule was seen again, and how often. Pure. */
import { failureKey } from './failures.ts'
import { duration, percent, plural } from './figures.ts'
import { neutralise } from './neutralise.ts'
import type { CheckResult, Result } from './result.ts'
import { readableEvidence } from './readable-evidence.ts'
import { isSameFailure } from './same-failure.ts'
import { exitCodes } from '../errors.ts'

export interface Failure {
  scenario: string
  check: string
  fingerprint: string
}

export type Seen = 'again' | 'fixed' | 'otherwise' | 'unknown'

/** `otherwise`: the check failed in another way, or other checks did. */
export function seenIn(result: Pick<Result, 'scenarios'>, failure: Failure): Seen {
  const failed = failedIn(result, failure)
  if (failed.some((one) => isSameFailure(failure.fingerprint, one.fingerprint))) return 'again'
  if (failed.length > 0) return 'otherwise'
  const own = checksIn(result, failure).filter(({ id }) => id === failure.check)
  return own.length > 0 && own.every(({ verdict }) => verdict === 'pass') ? 'fixed' : 'unknown'
}

/** The failures of a run that failed otherwise: of the same check, or else of all. */
export function othersIn(result: Pick<Result, 'scenarios'>, failure: Failure): string[] {
  if (seenIn(result, failure) !== 'otherwise') return []
  const failed = failedIn(result, failure)
  const own = failed.filter(({ id }) => id === failure.check)
  return (own.length > 0 ? own : failed).map(({ id, fingerprint }) => fingerprint ?? id)
}

function failedIn(result: Pick<Result, 'scenarios'>, failure: Failure): CheckResult[] {
  return checksIn(result, failure).filter(({ verdict }) => verdict === 'fail')
}

/** Of the scenario that is replayed. */
function checksIn({ scenarios }: Pick<Result, 'scenarios'>, { scenario }: Failure): CheckResult[] {
  return scenarios.find(({ id }) => id === scenario)?.checks ?? []
}

const checksShownMax = 3
const evidenceShownMax = 3

/** What one replay found, in place of the report on all rows: nothing but what a capsule holds was run. */
export function foundLines(result: Result, failure: Failure, reportFile: string): string[] {
  const failed = failedIn(result, failure)
  const ownFirst = failed.toSorted((a, b) => Number(b.id === failure.check) - Number(a.id === failure.check))
  const shown = ownFirst.slice(0, checksShownMax).flatMap(({ because, evidence }) => [`✖ ${because}`, ...evidence.slice(0, evidenceShownMax).map((line) => `    ${readableEvidence(line)}`)])
  const more = failed.length > checksShownMax ? [`and ${plural(failed.length - checksShownMax, 'more failed check')}`] : []
  const banners = result.banners.map((banner) => `!! ${banner}`)
  return [...banners, ...shown, ...more, `Report ${reportFile}`, ...banners].map(neutralise)
}

/** 'Run 3 of 20, 4.1 s: STILL FAILING' */
export function replayLine(seen: Seen, { nth, of, tookMs }: { nth: number; of: number; tookMs: number }): string {
  return `Run ${nth} of ${of}, ${duration(tookMs)}: ${words[seen]}`
}

/** What is told of the runs of a replay beside how each ended. */
export interface Told {
  /** By how much each run's timings were moved on purpose, at most. */
  movedMs?: readonly number[]
  /** How those failed that failed otherwise. */
  others?: readonly string[]
}

/** One sentence on all runs of a replay. */
export function replayWords(failure: Failure, seen: readonly Seen[], { movedMs = [], others = [] }: Told = {}): string {
  const what = failureKey(failure)
  const again = seen.filter((one) => one === 'again').length
  if (seen.length === 0) return neutralise(`NOT JUDGED: ${what}; no run came to its end.`)
  if (seen.length === 1) return neutralise(`${words[seen[0]!]}: ${what}${othersWords(others)}.`)
  const [low, high] = wilson(again, seen.length)
  const rate = `${again} of ${plural(seen.length, 'run')} (${percent(again / seen.length)}, 95 % between ${percent(low)} and ${percent(high)})`
  const rest = (['otherwise', 'unknown'] as const).map((kind) => [kind, seen.filter((one) => one === kind).length] as const).filter(([, n]) => n > 0)
  const more = rest.map(([kind, n]) => `; ${n} ${kind === 'otherwise' ? `failed otherwise${othersWords(others)}` : 'could not be judged'}`).join('')
  return neutralise(`${again > 0 ? 'STILL FAILING' : 'NOT REPRODUCED'}: ${what} in ${rate}${more}${movedWords(seen, movedMs)}.`)
}

const othersMax = 3

function othersWords(others: readonly string[]): string {
  const distinct = [...new Set(others)]
  if (distinct.length === 0) return ''
  return ` (${distinct.slice(0, othersMax).join(', ')}${distinct.length > othersMax ? `, and ${distinct.length - othersMax} more` : ''})`
}

/** Whether it takes the moved timings to see it. */
function movedWords(seen: readonly Seen[], movedMs: readonly number[]): string {
  const moved = seen.map((one, index) => ({ one, ms: movedMs[index] ?? 0 }))
  const shares = [moved.filter(({ ms }) => ms === 0), moved.filter(({ ms }) => ms > 0)].map((some) => `${some.filter(({ one }) => one === 'again').length} of ${some.length}`)
  const most = Math.max(0, ...movedMs.slice(0, seen.length))
  if (most === 0) return ''
  if (!seen.includes('again')) return `; timings were moved by up to ${most} ms in ${moved.filter(({ ms }) => ms > 0).length} of them`
  return `; with timings as they were in ${shares[0]}, moved by up to ${most} ms in ${shares[1]}`
}

const words: Record<Seen, string> = {
  again: 'STILL FAILING',
  fixed: 'FIXED',
  otherwise: 'FAILS OTHERWISE than in the capsule',
  unknown: 'NOT JUDGED',
}

/** 1 while it fails, 0 when every run passed it, 2 where that could not be told. */
export function replayCode(seen: readonly Seen[]): number {
  if (seen.some((one) => one === 'again' || one === 'otherwise')) return exitCodes.notReady
  return seen.length > 0 && seen.every((one) => one === 'fixed') ? exitCodes.ready : exitCodes.unknown
}

/** The 95 % interval of a rate (Wilson's score), which is right also for none and for all. */
export function wilson(hits: number, of: number): [low: number, high: number] {
  const z = 1.959964
  const rate = hits / of
  const centre = (rate + (z * z) / (2 * of)) / (1 + (z * z) / of)
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((rate * (1 - rate)) / of + (z * z) / (4 * of * of))
  const rounded = (share: number) => Math.round(Math.min(1, Math.max(0, share)) * 1e6) / 1e6
  return [rounded(centre - half), rounded(centre + half)]
}
