/** The result in a run's folder, as it was saved. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { UsageError } from './errors.ts'
import { result as resultSchema, type Result } from './report/result.ts'
import { parseSaved } from './saved-json.ts'

/** Throws UsageError for a folder that holds no run, or one that another version of the simulator wrote. */
export async function readSavedResult(folder: string): Promise<Result> {
  const file = path.join(folder, 'result.json')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${folder} is no run: its result.json cannot be read (${(error as NodeJS.ErrnoException).code}); give a folder below reports/.`)
  }
  return parseSaved(resultSchema, text, `${file} is no result`)
}
