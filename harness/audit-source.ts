/** Reads an application's source and judges it by all rules. */
import type { SourceAudit } from './audits/row-parts.ts'
import { judgeSource } from './audits/source-rules.ts'
import { gatherApp } from './gather-app.ts'

/** @throws UsageError for a glob that names no source file */
export async function auditSource(globs: readonly string[], cwd: string): Promise<SourceAudit> {
  const app = await gatherApp(globs, cwd)
  const files = [...app.project.texts.values()].filter(({ judged }) => judged).length
  return { outcomes: judgeSource(app.project, app.packages), notes: app.notes, files, globs: app.globs }
}
