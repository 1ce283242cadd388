/**
 * Results for property tests, generated from the schema itself, so that a new field is covered
 * the moment it exists. The strings are hostile on purpose. Nothing here looks like a real run;
 * what a report of one looks like is judged on real ones.
 */
import fc from 'fast-check'
import { z } from 'zod'
import { boxes, rows } from '../../harness/checklist.ts'
import { exitCodes } from '../../harness/errors.ts'
import { result as resultSchema, type Result } from '../../harness/report/result.ts'

interface Schema {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  items?: Schema | boolean
  prefixItems?: Schema[]
  minimum?: number
  maximum?: number
}

/** Text that would act in a terminal, a page, a table or a script, were it let through. */
export const hostileStrings = [
  '<script>alert(1)</script>',
  '</style><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onfocus='alert(1)",
  '${7*7} {{7*7}} &amp; &lt;',
  ']]>--><!--',
  '\u001b[2J\u001b[31mred\u001b]0;title\u0007',
  'right\u202eto left\u200b\ufeff',
  'a\u0000b\u0085c\u2028d',
  'line one\r\nline two\tthird',
  '| a | `b` | **c** |\n# heading',
  '一二三四五六七八九十'.repeat(6),
  '👩‍👩‍👧‍👦🏳️‍🌈é',
  'x'.repeat(300),
  'word '.repeat(60),
  '',
  ' ',
]

const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...hostileStrings) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 4, arbitrary: fc.string({ maxLength: 60 }) },
)

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -1_000, max: 100_000 }),
  fc.integer({ min: -5, max: 5 }),
)

/** An arbitrary for the parts of JSON Schema that zod writes for our types. */
function arbitraryFor(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(arbitraryFor))
  if (schema.prefixItems) return fc.tuple(...schema.prefixItems.map(arbitraryFor))
  if (Array.isArray(schema.type)) {
    return fc.oneof(...schema.type.map((type) => arbitraryFor({ ...schema, type })))
  }
  if (schema.type === 'object') return objectFor(schema)
  if (schema.type === 'array') return fc.array(arbitraryFor(schema.items as Schema), { maxLength: 6 })
  if (schema.type === 'integer') return wholeFor(schema)
  if (schema.type === 'number') return numberFor(schema)
  if (schema.type === 'string') return text
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'null') return fc.constant(null)
  if (Object.keys(schema).length === 0) return fc.jsonValue({ maxDepth: 2 })
  throw new Error(`The generator does not know this schema: ${JSON.stringify(schema)}`)
}

function objectFor(schema: Schema): fc.Arbitrary<unknown> {
  if (!schema.properties) {
    return fc.dictionary(text, arbitraryFor(schema.additionalProperties as Schema), { maxKeys: 4 })
  }
  const model: Record<string, fc.Arbitrary<unknown>> = {}
  for (const [key, value] of Object.entries(schema.properties)) model[key] = arbitraryFor(value)
  return fc.record(model, { requiredKeys: schema.required ?? [], noNullPrototype: true })
}

function wholeFor({ minimum, maximum }: Schema): fc.Arbitrary<number> {
  const min = Math.max(minimum ?? Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)
  const max = Math.min(maximum ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  return fc.oneof(fc.integer({ min, max }), fc.integer({ min: Math.max(min, 0), max: 20_000 }))
}

function numberFor({ minimum, maximum }: Schema): fc.Arbitrary<number> {
  if (minimum === undefined && maximum === undefined) return anyNumber
  return fc.double({ noNaN: true, min: minimum ?? 0, max: maximum ?? 1e9 })
}

/** Results that fit the schema, and nothing more. */
export const arbitraryShape: fc.Arbitrary<Result> = arbitraryFor(
  z.toJSONSchema(resultSchema) as Schema,
) as fc.Arbitrary<Result>

const verdictOfRow = fc.constantFrom('pass', 'fail', 'unknown', 'not-applicable' as const)

/** Results that are consistent as well: what `validateResult` accepts. */
export const arbitraryResult: fc.Arbitrary<Result> = fc
  .tuple(
    arbitraryShape,
    fc.array(verdictOfRow, { minLength: rows.length, maxLength: rows.length }),
    fc.array(text, { minLength: rows.length, maxLength: rows.length }),
  )
  .map(([shape, verdicts, becauses]) => consistent(shape, verdicts, becauses))

function consistent(
  shape: Result,
  verdicts: ('pass' | 'fail' | 'unknown' | 'not-applicable')[],
  becauses: string[],
): Result {
  const scenarios = uniqueById(shape.scenarios).map((scenario) => ({
    ...scenario,
    checks: scenario.checks.map((check) => ({ ...check, examined: Math.max(check.examined, 1) })),
  }))
  const checklist: Result['checklist'] = rows.map((row, index) => ({
    ...row,
    verdict: verdicts[index]!,
    because: becauses[index]!,
    scenarios: scenarios.slice(0, index % 3).map(({ id }) => id),
    reproduce: index % 2 === 0 ? `npm run simulate -- ${becauses[index]} --seed 1` : '',
    ...waivedAt(index, verdicts[index]!, becauses[index]!),
  }))
  const verdict = verdictOf(shape, checklist)
  return {
    ...shape,
    scenarios,
    checklist,
    verdict,
    exitCode: { ready: exitCodes.ready, 'not-ready': exitCodes.notReady, unknown: exitCodes.unknown }[verdict],
    score: Math.min(shape.score, 49),
    boxes: boxes.map((box, index) => ({ ...box, state: 'open', because: becauses[index]! })),
  }
}

/** Some rows that did not pass are waived. */
function waivedAt(index: number, verdict: string, reason: string): Pick<Result['checklist'][number], 'waived'> {
  return index % 5 === 0 && (verdict === 'fail' || verdict === 'unknown') ? { waived: { reason, until: reason } } : {}
}

function uniqueById<T extends { id: string }>(items: T[]): T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()]
}

function verdictOf(shape: Result, checklist: Result['checklist']): Result['verdict'] {
  const required = checklist.filter((row) => row.required && !row.waived)
  if (shape.subject.kind === 'reference') return 'unknown'
  if (required.some((row) => row.verdict === 'fail')) return 'not-ready'
  return required.some((row) => row.verdict === 'unknown') ? 'unknown' : 'ready'
}

/** One result for tests that turn a single field: always the same one for a seed. */
export function sampleResult(seed: number): Result {
  return fc.sample(arbitraryResult, { seed, numRuns: 1 })[0]!
}

/** The sample with one row changed. */
export function withRow(id: string, changes: Partial<Result['checklist'][number]>): Result {
  const result = sampleResult(1)
  return { ...result, checklist: result.checklist.map((row) => (row.id === id ? { ...row, ...changes } : row)) }
}
