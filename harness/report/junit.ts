/**
 * The report as JUnit XML, for CI systems that list tests: one suite for the checklist, one for
 * each scenario. An unknown required row is an error there: it must not look green.
 */
import { allWaived, rowsBy, waiverSentence, type ChecklistRow } from './groups.ts'
import { neutralise } from './neutralise.ts'
import type { CheckResult, Result, ScenarioResult } from './result.ts'

interface Case {
  name: string
  seconds: number
  outcome: 'passed' | 'failure' | 'error' | 'skipped'
  message: string
  details: string[]
}

/** Renders a result as JUnit XML. */
export function renderJunit(result: Result): string {
  const suites = [
    suite('checklist', result.checklist.map((row) => rowCase(row, result))),
    suite('findings', (result.findings ?? []).map((finding) => unlessWaived(findingCase(finding), [finding.rule], result))),
    ...result.scenarios.map((scenario) => suite(scenario.id, scenario.checks.map((check) => unlessWaived(checkCase(check, scenario), check.rows, result)))),
    suite('did-not-run', result.notRun.map(({ id, because }) => ({ name: id, seconds: 0, outcome: 'skipped', message: because, details: [] }))),
  ]
  const totals = `tests="${result.checklist.length}" failures="${rowsBy(result, 'fail').filter((row) => !row.waived).length}"`
  const name = attribute(`production simulation ${result.runId}`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${name}" ${totals} time="${seconds(result.durationMs)}">\n${suites.join('')}</testsuites>\n`
}

/** What fails for waived rows only must not make a job red, nor look as if it had passed. */
function unlessWaived(one: Case, rows: readonly string[], result: Result): Case {
  const waived = allWaived(result, rows)
  if (one.outcome !== 'failure' || waived.length === 0) return one
  return { ...one, outcome: 'skipped', message: `${waived.map((row) => `${row.id}: ${waiverSentence(row, result)}`).join(' ')} Seen: ${one.message}` }
}

function rowCase(row: ChecklistRow, result: Result): Case {
  const unknown = row.required ? 'error' : 'skipped'
  const outcomes = { pass: 'passed', fail: 'failure', unknown, 'not-applicable': 'skipped' } as const
  const waiver = waiverSentence(row, result)
  const message = waiver === null ? row.because : `${waiver} Seen: ${row.because}`
  if (row.waived) return { name: `${row.id}: ${row.title}`, seconds: 0, outcome: 'skipped', message, details: [] }
  const details = [`Fix: ${row.fix}`, ...(row.reproduce === '' ? [] : [`Repeat: ${row.reproduce}`])]
  return { name: `${row.id}: ${row.title}`, seconds: 0, outcome: outcomes[row.verdict], message, details }
}

type FoundInFiles = NonNullable<Result['findings']>[number]

/** Only what is certain fails; the rest is told, and its row is open. */
function findingCase({ file, line, column, severity, message, fix, rule }: FoundInFiles): Case {
  return { name: `${file}:${line}:${column} ${rule}`, seconds: 0, outcome: severity === 'error' ? 'failure' : 'skipped', message, details: [`Fix: ${fix}`] }
}

function checkCase(check: CheckResult, scenario: ScenarioResult): Case {
  const outcomes = { pass: 'passed', fail: 'failure', unknown: 'skipped', 'not-applicable': 'skipped' } as const
  return {
    name: check.title ?? check.id,
    seconds: scenario.durationMs / 1_000 / scenario.checks.length,
    outcome: outcomes[check.verdict],
    message: check.because,
    details: check.evidence,
  }
}

function suite(name: string, cases: Case[]): string {
  if (cases.length === 0) return ''
  const count = (outcome: Case['outcome']) => cases.filter((one) => one.outcome === outcome).length
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`
  return `  <testsuite name="${attribute(name)}" ${counts}>\n${cases.map((one) => testcase(name, one)).join('')}  </testsuite>\n`
}

function testcase(suiteName: string, one: Case): string {
  const head = `    <testcase classname="${attribute(suiteName)}" name="${attribute(one.name)}" time="${one.seconds.toFixed(3)}"`
  if (one.outcome === 'passed') return `${head}/>\n`
  const details = one.outcome === 'skipped' ? '' : one.details.map((line) => attribute(line)).join('\n')
  return `${head}>\n      <${one.outcome} message="${attribute(one.message)}">${details}</${one.outcome}>\n    </testcase>\n`
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3)
}

/** XML forbids most control characters even when escaped: they are made visible before. */
function attribute(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
  return neutralise(text).replace(/[&<>"']/g, (character) => entities[character]!)
}
