/** What a run on a mutant says, held against the runs on the unmutated base. Pure. */
import type { RowId } from '../checklist.ts'
import type { MutantResult } from '../report/mutants.ts'
import type { Result, ScenarioResult } from '../report/result.ts'

/** A run of the public command. */
export interface Ran {
  exitCode: number | undefined
  /** Its last words. */
  said: string
  /** Null where it saved none. */
  result: Result | null
  /** The edge's program broke down: a sentence. */
  brokeDown: string | null
}

/** By scenario the rows of which every check passed in every run of the base. */
export type Green = ReadonlyMap<string, ReadonlySet<RowId>>

export function greenOf(runs: readonly Result[]): Green {
  const [first, ...more] = runs.map(greenOfRun)
  const green = new Map<string, ReadonlySet<RowId>>()
  for (const [scenario, rows] of first ?? []) {
    green.set(scenario, new Set([...rows].filter((row) => more.every((other) => other.get(scenario)?.has(row)))))
  }
  return green
}

function greenOfRun({ scenarios }: Result): Map<string, Set<RowId>> {
  return new Map(scenarios.map((scenario) => [scenario.id, new Set(rowsOf(scenario).filter((row) => checksOf(scenario, row).every((check) => check.verdict === 'pass')))]))
}

export function rowsOf(scenario: ScenarioResult): RowId[] {
  return [...new Set(scenario.checks.filter((check) => check.verdict !== 'not-applicable').flatMap((check) => check.rows))]
}

function checksOf(scenario: ScenarioResult, row: RowId) {
  return scenario.checks.filter((check) => check.rows.includes(row) && check.verdict !== 'not-applicable')
}

/** What a mutant was run for. */
export interface Asked {
  rows: readonly RowId[]
  scenarios: readonly string[]
}

export type Outcome = Pick<MutantResult, 'killedBy' | 'checks' | 'survived' | 'invalid'>

/**
 * Killed is a mutant by a check that fails, of a row that was green on the base in that scenario, or by a
 * row that an audit of the files turned red. One that does not compile, breaks its program down or
 * leaves unknown what should have noticed it, is invalid: that says nothing of the checks.
 */
export function outcomeOfRun(ran: Ran, base: readonly Result[], { rows, scenarios }: Asked): Outcome {
  const invalid = (because: string): Outcome => ({ killedBy: [], checks: [], survived: false, invalid: because })
  if (ran.exitCode === 64) return invalid(`refused: ${firstLine(ran.said)}`)
  if (ran.brokeDown !== null) return invalid(ran.brokeDown)
  if (ran.result === null || ![0, 1, 2].includes(ran.exitCode ?? -1)) return invalid(`the run ended with ${ran.exitCode ?? 'no exit code'}: ${firstLine(ran.said)}`)
  const green = greenOf(base)
  const checks = [...byChecks(ran.result, green), ...byAudits(ran.result, base)]
  if (checks.length > 0) return { killedBy: [...new Set(checks.map((one) => one.row))], checks, survived: false }
  const doubt = doubtOf(ran.result, new Map([...green].filter(([id]) => scenarios.includes(id))), rows)
  return doubt === null ? { killedBy: [], checks: [], survived: true } : invalid(doubt)
}

/** A kill that was seen twice, by the rows that turned red both times; one that was not seen again says nothing. */
export function killedTwice(first: Outcome, second: Outcome): Outcome {
  const killedBy = first.killedBy.filter((row) => second.killedBy.includes(row))
  if (killedBy.length > 0) return { killedBy, checks: first.checks.filter((one) => killedBy.includes(one.row)), survived: false }
  const [once] = first.checks
  return { killedBy: [], checks: [], survived: false, invalid: `red once of two runs: ${once!.check} in ${once!.scenario}: ${firstLine(once!.because)}` }
}

function byChecks({ scenarios }: Result, green: Green): MutantResult['checks'] {
  return scenarios.flatMap((scenario) =>
    scenario.checks
      .filter((check) => check.verdict === 'fail')
      .flatMap((check) => check.rows.filter((row) => green.get(scenario.id)?.has(row)).map((row) => ({ row, check: check.id, scenario: scenario.id, because: check.because }))),
  )
}

/**
 * A row that fails without a failed check was failed by what the files say; on the base it must not have been. What
 * yields to a measurement kills nothing: the measurement is to notice it.
 */
function byAudits({ checklist, scenarios, findings = [] }: Result, base: readonly Result[]): MutantResult['checks'] {
  const failedByCheck = new Set(scenarios.flatMap((scenario) => scenario.checks.filter((check) => check.verdict === 'fail').flatMap((check) => check.rows)))
  return checklist
    .filter((row) => row.verdict === 'fail' && !failedByCheck.has(row.id))
    .filter((row) => !findings.some((one) => one.rule === row.id && one.yieldsToMeasurement) || findings.some((one) => one.rule === row.id && one.severity === 'error' && !one.yieldsToMeasurement))
    .filter((row) => base.every((result) => result.checklist.find((other) => other.id === row.id)?.verdict !== 'fail'))
    .map((row) => ({ row: row.id, check: 'audit', scenario: 'the files', because: row.because }))
}

/** Why nothing can be said of the rows that should have noticed it; null where all of them were judged. */
function doubtOf({ scenarios }: Result, green: Green, rows: readonly RowId[]): string | null {
  const judged = [...green].filter(([, known]) => rows.some((row) => known.has(row)))
  if (judged.length === 0) return `nothing that judges ${rows.join(', ')} is green on the base`
  for (const [id, known] of judged) {
    const scenario = scenarios.find((one) => one.id === id)
    if (scenario === undefined) return `${id} was not run`
    const open = scenario.checks.find((check) => check.verdict === 'unknown' && check.rows.some((row) => rows.includes(row) && known.has(row)))
    if (open !== undefined) return `unknown: ${open.id} in ${id}: ${firstLine(open.because)}`
  }
  return null
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]!.slice(0, 300)
}
