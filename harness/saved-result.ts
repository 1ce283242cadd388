/** The result in a run's folder, as it was saved. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { UsageError } from './errors.ts'
import { result as resultSchema, type Result } from './report/result.ts'

/** Throws UsageError for a folder that holds no run, or one that another version of the simulator wrote. */
export async function readSavedResult(folder: string): Promise<Result> {
  const file = path.join(folder, 'result.json')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${folder} is no run: its result.json cannot be read (${(error as NodeJS.ErrnoException).code}); give a folder below reports/.`)
  }
  const parsed = resultSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new UsageError(`${file} is no result of this version: ${z.prettifyError(parsed.error).split('\n').slice(0, 2).join(' ')}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
