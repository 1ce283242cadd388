/** The rows that are judged by the application's source, in the order in which they are told. */
import type { RowId } from '../checklist.ts'

export const sourceRules = ['server-production', 'https', 'lifecycle-set', 'lifecycle-one', 'cdn-urls', 'client-errors', 'producers'] as const satisfies readonly RowId[]
export type SourceRule = (typeof sourceRules)[number]
