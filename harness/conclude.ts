/**
 * From the scenarios' results to the rows, the boxes, the verdict, the score and the exit code.
 * Pure, and the only place where these rules stand.
 */
import { boxes, rows, rowsOfOwnCode, type Row, type RowId, type Severity } from './checklist.ts'
import { exitCodes } from './errors.ts'
import { fixFor } from './fixes.ts'
import type { Result, ScenarioResult } from './report/result.ts'
import { worst, type VerdictKind } from './verdict.ts'

/** A part of a row that is judged from gathered facts instead of a run. */
export interface AuditPart {
  row: RowId
  verdict: VerdictKind
  because: string
  fix?: string
  /** One command that repeats it. */
  reproduce?: string
  /** What was not given, so that nothing could be judged: the row's box stays open. */
  missing?: 'app'
  /** It read a file whose behaviour runs measure as well: where they passed, this part does not count. */
  yieldsToMeasurement?: true
}

/** A row that its owner lets pass as it is, for a time. */
export interface Waiver {
  row: RowId
  /** Why, in the owner's words. */
  reason: string
  /** The last day on which it counts, YYYY-MM-DD. */
  until: string
  /** It was over when the run began: it does not count. */
  expired: boolean
}

/** What is known of a run before its first scenario, and that its verdict hangs on. */
export interface GatheredFacts {
  audits: AuditPart[]
  /** Missing in histories of older versions. */
  waivers?: Waiver[]
  originKind: 'production' | 'reference'
  /** Ids were named on the command line, or the run was interrupted. */
  partial: boolean
  /** Hops for which a planted twin stood in: what was judged was broken on purpose. */
  twins: string[]
  /** Options to repeat the run with: '--seed 7 --caddyfile x'. */
  reproduceOptions: string
}

export interface Facts extends GatheredFacts {
  scenarios: ScenarioResult[]
  /** What was left out, and the rows that are therefore not judged to the end. */
  notRun: Result['notRun']
}

/** All of a result that follows from the facts. An interruption makes any run a partial one. */
export function concludeAll(
  gathered: Facts,
  interruption: { message: string; exitCode: number } | null,
): Pick<Result, 'verdict' | 'because' | 'score' | 'exitCode' | 'checklist' | 'boxes' | 'waivers'> {
  const facts = { ...gathered, partial: gathered.partial || interruption !== null }
  const checklist = concludeRows(facts)
  const conclusion = conclude(facts, checklist)
  return {
    verdict: conclusion.verdict,
    because: interruption ? `${interruption.message} ${conclusion.because}` : conclusion.because,
    score: scoreOf(checklist),
    exitCode: interruption?.exitCode ?? conclusion.exitCode,
    checklist,
    boxes: concludeBoxes(checklist, facts.audits),
    waivers: concludeWaivers(checklist, facts.waivers ?? []),
  }
}

export type ChecklistEntry = Result['checklist'][number]
type BoxEntry = Result['boxes'][number]

interface Part {
  verdict: VerdictKind
  because: string
  scenario: string | null
  check: string | null
  /** Of an audit. */
  fix?: string | undefined
  reproduce?: string | undefined
  /** How many items its check looked at. */
  examined?: number
  fingerprint?: string | undefined
}

export function concludeRows(facts: Facts): ChecklistEntry[] {
  return rows.map((row) => withWaiver(concludeRow(row, partsOf(row.id, facts), facts.reproduceOptions), facts.waivers ?? []))
}

/** The one that lets a row pass today. */
export function waiverOf(row: string, waivers: readonly Waiver[]): Waiver | undefined {
  return waivers.find((one) => one.row === row && !one.expired)
}

/** What was seen stays as it is; that it is waived is said beside it. A row that needs none has none. */
function withWaiver(entry: ChecklistEntry, waivers: readonly Waiver[]): ChecklistEntry {
  const waiver = waiverOf(entry.id, waivers)
  if (!waiver || (entry.verdict !== 'fail' && entry.verdict !== 'unknown')) return entry
  return { ...entry, waived: { reason: waiver.reason, until: waiver.until } }
}

type WaiverEntry = NonNullable<Result['waivers']>[number]

/** What became of each: a row that did not pass needs its waiver, and has it until it expires. */
export function concludeWaivers(checklist: readonly ChecklistEntry[], waivers: readonly Waiver[]): WaiverEntry[] {
  return waivers.map(({ row, reason, until, expired }) => {
    const { verdict } = checklist.find(({ id }) => id === row)!
    const needed = verdict === 'fail' || verdict === 'unknown'
    return { row, reason, until, state: !needed ? 'not-needed' : expired ? 'expired' : 'counts' }
  })
}

