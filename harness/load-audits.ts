/** Finds the audits: every file in `harness/audits/{app,caddyfile,edge}` is one. */
import { globSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { AuditedKind, RuleOf } from './audits/rule.ts'
import { isRowId, rowIds, type RowId } from './checklist.ts'
import { HarnessError } from './errors.ts'

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'audits')

/** The rows that a kind of files is a part of, in the checklist's order. Loads nothing: a parser may hang on it. */
export function rowsReadIn(kind: AuditedKind): RowId[] {
  const names = globSync('*.ts', { cwd: path.join(folder, kind) }).map((file) => file.slice(0, -'.ts'.length))
  const stranger = names.find((name) => !isRowId(name))
  if (stranger !== undefined) throw new HarnessError(`harness/audits/${kind}/${stranger}.ts is not named after a row of the checklist.`)
  return rowIds.filter((row) => names.includes(row))
}

/** In the checklist's order. */
export async function loadRules<K extends AuditedKind>(kind: K): Promise<RuleOf[K][]> {
  return await Promise.all(
    rowsReadIn(kind).map(async (row) => {
      const file = path.join(folder, kind, `${row}.ts`)
      const { default: rule } = (await import(pathToFileURL(file).href)) as { default?: RuleOf[K] }
      if (rule?.row !== row) throw new HarnessError(`harness/audits/${kind}/${row}.ts has no default export whose row is ${row}.`)
      return rule
    }),
  )
}
