/**
 * `npm run rejudge -- <run folder>`: judges a run again from its history, with the checks of today, and
 * says where that differs from the saved result. No process, no server: the same folder gives the same
 * answer. Writes nothing but where `--out` says.
 */
import { mkdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { overruled } from './audits/overruled.ts'
import { concludeAll } from './conclude.ts'
import { exitCodes, UsageError } from './errors.ts'
import { expectedFailuresOf } from './expected-failures.ts'
import { ledger } from './expected-failures-ledger.ts'
import { explain } from './explain.ts'
import { readHistory, type HistoryCondition } from './history-file.ts'
import { cutShort } from './judge.ts'
import { number, plural } from './report/figures.ts'
import { neutralise } from './report/neutralise.ts'
import type { Result, ScenarioResult } from './report/result.ts'
import { RunJudge } from './run-judge.ts'
import { saveResult } from './save-result.ts'
import { readSavedResult } from './saved-result.ts'

export interface Rejudged {
  saved: Result
  /** As the history is judged today. Its exit code is that of its verdict. */
  result: Result
  condition: HistoryCondition
  /** Where it differs from the saved result, a line each. */
  differences: string[]
}

/**
 * Judges the run in this folder again. A history that ends too early, or that is damaged, proves less:
 * what went wrong in it stands, what did not is `unknown`.
 * @throws UsageError for a folder that holds no run, or one that this version cannot judge
 */
export async function rejudge(folder: string): Promise<Rejudged> {
  const saved = await readSavedResult(folder)
  const judge = new RunJudge()
  const condition = await feed(folder, judge)
  if (condition.files === 0) throw new UsageError(`${folder} holds no history: there is no history-0001.jsonl in it.`)
  if (judge.begin === null) {
    throw new UsageError(`The history in ${folder} does not tell what its run asserted: its beginning is gone, or an older version wrote it.`)
  }
  const because = unfinishedBecause(judge, condition)
  judge.endOpen('the run died before the scenario had ended')
  const scenarios = inSavedOrder(saved, judge.scenarios).map((scenario) => lessDamage(scenario, condition))
  const notRun = notRunOf(saved, scenarios)
  const interruption = because === null ? null : { message: because, exitCode: exitCodes.unknown }
  const result: Result = {
    ...saved,
    expectedFailures: expectedFailuresOf(ledger, { ...saved.subject, twins: judge.begin.facts.twins }, scenarios),
    ...concludeAll({ ...judge.begin.facts, scenarios, notRun }, interruption),
    banners: [...saved.banners, 'JUDGED AGAIN: this result was made from the saved history of its run.'],
    findings: overruled(saved.findings ?? [], scenarios),
    scenarios,
    notRun,
  }
  return { saved, result, condition, differences: differencesOf(saved, result) }
}

async function feed(folder: string, judge: RunJudge): Promise<HistoryCondition> {
  try {
    return await readHistory(folder, (event) => judge.write(event))
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`The history in ${folder} cannot be judged by this version: ${error.message}.`)
    throw error
  }
}

/** Why the history tells less than a whole run; null where it tells all. */
function unfinishedBecause(judge: RunJudge, { torn, damage }: HistoryCondition): string | null {
  if (damage.length > 0) return `The history is damaged: ${damage.join('; ')}.`
  if (judge.end === null) return `The run died, or has not ended: its history ends ${torn ? 'in half a line' : 'before the run does'}.`
  return judge.end.interruptedBecause
}

function lessDamage(scenario: ScenarioResult, { damage }: HistoryCondition): ScenarioResult {
  return damage.length === 0 ? scenario : cutShort(scenario, `the history is damaged: ${damage.join('; ')}`)
}

function inSavedOrder(saved: Result, scenarios: ScenarioResult[]): ScenarioResult[] {
  const order = [...saved.scenarios, ...saved.notRun].map(({ id }) => id)
  return scenarios.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
}

