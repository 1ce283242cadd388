/** Writes `result.schema.json` from `result.ts`: `npm run schema`. A test fails when they differ. */
import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import { result } from './result.ts'

export const schemaFile = new URL('./result.schema.json', import.meta.url)

/** The JSON Schema (2020-12) of `result.json`, as the text of its file. */
export function schemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'result.json of a production simulation for Durable Streams',
    ...z.toJSONSchema(result, { target: 'draft-2020-12' }),
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

if (import.meta.main) writeFileSync(schemaFile, schemaText())
