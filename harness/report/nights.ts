/**
 * A night beside those before it: what is red and was not, what passes again, what is red still and since
 * when; and each figure against the median of the last nights. Pure.
 */
import { failureKey, failuresOf, seenAgain, type Failure } from './failures.ts'
import { amount, instant, number, percent, plural } from './figures.ts'
import { codeSpan, text } from './markdown-text.ts'
import { medianOf } from './median.ts'
import { clip, neutralise } from './neutralise.ts'
import { figuresOf, type Figure } from './night-figures.ts'
import type { Result } from './result.ts'

/** Of these the median is taken. */
export const nightsMax = 14
/** Fewer say too little of what is usual. */
export const nightsMin = 5

/**
 * A figure has moved if it is further from the median than noise explains: beyond so many scaled median
 * absolute deviations, beyond what those nights saw by half of how far they lay apart, and by more than
 * anybody would act upon. Of plain noise of 5 to 20 % that tells 1 figure in 300 to 1,500 falsely after
 * fourteen nights, and 1 in 30 after five; half as much again is found, 3 in 10 more three times of four
 * (test/report/nights.test.ts).
 */
const deviationsMin = 5
const rangeMargin = 0.5
/** Makes the median absolute deviation of normal noise its standard deviation. */
const madScale = 1.4826
const shareMin = 0.15
const leastMove: Record<Figure['unit'], number> = {
  ms: 5,
  bytes: 1024 ** 2,
  count: 1,
  'per second': 1,
  'bytes an hour': 1024 ** 2,
  'ms an hour': 1,
  'count an hour': 1,
}

export interface Standing {
  failure: Failure
  /** Nights in a row, this one among them. */
  nights: number
  /** When the first of those nights was. */
  since: string
  /** In how many of the nights that are kept it was there before, though not in the last. */
  earlier: number
}

export interface Move {
  figure: Figure
  median: number
  /** Scaled median absolute deviation: about a standard deviation of those nights. */
  spread: number
  nights: number
  worse: boolean
}

export interface Night {
  runId: string
  startedAt: string
  /** 'production behind varnish, full profile'. */
  series: string
  /** The night before of the same series; null where none is kept. */
  previous: { runId: string; startedAt: string } | null
  /** What was otherwise: the server's version, the simulator's. */
  differently: string[]
  fresh: Standing[]
  stillFailing: Standing[]
  /** Failed the night before, and was seen to pass. */
  fixed: Failure[]
  /** Failed the night before, and was not judged now: not fixed. */
  notSeen: Failure[]
  drift: { state: 'too-few'; nights: number } | { state: 'compared'; nights: number; figures: number; moved: Move[] }
}

/** Whose failures they are: those of the reference server, or behind another cache, are others. */
export function subjectOf({ subject, options }: Result): string {
  const edge = typeof options['edge'] === 'string' ? options['edge'] : 'varnish'
  return `${subject.kind} behind ${edge}`
}

/** What nights are compared within. */
export function seriesOf(result: Result): string {
  return `${subjectOf(result)}, ${result.profile} profile`
}

/** `earlier` in any order, of any kind; those that are no earlier nights of this series are left out. */
export function compareNight(tonight: Result, earlier: readonly Result[]): Night {
  const series = earlierNights(tonight, earlier)
  const [previous] = series
  const failures = failuresOf(tonight)
  const old = previous ? failuresOf(previous) : []
  const before = new Set(old.map(failureKey))
  const now = Map.groupBy(old, (failure) => seenAgain(tonight, failure))
  return {
    runId: tonight.runId,
    startedAt: tonight.startedAt,
    series: seriesOf(tonight),
    previous: previous ? { runId: previous.runId, startedAt: previous.startedAt } : null,
    differently: previous ? differencesOf(previous, tonight) : [],
    fresh: failures.filter((failure) => !before.has(failureKey(failure))).map((failure) => standing(failure, tonight, series)),
    stillFailing: failures.filter((failure) => before.has(failureKey(failure))).map((failure) => standing(failure, tonight, series)),
    fixed: now.get('passed') ?? [],
    notSeen: now.get('not-judged') ?? [],
    drift: driftOf(tonight, series),
  }
}

/** Of the same series, the newest first; the same night once more is none. */
function earlierNights(tonight: Result, earlier: readonly Result[]): Result[] {
  const others = earlier.filter((one) => one.runId !== tonight.runId && seriesOf(one) === seriesOf(tonight) && one.startedAt < tonight.startedAt)
  return others.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))
}

