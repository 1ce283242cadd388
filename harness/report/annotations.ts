/**
 * What failed as annotations of GitHub's: workflow commands, one a line. GitHub keeps ten of each kind a
 * step, so that the tenth says how many more there are. Pure.
 */
import type { Finding } from '../audits/finding.ts'
import { auditScenario, failureKey, failuresOf, type Failure } from './failures.ts'
import { allWaived, rowsBy } from './groups.ts'
import { clip, neutralise } from './neutralise.ts'
import { plural } from './figures.ts'
import { shortened } from './readable-evidence.ts'
import type { Result } from './result.ts'

export interface Annotation {
  kind: (typeof annotationKinds)[number]
  title: string
  message: string
  file?: string
  line?: number
  column?: number
}

/** The worst first. */
export const annotationKinds = ['error', 'warning', 'notice'] as const

/** GitHub's own limit, of each kind a step. */
export const annotationsMax = 10
const messageCharactersMax = 1_000
const titleCharactersMax = 200

/** The workflow commands of a run, the worst first; at most `annotationsMax` of each kind. */
export function annotationLines(results: readonly Result[]): string[] {
  const all = results.flatMap(annotationsOf)
  return annotationKinds.flatMap((kind) => limited(all.filter((one) => one.kind === kind)).map(commandOf))
}

function limited(annotations: Annotation[]): Annotation[] {
  if (annotations.length <= annotationsMax) return annotations
  const { kind } = annotations[0]!
  const kept = annotations.slice(0, annotationsMax - 1)
  return [...kept, { kind, title: 'And more', message: `${annotations.length - kept.length} more of this kind stand in the job's summary and in the report.` }]
}

export function annotationsOf(result: Result): Annotation[] {
  const failures = failuresOf(result)
  const isCode = (failure: Failure) => failure.scenario === auditScenario && (result.findings ?? []).some(({ rule }) => rule === failure.check)
  return [
    ...loud(result),
    ...failures.filter((failure) => isNews(failure) && !isCode(failure)).map(failureAnnotation),
    ...(result.findings ?? []).map((finding) => findingAnnotation(finding, `Fix: ${finding.fix}`, allWaived(result, [finding.rule]).length > 0)),
    ...failures.filter((failure) => !isNews(failure) && !isCode(failure)).map(failureAnnotation),
    ...openRows(result),
    ...result.expectedFailures.filter(({ state }) => state === 'mended').map(mended),
  ]
}

/** What a green job would hide. What is fixed upstream has a line of its own. */
function loud({ banners }: Result): Annotation[] {
  const loudest = /^(REFERENCE SERVER|TWIN):/
  return banners.filter((banner) => !banner.startsWith('FIXED UPSTREAM:')).map((message) => ({ kind: loudest.test(message) ? 'error' : 'warning', title: 'Read this first', message }))
}

function isNews({ known, waived }: Failure): boolean {
  return known === null && waived === null
}

function failureAnnotation(failure: Failure): Annotation {
  const { known, waived, because } = failure
  const mark = waived !== null ? 'Waived: ' : known ? 'Known: ' : ''
  const why = `${known ? ` Known of this server version: ${known.why}` : ''}${waived === null ? '' : ` ${waived}`}`
  return { kind: isNews(failure) ? 'error' : 'warning', title: `${mark}${failureKey(failure)}`, message: `${because}${why}` }
}

const kinds = { error: 'error', warning: 'warning', note: 'notice' } as const

/** At its line, with the sentence that says what to do. What is waived is told, and is no error. */
export function findingAnnotation({ severity, file, line, column, message, rule }: Finding, fix: string, isWaived: boolean): Annotation {
  return { kind: isWaived ? 'notice' : kinds[severity], title: rule, message: `${isWaived ? 'Waived: ' : ''}${message} ${fix}`, file, line, column }
}

/** One for all: a row each would take the place of failures. Of a partial run the banner says it. */
function openRows(result: Result): Annotation[] {
  if (result.notRun.length > 0) return []
  const open = rowsBy(result, 'unknown').filter((row) => row.required && !row.waived)
  if (open.length === 0) return []
  return [{ kind: 'warning', title: 'Could not be judged', message: `${plural(open.length, 'required row')} unknown: ${open.map(({ id }) => id).join(', ')}.` }]
}

function mended({ fingerprint, scenario }: Result['expectedFailures'][number]): Annotation {
  return { kind: 'notice', title: 'Fixed upstream', message: `${fingerprint} of ${scenario} passed; remove its entry from harness/expected-failures-ledger.ts.` }
}

/** `::error title=…,file=…,line=3::message`. Nothing in it ends the command, its properties or the line. */
export function commandOf({ kind, title, message, file, line, column }: Annotation): string {
  const properties = Object.entries({ title: clip(title, titleCharactersMax), file, line: line || undefined, col: column || undefined })
  const said = properties.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${property(String(value))}`]))
  return `::${kind} ${said.join(',')}::${data(clip(shortened(message), messageCharactersMax))}`
}

/** As the runner reads it back (`@actions/core` writes it so): a percent sign first. */
function data(value: string): string {
  return neutralise(value).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(value: string): string {
  return data(value).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

/**
 * A line for a job's log in which the runner finds no command: it reads `::name::` at the beginning of a
 * line, and `##[name]` anywhere in it.
 */
export function inertInLog(line: string): string {
  return line.replaceAll('##[', '## [').replace(/^(\s*):(?=:)/, '$1: ')
}
