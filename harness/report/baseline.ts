/**
 * The candidate beside its baseline, from several runs of each that were made in turn: what fails in the
 * candidate and not in the baseline, what fails in both, what no longer does, which figures moved by more
 * than these runs' own noise, and what was different to begin with. The verdict is the candidate's. Pure.
 */
import type { VerdictKind } from '../verdict.ts'
import { figuresOf, type Figure } from './compared-figures.ts'
import { checksOf, differencesOf } from './comparison.ts'
import { number, percent, plural, valueWithUnit } from './figures.ts'
import { medianOf } from './median.ts'
import { neutralise } from './neutralise.ts'
import { pairedRatio, type PairedRatio } from './paired-ratio.ts'
import type { CheckResult, Result } from './result.ts'

/** How a check ended in the runs of one side. */
export interface Share {
  fail: number
  pass: number
  /** Unknown, not applicable, or not asked. */
  other: number
}

export type Change = 'new-failure' | 'also-in-the-baseline' | 'fixed' | 'otherwise' | 'same'

export interface ComparedCheck {
  scenario: string
  check: string
  change: Change
  baseline: Share
  candidate: Share
  /** Of the candidate's first failure, else of the baseline's. */
  because: string
  fingerprint?: string
}

export interface ComparedFigure extends Omit<Figure, 'value'> {
  /** Medians. */
  baseline: number
  candidate: number
  /** Candidate to baseline, 95 %; null where it cannot be told. */
  ratio: PairedRatio | null
  /** Beyond the noise of all figures together, and by more than `effectMin`; null where no claim is made. */
  moved: 'better' | 'worse' | null
}

export interface Side {
  runIds: string[]
  subject: string
  sha256: string | null
}

export interface BesideBaseline {
  rounds: number
  baseline: Side
  candidate: Side
  checks: ComparedCheck[]
  figures: ComparedFigure[]
  differently: string[]
}

const confidence = 0.95
/** Less is no change that anybody would act on. */
const effectMin = 1.05

/** Both in the order of the rounds; a side's last run may be missing where time was over. */
export function besideBaseline(baseline: readonly Result[], candidate: readonly Result[]): BesideBaseline {
  const rounds = Math.min(baseline.length, candidate.length)
  const [before, now] = [baseline.slice(0, rounds), candidate.slice(0, rounds)]
  return {
    rounds,
    baseline: sideOf(baseline),
    candidate: sideOf(candidate),
    checks: compareChecks(baseline, candidate),
    figures: compareFigures(before, now),
    differently: rounds === 0 ? [] : differencesOf(before[0]!, now[0]!).filter((line) => !/^option (serverBin|baselineServerBin|origin|keep)\b/.test(line)),
  }
}

function sideOf(results: readonly Result[]): Side {
  const subject = results[0]?.subject
  return { runIds: results.map(({ runId }) => runId), subject: subject === undefined ? 'not run' : `${subject.kind} server ${subject.version}, ${subject.label}`, sha256: subject?.sha256 ?? null }
}

// --- checks ----------------------------------------------------------------------------------

interface Asked {
  scenario: string
  check: string
  results: CheckResult[]
}

function compareChecks(baseline: readonly Result[], candidate: readonly Result[]): ComparedCheck[] {
  const [before, now] = [asked(baseline), asked(candidate)]
  return [...new Set([...now.keys(), ...before.keys()])].map((key) => {
    const { scenario, check } = (now.get(key) ?? before.get(key))!
    const [old, current] = [before.get(key)?.results ?? [], now.get(key)?.results ?? []]
    const change = changeOf(old, current)
    const telling = current.find(({ verdict }) => verdict === 'fail') ?? old.find(({ verdict }) => verdict === 'fail') ?? current[0] ?? old[0]!
    const shares = { baseline: shareOf(old, baseline.length), candidate: shareOf(current, candidate.length) }
    return { scenario, check, change, ...shares, because: telling.because, ...(telling.fingerprint === undefined ? {} : { fingerprint: telling.fingerprint }) }
  })
}

function asked(results: readonly Result[]): Map<string, Asked> {
  const found = new Map<string, Asked>()
  for (const [key, { scenario, check }] of results.flatMap((result) => [...checksOf(result)])) {
    const own = found.get(key) ?? { scenario, check: check.id, results: [] }
    own.results.push(check)
    found.set(key, own)
  }
  return found
}

/** The same failure is one of the same fingerprint; another one of the same check is new. */
function changeOf(before: readonly CheckResult[], now: readonly CheckResult[]): Change {
  const failing = (results: readonly CheckResult[]) => results.filter(({ verdict }) => verdict === 'fail')
  const known = new Set(failing(before).map(({ id, fingerprint }) => fingerprint ?? id))
  const failures = failing(now)
  if (failures.some(({ id, fingerprint }) => !known.has(fingerprint ?? id))) return 'new-failure'
  if (failures.length > 0) return 'also-in-the-baseline'
  if (known.size > 0 && now.length > 0 && now.every(({ verdict }) => verdict === 'pass')) return 'fixed'
  const kinds = (results: readonly CheckResult[]) => [...new Set(results.map(({ verdict }): VerdictKind => verdict))].toSorted().join()
  return kinds(before) === kinds(now) ? 'same' : 'otherwise'
}

function shareOf(results: readonly CheckResult[], runs: number): Share {
  const count = (kind: VerdictKind) => results.filter(({ verdict }) => verdict === kind).length
  return { fail: count('fail'), pass: count('pass'), other: runs - count('fail') - count('pass') }
}

