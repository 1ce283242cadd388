/** Which scenarios the latest run ended without a pass: what `--last-failed` runs again. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { UsageError } from './errors.ts'
import { failedScenarios } from './report/repetitions.ts'
import { result } from './report/result.ts'

/** Throws UsageError where there is no latest run, its result cannot be read, or everything passed. */
export async function lastFailed(out: string): Promise<string[]> {
  const file = path.join(out, 'latest', 'result.json')
  const latest = result.safeParse(await readJson(file))
  if (!latest.success) throw new UsageError(`--last-failed needs the result of the latest run, and ${file} is not one; run without it first.`)
  const ids = failedScenarios(latest.data)
  if (ids.length === 0) throw new UsageError(`In the latest run (${latest.data.runId}) no scenario failed or stayed unknown; there is nothing for --last-failed.`)
  return ids
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}
