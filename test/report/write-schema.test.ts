import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { schemaFile, schemaText } from '../../harness/report/write-schema.ts'

test('the committed JSON Schema is the one that result.ts gives: else run `npm run schema`', () => {
  expect(readFileSync(schemaFile, 'utf8')).toBe(schemaText())
})
