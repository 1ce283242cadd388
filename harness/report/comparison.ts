/**
 * Two saved results side by side: what is red now and was not, what no longer is, which figures moved
 * by more than one run's noise, and what was different to begin with. Pure.
 */
import type { VerdictKind } from '../verdict.ts'
import { duration, instant, plural, valueWithUnit } from './figures.ts'
import { headline } from './groups.ts'
import { neutralise } from './neutralise.ts'
import type { CheckResult, Result } from './result.ts'

export interface CheckChange {
  scenario: string
  check: string
  before: VerdictKind | null
  now: VerdictKind | null
  because: string
}

export interface FigureChange {
  scenario: string
  check: string
  unit: string
  before: number
  now: number
  limit?: number
}

export interface Comparison {
  runs: { runId: string; startedAt: string; headline: string; score: number; durationMs: number }[]
  /** Checks that failed in the second run and not in the first. */
  broken: CheckChange[]
  /** Checks that failed in the first run and passed in the second. */
  fixed: CheckChange[]
  /** Every other change of a verdict: to or from unknown, not applicable, or not asked. */
  otherwise: CheckChange[]
  stillFailing: CheckChange[]
  figures: FigureChange[]
  /** What differed before anything was judged: programs, files, sizes. */
  differently: string[]
}

/**
 * Machines are noisy, and each figure here is of one run. A time, rate or size counts as moved only
 * beyond this factor; a count (requests, readers) where it differs at all.
 */
const noiseFactor = 1.5
const counted = /^(?!ms$|s$|bytes$|B$)[^/]*$/

export function compareResults(before: Result, now: Result): Comparison {
  const pairs = pairsOf(before, now)
  const changes = pairs.filter((pair) => pair.change.before !== pair.change.now).map(({ change }) => change)
  const isBroken = (change: CheckChange) => change.now === 'fail'
  const isFixed = (change: CheckChange) => change.before === 'fail' && change.now === 'pass'
  return {
    runs: [before, now].map((one) => ({ runId: one.runId, startedAt: one.startedAt, headline: headline(one), score: one.score, durationMs: one.durationMs })),
    broken: changes.filter(isBroken),
    fixed: changes.filter(isFixed),
    otherwise: changes.filter((change) => !isBroken(change) && !isFixed(change)),
    stillFailing: pairs.map(({ change }) => change).filter((change) => change.before === 'fail' && change.now === 'fail'),
    figures: pairs.flatMap(({ old, current }) => figureOf(old, current)),
    differently: differencesOf(before, now),
  }
}

/** A check as a scenario asked it. */
interface Asked {
  scenario: string
  check: CheckResult
}

interface Pair {
  old: Asked | undefined
  current: Asked | undefined
  change: CheckChange
}

function pairsOf(before: Result, now: Result): Pair[] {
  const [old, current] = [checksOf(before), checksOf(now)]
  return [...new Set([...old.keys(), ...current.keys()])].map((key) => {
    const pair = { old: old.get(key), current: current.get(key) }
    const one = (pair.current ?? pair.old)!
    const change = {
      scenario: one.scenario,
      check: one.check.id,
      before: pair.old?.check.verdict ?? null,
      now: pair.current?.check.verdict ?? null,
      because: one.check.because,
    }
    return { ...pair, change }
  })
}

/** By keys that are the same in every run. A scenario may ask a check several times: they are paired in their order. */
export function checksOf({ scenarios }: Pick<Result, 'scenarios'>): Map<string, Asked> {
  const found = new Map<string, Asked>()
  for (const scenario of scenarios) {
    for (const check of scenario.checks) {
      let nth = 1
      while (found.has(`${scenario.id}/${check.id}/${nth}`)) nth += 1
      found.set(`${scenario.id}/${check.id}/${nth}`, { scenario: scenario.id, check })
    }
  }
  return found
}

