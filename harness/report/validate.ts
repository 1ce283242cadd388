/**
 * Whether a `result.json` is what other programs rely on: its shape, and what a schema cannot say.
 * As a program: `node harness/report/validate.ts FILE` ends 0 with one line, or 1 with the problems.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { exitCodes } from '../errors.ts'
import { boxes, rowById, rowIds } from '../checklist.ts'
import { result as resultSchema, type Result } from './result.ts'

export type Validation = { valid: true; result: Result } | { valid: false; problems: string[] }

/** Validates an unknown value; each problem is a line that names the place. */
export function validateResult(value: unknown): Validation {
  const parsed = resultSchema.safeParse(value)
  if (!parsed.success) return { valid: false, problems: [z.prettifyError(parsed.error)] }
  const problems = inconsistencies(parsed.data)
  return problems.length > 0 ? { valid: false, problems } : { valid: true, result: parsed.data }
}

/** What holds between the fields of every honest result; an empty list if nothing is wrong. */
export function inconsistencies(result: Result): string[] {
  return [
    ...exitCodeProblems(result),
    ...verdictProblems(result),
    ...checklistProblems(result),
    ...boxProblems(result),
    ...scenarioProblems(result),
  ]
}

/** A run that was cut short is unknown, whatever it had seen by then. */
const exitCodesOf: Record<Result['verdict'], number[]> = {
  ready: [exitCodes.ready],
  'not-ready': [exitCodes.notReady],
  unknown: [exitCodes.unknown, exitCodes.harnessFault, exitCodes.hungUp, exitCodes.interrupted, exitCodes.terminated],
}

function exitCodeProblems(result: Result): string[] {
  const allowed = exitCodesOf[result.verdict]
  if (allowed.includes(result.exitCode)) return []
  return [`exitCode: ${result.exitCode} does not belong to verdict ${result.verdict} (${allowed.join(', ')})`]
}

function verdictProblems(result: Result): string[] {
  const problems: string[] = []
  const required = result.checklist.filter((row) => row.required && !row.waived)
  const failed = required.filter((row) => row.verdict === 'fail')
  const unknown = required.filter((row) => row.verdict === 'unknown')
  if (result.subject.kind === 'reference' && result.verdict !== 'unknown') {
    problems.push(`verdict: a reference server is never ${result.verdict}, only unknown`)
  }
  if (result.verdict === 'ready' && failed.length + unknown.length > 0) {
    const ids = [...failed, ...unknown].map((row) => row.id)
    problems.push(`verdict: ready, though required rows are not green: ${ids.join(', ')}`)
  }
  if (result.verdict === 'not-ready' && failed.length === 0) {
    problems.push('verdict: not-ready, though no required row failed')
  }
  const needless = result.checklist.filter((row) => row.waived && (row.verdict === 'pass' || row.verdict === 'not-applicable'))
  if (needless.length > 0) problems.push(`checklist: waived, though nothing of it is to be waived: ${needless.map((row) => row.id).join(', ')}`)
  const failedCritical = result.checklist.some((row) => row.verdict === 'fail' && row.severity === 'critical')
  if (failedCritical && result.score > 49) {
    problems.push(`score: ${result.score} is above 49 with a failed critical row`)
  }
  return problems
}

function checklistProblems(result: Result): string[] {
  const ids = result.checklist.map((row) => row.id)
  if (ids.join() !== rowIds.join()) {
    return [`checklist: must hold each of the ${rowIds.length} ids once and in order, but holds ${ids.join(', ')}`]
  }
  const known = new Set([...result.scenarios, ...result.notRun].map((scenario) => scenario.id))
  return result.checklist.flatMap((row) => {
    const { severity, required } = rowById(row.id)
    const problems: string[] = []
    if (row.severity !== severity || row.required !== required) {
      problems.push(`checklist.${row.id}: severity and required differ from the checklist's own`)
    }
    const strangers = row.scenarios.filter((id) => !known.has(id))
    if (strangers.length > 0) {
      problems.push(`checklist.${row.id}.scenarios: neither run nor listed as not run: ${strangers.join(', ')}`)
    }
    return problems
  })
}

function boxProblems(result: Result): string[] {
  const titles = result.boxes.map((box) => box.title)
  if (titles.join('\n') !== boxes.map((box) => box.title).join('\n')) {
    return [`boxes: must be the ${boxes.length} of the pre-deploy summary, in order, but are ${titles.length}: ${titles.join('; ')}`]
  }
  const verdicts = new Map(result.checklist.map((row) => [row.id, row.verdict]))
  return result.boxes
    .filter((box) => box.state === 'ticked' && box.rows.some((id) => verdicts.get(id) !== 'pass'))
    .map((box) => `boxes: "${box.title}" is ticked, though not all of its rows passed`)
}

function scenarioProblems(result: Result): string[] {
  const ids = result.scenarios.map((scenario) => scenario.id)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  const problems = twice.map((id) => `scenarios: ${id} stands there twice`)
  for (const scenario of result.scenarios) {
    for (const check of scenario.checks) {
      if (check.verdict === 'pass' && check.examined === 0) {
        problems.push(`scenarios.${scenario.id}.${check.id}: passed, though nothing was examined`)
      }
    }
  }
  return problems
}

/** The program: prints to stdout or stderr, returns the exit code. */
export function validateFile(file: string | undefined): number {
  if (file === undefined) {
    console.error('Which file? Usage: node harness/report/validate.ts reports/latest/result.json')
    return exitCodes.usage
  }
  const read = readJson(file)
  const validation = 'problem' in read ? { valid: false as const, problems: [read.problem] } : validateResult(read.value)
  if (!validation.valid) {
    console.error(`${file} is no valid result:\n${validation.problems.join('\n')}`)
    return 1
  }
  const { runId, verdict, scenarios, exitCode } = validation.result
  console.log(`${file} is valid: run ${runId}, ${verdict}, exit code ${exitCode}, ${scenarios.length} scenarios`)
  return 0
}

function readJson(file: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(readFileSync(file, 'utf8')) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

if (import.meta.main) process.exitCode = validateFile(process.argv[2])