/** Nothing vanishes: a scenario that the history does not hold is listed with that reason. */
function notRunOf(saved: Result, scenarios: ScenarioResult[]): Result['notRun'] {
  const judged = new Set(scenarios.map(({ id }) => id))
  const gone = saved.scenarios.map(({ id, checks }) => ({
    id,
    because: 'The history holds no event of it.',
    rows: [...new Set(checks.flatMap((check) => check.rows))],
  }))
  return [...gone, ...saved.notRun].filter(({ id }) => !judged.has(id))
}

function differencesOf(saved: Result, again: Result): string[] {
  const before = new Map(saved.scenarios.map((scenario) => [scenario.id, scenario]))
  return [
    ...changed('verdict', saved.verdict, again.verdict),
    ...again.scenarios.flatMap((scenario) => scenarioDifferences(before.get(scenario.id), scenario)),
    ...again.checklist.flatMap((row, index) => changed(`row ${row.id}`, saved.checklist[index]?.verdict, row.verdict)),
  ]
}

function scenarioDifferences(before: ScenarioResult | undefined, { id, verdict, checks }: ScenarioResult): string[] {
  const ofChecks = checks.flatMap((check, index) => {
    const old = before?.checks[index]
    const name = `check ${check.id} of ${id}`
    const of = changed(name, old?.verdict, check.verdict)
    if (of.length > 0) return of.map((line) => `${line}: ${check.because}`)
    return changed(name, old?.fingerprint, check.fingerprint)
  })
  return [...changed(`scenario ${id}`, before?.verdict, verdict), ...ofChecks]
}

function changed(what: string, before: string | undefined, now: string | undefined): string[] {
  return before === now ? [] : [`${what}: ${before ?? 'none'}, now ${now ?? 'none'}`]
}

// --- the command -----------------------------------------------------------------------------

const usage = 'Usage: npm run rejudge -- <run folder> [--out FOLDER] [--json]'

interface Command {
  folder: string
  out: string | undefined
  json: boolean
}

async function main(args: string[]): Promise<number> {
  const command = commandOf(args)
  if (command === null) {
    process.stdout.write(`${usage}\n`)
    return exitCodes.ready
  }
  const rejudged = await rejudge(command.folder)
  if (command.out !== undefined) await saveInto(command.out, rejudged.result)
  process.stdout.write(command.json ? `${JSON.stringify(rejudged.result, null, 2)}\n` : `${linesOf(rejudged).map(neutralise).join('\n')}\n`)
  return rejudged.result.exitCode
}

/** Null where help is asked for. */
function commandOf(args: string[]): Command | null {
  try {
    const options = { out: { type: 'string' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
    if (values.help) return null
    if (positionals.length === 1) return { folder: positionals[0]!, out: values.out, json: values.json }
  } catch (error) {
    throw new UsageError(`${(error as Error).message} ${usage}`)
  }
  throw new UsageError(`Give one run's folder, as reports/latest. ${usage}`)
}

async function saveInto(folder: string, result: Result): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    await saveResult(folder, result)
  } catch (error) {
    throw new UsageError(`Nothing can be written to ${folder} (${(error as NodeJS.ErrnoException).code}); give another one with --out.`)
  }
}

function linesOf({ result, condition, differences }: Rejudged): string[] {
  const checks = result.scenarios.reduce((sum, scenario) => sum + scenario.checks.length, 0)
  const judged = `${plural(result.scenarios.length, 'scenario')}, ${plural(checks, 'check')}, ${plural(condition.events, 'event')}`
  return [
    `${result.verdict.toUpperCase().replace('-', ' ')}: ${result.because}`,
    `Judged again from the history of ${result.runId}: ${judged}; score ${number(result.score)}.`,
    ...(differences.length === 0 ? ['The saved result says the same.'] : ['The saved result differs:', ...differences.map((line) => `  ${line}`)]),
  ]
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2)).catch(explain)