function figureOf(old: Asked | undefined, current: Asked | undefined): FigureChange[] {
  const [before, now] = [old?.check, current?.check]
  if (before?.value === undefined || now?.value === undefined || now.unit === undefined || before.unit !== now.unit) return []
  if (!moved(before.value, now.value, now.unit)) return []
  const figure = { scenario: current!.scenario, check: now.id, unit: now.unit, before: before.value, now: now.value }
  return [now.limit === undefined ? figure : { ...figure, limit: now.limit }]
}

function moved(before: number, now: number, unit: string): boolean {
  if (counted.test(unit)) return before !== now
  const [small, large] = [Math.min(Math.abs(before), Math.abs(now)), Math.max(Math.abs(before), Math.abs(now))]
  return large > small * noiseFactor
}

/** What differed before anything was judged: programs, configurations, sizes; a line each. */
export function differencesOf(before: Result, now: Result): string[] {
  const facts = (result: Result): [string, string][] => [
    ['profile', result.profile],
    ['runtime', result.runtime],
    ['seed', String(result.seed)],
    ['simulator', `${result.harness.version} at ${result.harness.commit ?? 'no commit'}${result.harness.dirty ? ', changed' : ''}`],
    ['host', `${plural(result.host.cores, 'core')}, kernel ${result.host.kernel}, Node ${result.host.node}`],
    ...result.subject.hops.flatMap((hop): [string, string][] => [
      [hop.id, `${hop.kind} ${hop.version}${hop.sha256 === null ? '' : `, program ${hop.sha256.slice(0, 12)}`}`],
      [`${hop.id}'s configuration`, hop.configSha256?.slice(0, 12) ?? 'none'],
    ]),
    ...Object.entries(result.options).map(([name, value]): [string, string] => [`option ${name}`, JSON.stringify(value)]),
    ...result.notRun.map(({ id }): [string, string] => [`scenario ${id}`, 'not run']),
  ]
  return changedFacts(facts(before), facts(now))
}

/** Of facts by their names, a line for each that is not the same: 'seed: 7, now 8'. */
export function changedFacts(before: readonly [string, string][], now: readonly [string, string][]): string[] {
  const [old, current] = [new Map(before), new Map(now)]
  const names = [...new Set([...old.keys(), ...current.keys()])]
  return names.filter((name) => old.get(name) !== current.get(name)).map((name) => `${name}: ${old.get(name) ?? 'none'}, now ${current.get(name) ?? 'none'}`)
}

/** The comparison as plain lines, what matters first. */
export function comparisonLines(comparison: Comparison): string[] {
  const { runs, broken, fixed, otherwise, stillFailing, figures, differently } = comparison
  return [
    ...runs.map((run, index) => `${index === 0 ? 'Before' : 'Now   '} ${run.runId}, ${instant(run.startedAt)}, ${duration(run.durationMs)}, score ${run.score}: ${run.headline}`),
    ...section('Broken', broken.map(changeLine), 'Nothing is red that was not red before.'),
    ...section('Fixed', fixed.map(changeLine), null),
    ...section('Judged otherwise', otherwise.map(changeLine), null),
    ...section('Still failing', stillFailing.map(({ scenario, check, because }) => `${check} of ${scenario}: ${because}`), null),
    ...section(`Figures that moved (times and rates by more than ${noiseFactor}x; one run each)`, figures.map(figureLine), null),
    ...section('Different to begin with', differently, null),
  ].map(neutralise)
}

function section(title: string, lines: string[], otherwise: string | null): string[] {
  if (lines.length === 0) return otherwise === null ? [] : ['', otherwise]
  return ['', title, ...lines.map((line) => `  ${line}`)]
}

function changeLine({ scenario, check, before, now, because }: CheckChange): string {
  return `${check} of ${scenario}: ${before ?? 'not asked'}, now ${now ?? 'not asked'}: ${because}`
}

function figureLine({ scenario, check, unit, before, now, limit }: FigureChange): string {
  const bound = limit === undefined ? '' : ` (limit ${valueWithUnit(limit, unit)})`
  return `${check} of ${scenario}: ${valueWithUnit(before, unit)}, now ${valueWithUnit(now, unit)}${bound}`
}