function standing(failure: Failure, tonight: Result, series: readonly Result[]): Standing {
  const had = series.map((one) => seenAgain(one, failure) === 'failed')
  const before = had.indexOf(false) === -1 ? had.length : had.indexOf(false)
  return { failure, nights: before + 1, since: series[before - 1]?.startedAt ?? tonight.startedAt, earlier: before > 0 ? 0 : had.filter(Boolean).length }
}

function differencesOf(before: Result, now: Result): string[] {
  const facts = ({ subject, harness }: Result): [string, string][] => [
    ['server', `${subject.version}${subject.sha256 === null ? '' : `, program ${subject.sha256.slice(0, 12)}`}`],
    ...subject.hops.filter(({ id }) => id !== 'origin').map(({ id, kind, version }): [string, string] => [id, `${kind} ${version}`]),
    ['simulator', `${harness.version} at ${harness.commit?.slice(0, 12) ?? 'no commit'}`],
  ]
  const old = new Map(facts(before))
  return facts(now).flatMap(([name, value]) => (old.get(name) === value ? [] : [`${name}: ${value}; before ${old.get(name) ?? 'none'}`]))
}

// --- drift -----------------------------------------------------------------------------------

/** What must be equal for two runs' figures to be held against each other. */
function measuredAlike({ runtime, host, options }: Result): string {
  const sizes = ['ids', 'readers', 'streams', 'staleMs', 'forMs'].map((name) => options[name] ?? null)
  // Memory as one buys it: the same kind of machine reports some MiB more or less.
  return JSON.stringify([runtime, host.cores, Math.round(host.memoryBytes / 1024 ** 3), sizes])
}

function driftOf(tonight: Result, series: readonly Result[]): Night['drift'] {
  const alike = series.filter((one) => measuredAlike(one) === measuredAlike(tonight)).slice(0, nightsMax)
  if (alike.length < nightsMin) return { state: 'too-few', nights: alike.length }
  const values = new Map<string, number[]>()
  for (const figure of alike.flatMap(figuresOf)) values.set(figure.id, [...(values.get(figure.id) ?? []), figure.value])
  const known = figuresOf(tonight).filter(({ id }) => (values.get(id)?.length ?? 0) >= nightsMin)
  const moved = known.flatMap((figure) => moveOf(figure, values.get(figure.id)!) ?? [])
  return { state: 'compared', nights: alike.length, figures: known.length, moved: moved.toSorted((a, b) => Number(b.worse) - Number(a.worse) || farness(b) - farness(a)) }
}

/** Null for a figure that is where it usually is. */
export function moveOf(figure: Figure, before: readonly number[]): Move | null {
  const median = medianOf(before)
  const spread = madScale * medianOf(before.map((value) => Math.abs(value - median)))
  const distance = Math.abs(figure.value - median)
  const [lowest, highest] = [Math.min(...before), Math.max(...before)]
  const margin = rangeMargin * (highest - lowest)
  const usual = figure.value >= lowest - margin && figure.value <= highest + margin
  const enough = Math.max(deviationsMin * spread, shareMin * Math.abs(median), leastMove[figure.unit])
  if (usual || distance < enough) return null
  return { figure, median, spread, nights: before.length, worse: figure.value > median === (figure.better === 'lower') }
}

function farness({ figure, median }: Move): number {
  return Math.abs(figure.value - median) / Math.max(Math.abs(median), leastMove[figure.unit])
}

// --- words -----------------------------------------------------------------------------------

/** How many of a list are shown; the rest is counted. */
const shownMax = 60
/** Of a name, and of what is said of it: a summary has room for a megabyte. */
const lineCharactersMax = 400

interface Section {
  title: string
  items: { name: string; words: string }[]
}

function head({ series, previous, startedAt }: Night): string {
  const before = previous ? `the night before: ${previous.runId}, ${instant(previous.startedAt)}` : 'no earlier night of this series is kept'
  return `${series}, ${instant(startedAt)}; ${before}`
}

function sections(night: Night): Section[] {
  return [
    { title: night.previous ? 'New' : 'Failing; without a night before nobody can say what is new', items: night.fresh.map(freshItem) },
    { title: 'Fixed: seen to pass', items: night.fixed.map((failure) => ({ name: failureKey(failure), words: '' })) },
    { title: 'Still failing', items: night.stillFailing.map(stillItem) },
    { title: 'Failed the night before, not judged now', items: night.notSeen.map((failure) => ({ name: failureKey(failure), words: '' })) },
    { title: 'Different to begin with', items: night.differently.map((words) => ({ name: '', words })) },
    ...driftSections(night.drift),
  ]
}