function partsOf(row: RowId, facts: Facts): Part[] {
  const measured = facts.scenarios.flatMap((scenario) =>
    scenario.checks
      .filter((check) => check.rows.includes(row))
      .map((check) => ({ verdict: check.verdict, because: check.because, scenario: scenario.id, check: check.id, examined: check.examined, fingerprint: check.fingerprint })),
  )
  const audited = facts.audits
    .filter((audit) => audit.row === row && !(audit.yieldsToMeasurement && isMeasuredGreen(row, facts.scenarios)))
    .map(({ verdict, because, fix, reproduce }) => ({ verdict, because, scenario: null, check: null, fix, reproduce }))
  const missing = facts.notRun
    .filter((one) => one.rows.includes(row))
    .map((one) => ({ verdict: 'unknown' as const, because: `${one.id} was not run.`, scenario: one.id, check: null }))
  return [...measured, ...audited, ...missing]
}

/** Runs judged this row, and all of them found it to hold. */
export function isMeasuredGreen(row: RowId, scenarios: readonly ScenarioResult[]): boolean {
  const verdicts = scenarios.flatMap(({ checks }) => checks.flatMap((check) => (check.rows.includes(row) ? [check.verdict] : [])))
  return verdicts.length > 0 && worst(verdicts) === 'pass'
}

/** A row is the worst of its parts; one without parts has not been judged. */
function concludeRow(row: Row, parts: Part[], options: string): ChecklistEntry {
  const verdict = worst(parts.map((part) => part.verdict))
  const scenarios = [...new Set(parts.flatMap((part) => part.scenario ?? []))]
  const decisive = parts.filter((part) => part.verdict === verdict)
  return {
    id: row.id,
    title: row.title,
    verdict,
    severity: row.severity,
    required: row.required,
    because: parts.length === 0 ? 'Nothing in this run judges this row yet.' : becauseOf(row.id, verdict, decisive),
    scenarios,
    fix: fixFor(decisive[0]?.fingerprint) ?? decisive[0]?.fix ?? row.fix,
    link: row.link,
    reproduce: reproduce(decisive, scenarios, options),
  }
}

/** Of several checks that passed, the one whose sentence answers the row's own statement; of several runs of it the one that saw most. */
export const speakers: Partial<Record<RowId, string>> = {
  'persistence-data-dir': 'nothing-acknowledged-is-lost',
  'file-handles': 'files-stay-bounded',
  https: 'chain-is-verified',
  'lifecycle-expires': 'expired-is-gone',
  'lifecycle-sliding': 'alive-until-expiry',
  'cdn-collapse': 'crowd-collapses',
  'ops-restart': 'ready-within',
  'client-errors': 'errors-reach-the-handler',
  producers: 'producer-answers-are-right',
  'ops-graceful': 'stops-within-grace',
  'ops-reload': 'no-answer-is-wrong',
  soak: 'nothing-drifts',
  'durability-crash': 'kills-hit-a-working-server',
}

function becauseOf(row: RowId, verdict: VerdictKind, decisive: Part[]): string {
  const speaking = verdict === 'pass' ? decisive.filter((part) => part.check !== null && part.check === speakers[row]) : []
  const first = speaking.toSorted((a, b) => (b.examined ?? 0) - (a.examined ?? 0))[0] ?? decisive[0]!
  const others = decisive.length - 1
  if (others === 0) return first.because
  return `${first.because.replace(/\.$/, '')}; ${count(others, 'more check')} ${outcomes[verdict](others)}.`
}

const outcomes: Record<VerdictKind, (n: number) => string> = {
  fail: () => 'failed',
  unknown: (n) => `${n === 1 ? 'is' : 'are'} unknown`,
  pass: () => 'passed',
  'not-applicable': (n) => `${n === 1 ? 'does' : 'do'} not apply`,
}

function reproduce(decisive: Part[], scenarios: string[], options: string): string {
  // What was found by reading is found again by reading.
  const audit = decisive.every((part) => part.scenario === null) ? decisive.find((part) => part.reproduce !== undefined) : undefined
  if (audit) return audit.reproduce!
  const ids = [...new Set(decisive.flatMap((part) => part.scenario ?? []))]
  const named = ids.length > 0 ? ids : scenarios
  return named.length === 0 ? '' : `npm run simulate -- ${named.join(' ')}${options === '' ? '' : ` ${options}`}`
}

/**
 * A box is ticked when all its rows are green, crossed when one is red, else open. One that speaks of the
 * user's own code stays open where that was not given, whatever a run has shown of the server.
 */
export function concludeBoxes(checklist: ChecklistEntry[], audits: readonly AuditPart[] = []): BoxEntry[] {
  return boxes.map((box) => {
    const unread = audits.find((audit) => audit.missing === 'app' && rowsOfOwnCode.has(audit.row) && box.rows.includes(audit.row))
    const entries = checklist.filter((entry) => box.rows.includes(entry.id))
    const decisive =
      entries.find((entry) => entry.verdict === 'fail') ?? entries.find((entry) => entry.verdict !== 'pass') ?? entries[0]!
    const state = decisive.verdict === 'fail' ? 'crossed' : decisive.verdict === 'pass' && !unread ? 'ticked' : 'open'
    const because = state === 'open' && unread ? unread.because : decisive.because
    return { title: box.title, state, rows: box.rows, because: decisive.waived ? `${waivedWords(decisive)} Seen: ${because}` : because }
  })
}

