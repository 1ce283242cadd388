/** JSON that an earlier run, or another one's, has written: what it holds is not taken for granted. */
import { z } from 'zod'
import { UsageError } from './errors.ts'

/** `what` begins the sentence where it is none: 'x.json is no result'. Throws UsageError. */
export function parseSaved<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new UsageError(`${what} of this version: ${z.prettifyError(parsed.error).split('\n').slice(0, 2).join(' ')}`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