// --- figures ---------------------------------------------------------------------------------

function compareFigures(baseline: readonly Result[], candidate: readonly Result[]): ComparedFigure[] {
  const [before, now] = [valuesOf(baseline), valuesOf(candidate)]
  const inEach = [...now].flatMap(([id, { figure, values }]) => {
    const old = before.get(id)
    const isWhole = old?.values.length === baseline.length && values.length === candidate.length
    return isWhole ? [{ figure, old: old!.values, values }] : []
  })
  // Of many figures one in twenty would be outside of its interval by chance: a claim is made for all of them at once.
  const strict = 1 - (1 - confidence) / Math.max(1, inEach.length)
  return inEach.map(({ figure: { value: _one, ...figure }, old, values }) => ({
    ...figure,
    baseline: medianOf(old),
    candidate: medianOf(values),
    ratio: pairedRatio(old, values, confidence),
    moved: movedTo(pairedRatio(old, values, strict), figure.better),
  }))
}

function valuesOf(results: readonly Result[]): Map<string, { figure: Figure; values: number[] }> {
  const found = new Map<string, { figure: Figure; values: number[] }>()
  for (const figure of results.flatMap((result) => figuresOf(result))) {
    const own = found.get(figure.id) ?? { figure, values: [] }
    own.values.push(figure.value)
    found.set(figure.id, own)
  }
  return found
}

function movedTo(ratio: PairedRatio | null, better: Figure['better']): ComparedFigure['moved'] {
  if (ratio === null) return null
  const isMore = ratio.low > 1 && ratio.ratio > effectMin
  const isLess = ratio.high < 1 && ratio.ratio < 1 / effectMin
  if (!isMore && !isLess) return null
  return isLess === (better === 'less') ? 'better' : 'worse'
}

// --- words -----------------------------------------------------------------------------------

export const changeTitles: Record<Exclude<Change, 'same'>, string> = {
  'new-failure': 'Fails in the candidate, and was not seen in the baseline',
  'also-in-the-baseline': 'Also in the baseline',
  fixed: 'Failed in the baseline, and no longer',
  otherwise: 'Judged otherwise',
}

export function shareWords({ fail, pass, other }: Share): string {
  const parts = [[fail, 'failed'], [pass, 'passed'], [other, 'not judged']] as const
  return parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`).join(', ') || 'not run'
}

/** '1.32 x (95 %: 1.1 to 1.58)'. */
export function ratioWords(ratio: PairedRatio | null): string {
  if (ratio === null) return 'cannot be told'
  return `${number(ratio.ratio)} x (95 %: ${number(ratio.low)} to ${number(ratio.high)})`
}

/** What these runs can say of figures, in one sentence. */
export function figuresSentence({ figures, rounds }: BesideBaseline): string {
  if (figures.length === 0) return 'No figure was measured on both sides in every round.'
  if (rounds < 2) return `No claim is made of figures from one round (${number(figures.length)} measured); --repeat 5 tells them from noise.`
  const moved = figures.filter((figure) => figure.moved !== null)
  const widths = figures.flatMap(({ ratio }) => (ratio === null ? [] : [ratio.high / ratio.ratio - 1])).toSorted((a, b) => a - b)
  const usual = widths[Math.floor(widths.length / 2)]
  const noise = usual === undefined ? '' : ` The usual figure is known to ${usual < 1 ? percent(usual) : `a factor of ${number(usual + 1)}`} (95 %, ${plural(rounds, 'round')}); more rounds tell smaller changes: --repeat.`
  const others = figures.length - moved.length
  return `${moved.length === 0 ? `None of ${plural(figures.length, 'figure')} moved beyond the noise of these runs.` : `${plural(moved.length, 'figure')} moved beyond the noise of these runs, ${number(others)} did not.`}${noise}`
}

/** For a terminal: what matters first, each line without a break. */
export function besideBaselineLines(compared: BesideBaseline): string[] {
  const { rounds, baseline, candidate, checks, figures, differently } = compared
  const of = (change: Change) => checks.filter((one) => one.change === change)
  const failing = of('new-failure')
  return [
    `Beside the baseline, in turn, ${plural(rounds, 'round')}`,
    `  baseline   ${sideWords(baseline)}`,
    `  candidate  ${sideWords(candidate)}`,
    ...(failing.length === 0 ? ['', 'Nothing fails in the candidate that did not fail in the baseline as well.'] : []),
    ...(Object.keys(changeTitles) as (keyof typeof changeTitles)[]).flatMap((change) => section(changeTitles[change], of(change).map(checkLine))),
    '',
    figuresSentence(compared),
    ...figures.filter((figure) => figure.moved !== null).map(figureLine),
    ...section('Different to begin with', differently),
  ].map(neutralise)
}

export function sideWords({ subject, sha256 }: Side): string {
  return `${subject}${sha256 === null ? '' : `, ${sha256.slice(0, 12)}`}`
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)]
}

function checkLine({ scenario, check, baseline, candidate, because }: ComparedCheck): string {
  return `${check} of ${scenario}: candidate ${shareWords(candidate)}; baseline ${shareWords(baseline)}: ${because}`
}

function figureLine({ scenario, words, unit, baseline, candidate, ratio, moved }: ComparedFigure): string {
  return `  ${moved}: ${words} of ${scenario}: ${valueWithUnit(baseline, unit)}, now ${valueWithUnit(candidate, unit)}: ${ratioWords(ratio)}`
}
