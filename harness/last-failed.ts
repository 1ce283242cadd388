/** Which scenarios the latest run ended without a pass: what `--last-failed` runs again. */
import path from 'node:path'
import { UsageError } from './errors.ts'
import { failedScenarios } from './report/repetitions.ts'
import { readSavedResult } from './saved-result.ts'

/** Throws UsageError where there is no latest run, its result cannot be read, or everything passed. */
export async function lastFailed(out: string): Promise<string[]> {
  const latest = await readSavedResult(path.join(out, 'latest'))
  const ids = failedScenarios(latest)
  if (ids.length === 0) throw new UsageError(`In the latest run (${latest.runId}) no scenario failed or stayed unknown; there is nothing for --last-failed.`)
  return ids
}