function freshItem({ failure, earlier }: Standing): Section['items'][number] {
  const again = earlier === 0 ? '' : ` It was there before, in ${plural(earlier, 'night')} of those that are kept, but not in the last.`
  return { name: `${failureKey(failure)}${knownMark(failure)}`, words: `${failure.because}${again}` }
}

function stillItem({ failure, nights, since }: Standing): Section['items'][number] {
  return { name: `${failureKey(failure)}${knownMark(failure)}`, words: `${plural(nights, 'night')} in a row, since ${instant(since)}: ${failure.because}` }
}

function knownMark({ known, waived }: Failure): string {
  return `${known ? ' (known of this server version)' : ''}${waived === null ? '' : ' (waived)'}`
}

function driftSections(drift: Night['drift']): Section[] {
  if (drift.state === 'too-few') return []
  const [worse, better] = [drift.moved.filter((move) => move.worse), drift.moved.filter((move) => !move.worse)]
  const of = `against the median of ${plural(drift.nights, 'night')}`
  return [
    { title: `Figures that became worse, ${of}`, items: worse.map(moveItem) },
    { title: `Figures that became better, ${of}`, items: better.map(moveItem) },
  ]
}

function moveItem({ figure, median, spread }: Move): Section['items'][number] {
  const change = median === 0 ? '' : `, ${figure.value > median ? '+' : '-'}${percent(Number((Math.abs(figure.value - median) / Math.abs(median)).toPrecision(2)))}`
  return { name: `${figure.scenario}: ${figure.title}`, words: `${valueOf(figure.value, figure.unit)}, median ${valueOf(median, figure.unit)} ± ${valueOf(spread, figure.unit)}${change}` }
}

function valueOf(value: number, unit: Figure['unit']): string {
  if (unit === 'per second') return `${number(Number(value.toPrecision(3)))}/s`
  const [kind, hourly] = unit.split(' an ') as ['ms' | 'bytes' | 'count', string | undefined]
  return `${amount(value, kind, hourly !== undefined)}${hourly === undefined ? '' : ' an hour'}`
}

function driftSentence(drift: Night['drift']): string {
  if (drift.state === 'too-few') {
    return `Figures are not compared: ${plural(drift.nights, 'comparable night')} ${drift.nights === 1 ? 'is' : 'are'} kept (same series, runtime, kind of host and sizes), and ${nightsMin} are needed.`
  }
  const compared = `${plural(drift.figures, 'figure')} compared with the median of ${plural(drift.nights, 'night')}`
  return drift.moved.length === 0 ? `${compared}: none moved.` : `${compared}: ${number(drift.moved.length)} moved.`
}

function nothingNew(night: Night): string[] {
  if (night.fresh.length > 0) return []
  return [night.previous ? 'Nothing is red that was not red the night before.' : 'Nothing is red.']
}

/** The comparison as plain lines. */
export function nightLines(night: Night): string[] {
  const items = ({ title, items: all }: Section) => {
    if (all.length === 0) return []
    const shown = all.slice(0, shownMax).map(({ name, words }) => `  ${[name, words].filter((part) => part !== '').join(': ')}`)
    return ['', title, ...shown, ...(all.length > shownMax ? [`  … and ${number(all.length - shownMax)} more`] : [])]
  }
  return [head(night), ...nothingNew(night), ...sections(night).flatMap(items), '', driftSentence(night.drift)].map(neutralise)
}

/** The comparison as Markdown for GitHub. */
export function nightMarkdown(night: Night): string {
  const items = ({ title, items: all }: Section) => {
    if (all.length === 0) return []
    const shown = all.slice(0, shownMax).map(({ name, words }) => `- ${[name === '' ? '' : codeSpan(clip(name, lineCharactersMax)), text(clip(words, lineCharactersMax))].filter((part) => part !== '').join(': ')}`)
    return ['', `### ${text(title)}: ${number(all.length)}`, '', ...shown, ...(all.length > shownMax ? [`- … and ${number(all.length - shownMax)} more`] : [])]
  }
  const lines = ['## Beside the nights before', '', text(head(night)), ...nothingNew(night).flatMap((line) => ['', text(line)]), ...sections(night).flatMap(items), '', text(driftSentence(night.drift))]
  return `${lines.join('\n')}\n`
}
