/** What `npm run mutants` found, as it is saved and shown. Pure. */
import { z } from 'zod'
import { rowIds } from '../checklist.ts'

const row = z.enum(rowIds)

const killer = z.strictObject({ row, check: z.string(), scenario: z.string(), because: z.string() })

export const mutantResult = z.strictObject({
  /** 'recommended.vcl:157:delete'. */
  id: z.string(),
  /** From the project's root, or as given. */
  file: z.string(),
  line: z.number().int(),
  /** What was done to it. */
  what: z.string(),
  /** Rows that the reason above the line names. */
  rows: z.array(row),
  /** Rows that were green on the base and turned red, each once. */
  killedBy: z.array(row),
  /** Which check did it, where, and its sentence. */
  checks: z.array(killer),
  /** Why it says nothing: it does not compile, the program broke down, nothing was judged. */
  invalid: z.string().optional(),
  survived: z.boolean(),
  /** Why no row can notice it, as the file itself says; it was run only where it was asked for by name. */
  excuse: z.strictObject({ kind: z.enum(['equivalent', 'unseen']), because: z.string() }).optional(),
  durationMs: z.number(),
  /** Of the mutated file: the same mutant is not run twice. */
  sha256: z.string(),
})

export const mutantsResult = z.strictObject({
  schemaVersion: z.literal(1),
  startedAt: z.string(),
  /** What stayed the same in all runs: 'npm run simulate -- … --readers 100'. */
  command: z.string(),
  subject: z.string(),
  /** By scenario the rows that all checks of passed on the base, in all of its runs. */
  base: z.array(z.strictObject({ scenario: z.string(), green: z.array(row), notGreen: z.array(row) })),
  mutants: z.array(mutantResult),
  /** How many there are; those that were not asked for are in no list. */
  total: z.number().int().optional(),
  /** Mutants that were not run, and why. */
  notRun: z.array(z.strictObject({ id: z.string(), because: z.string() })),
  /** 100 x killed / (killed + survived), without those that are excused; null where neither. */
  score: z.number().nullable(),
})

export type MutantResult = z.infer<typeof mutantResult>
export type MutantsResult = z.infer<typeof mutantsResult>

export function scoreOf(mutants: readonly MutantResult[]): number | null {
  const killed = mutants.filter((mutant) => mutant.killedBy.length > 0).length
  const survived = mutants.filter((mutant) => outcomeOf(mutant) === 'survived').length
  return killed + survived === 0 ? null : Math.round((100 * killed) / (killed + survived))
}

export type MutantOutcome = 'killed' | 'survived' | 'invalid' | 'equivalent' | 'unseen'

/** A kill stands, whatever the file says. */
export function outcomeOf({ killedBy, excuse, invalid, survived }: MutantResult): MutantOutcome {
  if (killedBy.length === 0 && excuse !== undefined) return excuse.kind
  if (invalid !== undefined) return 'invalid'
  return survived ? 'survived' : 'killed'
}

/** The outcomes in one sentence. */
export function mutantsSummary({ mutants, total, notRun, score }: MutantsResult): string {
  const count = (outcome: MutantOutcome) => mutants.filter((mutant) => outcomeOf(mutant) === outcome).length
  const excused = (['equivalent', 'unseen'] as const).map((kind) => (count(kind) === 0 ? '' : `, ${count(kind)} ${kind}`)).join('')
  const left = notRun.length === 0 ? '' : `, ${notRun.length} not run`
  const share = score === null ? '' : `; score ${score}`
  const all = total === undefined || total === mutants.length ? '' : ` of ${total}`
  return `${mutants.length}${all} mutants: ${count('killed')} killed, ${count('survived')} survived, ${count('invalid')} invalid${excused}${left}${share}.`
}

/** A line for each mutant: what was done, and what noticed it. */
export function mutantLines({ mutants }: MutantsResult): string[] {
  const width = Math.max(0, ...mutants.map(({ id }) => id.length))
  const outcomeWidth = Math.max(0, ...mutants.map((mutant) => outcomeOf(mutant).length))
  return mutants.map((mutant) => `${outcomeOf(mutant).padEnd(outcomeWidth)}  ${mutant.id.padEnd(width)}  ${noticedBy(mutant)}`)
}

/** 'cdn-collapse (crowd-collapses in fan-out-sse)', or why nothing did. */
export function noticedBy(mutant: MutantResult): string {
  if (mutant.killedBy.length === 0 && mutant.excuse !== undefined) return `${mutant.what}: ${mutant.excuse.because}`
  if (mutant.invalid !== undefined) return mutant.invalid
  if (mutant.survived) return `${mutant.what}: nothing of ${mutant.rows.join(', ') || 'any row'} turned red`
  const wrongly = mutant.excuse === undefined ? '' : ` (the file calls it ${mutant.excuse.kind}: wrongly)`
  return mutant.killedBy.map((id) => {
    const by = mutant.checks.filter((one) => one.row === id).map(({ check, scenario }) => `${check} in ${scenario}`)
    return `${id} (${[...new Set(by)].join(', ')})`
  }).join('; ') + wrongly
}

/** Rows that any mutant is about or was killed by, in the checklist's order: the columns of the matrix. */
export function matrixRows(mutants: readonly MutantResult[]): MutantResult['rows'] {
  const named = new Set(mutants.flatMap(({ rows, killedBy }) => [...rows, ...killedBy]))
  return rowIds.filter((id) => named.has(id))
}

/** '●' killed by this row, '○' asked and not killed, '' not asked. */
export function cellOf(mutant: MutantResult, id: MutantResult['rows'][number]): '●' | '○' | '' {
  if (mutant.killedBy.includes(id)) return '●'
  return mutant.rows.includes(id) && outcomeOf(mutant) !== 'invalid' && mutant.excuse === undefined ? '○' : ''
}