const weights: Record<Severity, number> = { critical: 3, high: 2, medium: 1 }
const cappedScore = 49

/**
 * 100 x weights passed / weights of applicable rows, at most 49 with a failed critical row. It says what was
 * seen: a waiver changes nothing of it.
 */
export function scoreOf(checklist: ChecklistEntry[]): number {
  const applicable = checklist.filter((entry) => entry.verdict !== 'not-applicable')
  const total = applicable.reduce((sum, entry) => sum + weights[entry.severity], 0)
  if (total === 0) return 0
  const passed = applicable.filter((entry) => entry.verdict === 'pass')
  const score = Math.round((100 * passed.reduce((sum, entry) => sum + weights[entry.severity], 0)) / total)
  const criticalFailed = applicable.some((entry) => entry.verdict === 'fail' && entry.severity === 'critical')
  return criticalFailed ? Math.min(score, cappedScore) : score
}

export interface Conclusion {
  verdict: Result['verdict']
  because: string
  exitCode: number
}

/**
 * The rules of the verdict, in their order; the first that applies decides. What was waived, or would be no more,
 * is told behind it.
 */
export function conclude(facts: Facts, checklist: ChecklistEntry[]): Conclusion {
  const required = checklist.filter((entry) => entry.required && !entry.waived)
  const conclusion = concludeUnwaived(facts, required)
  const because = [conclusion.because, ...waiverSentences(checklist, concludeWaivers(checklist, facts.waivers ?? []))].join(' ')
  return { ...conclusion, because }
}

/** How the row came out is said with each: nobody takes it for green. */
function waiverSentences(checklist: readonly ChecklistEntry[], waivers: readonly WaiverEntry[]): string[] {
  const verdictOf = ({ row }: WaiverEntry) => outcomeWords[checklist.find(({ id }) => id === row)!.verdict]
  const told = (state: WaiverEntry['state'], words: (one: WaiverEntry) => string) => waivers.filter((one) => one.state === state).map(words).join(', ')
  const counts = told('counts', (one) => `${one.row} (${verdictOf(one)}; ${withoutStop(one.reason)}; until ${one.until})`)
  const expired = told('expired', (one) => `${one.row} (${verdictOf(one)}; it had been waived until ${one.until}: ${withoutStop(one.reason)})`)
  const needless = told('not-needed', (one) => `${one.row} (${verdictOf(one)})`)
  return [
    ...(counts === '' ? [] : [`Waived, and not counted: ${counts}.`]),
    ...(expired === '' ? [] : [`Waiver expired, so that the row counts again: ${expired}.`]),
    ...(needless === '' ? [] : [`Waiver no longer needed, take it out: ${needless}.`]),
  ]
}

const outcomeWords: Record<VerdictKind, string> = { fail: 'failed', unknown: 'unknown', pass: 'passed', 'not-applicable': 'does not apply' }

function withoutStop(text: string): string {
  return text.replace(/\.$/, '')
}

function waivedWords({ waived }: ChecklistEntry): string {
  return `Waived until ${waived!.until}: ${withoutStop(waived!.reason)}.`
}

function concludeUnwaived(facts: Facts, required: ChecklistEntry[]): Conclusion {
  const failed = required.filter((entry) => entry.verdict === 'fail')
  const open = required.filter((entry) => entry.verdict === 'unknown')
  const red = failed.length === 0 ? '' : ` ${count(failed.length, 'required row')} failed all the same: ${names(failed)}.`
  if (facts.originKind === 'reference') {
    return decided('unknown', `The reference server was judged, not the production server.${red}`)
  }
  if (facts.twins.length > 0) return decided('unknown', `Planted for ${facts.twins.join(' and ')}: a program that is broken on purpose.${red}`)
  if (facts.partial) return decided('unknown', `Only a part of the scenarios was run.${red}`)
  if (failed.length > 0) return decided('not-ready', `${count(failed.length, 'required row')} failed: ${names(failed)}.`)
  if (open.length > 0) return decided('unknown', `${count(open.length, 'required row')} could not be judged: ${names(open)}.`)
  const others = required.length === rows.filter((row) => row.required).length ? '' : 'other '
  return decided('ready', `All ${required.length} ${others}required rows were seen to hold or do not apply.`)
}

function decided(verdict: Result['verdict'], because: string): Conclusion {
  const codes = { ready: exitCodes.ready, 'not-ready': exitCodes.notReady, unknown: exitCodes.unknown }
  return { verdict, because, exitCode: codes[verdict] }
}

function names(entries: ChecklistEntry[]): string {
  return entries.map((entry) => entry.id).join(', ')
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
