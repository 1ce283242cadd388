/** Reads an application's source and judges it by all rules. */
import type { SourceAudit } from './audits/row-parts.ts'
import { judgeBy } from './audits/rule.ts'
import { usesOf } from './audits/source/client-uses.ts'
import { gatherApp } from './gather-app.ts'
import { loadRules } from './load-audits.ts'

/** @throws UsageError for a glob that names no source file */
export async function auditSource(globs: readonly string[], cwd: string): Promise<SourceAudit> {
  const app = await gatherApp(globs, cwd)
  const files = [...app.project.texts.values()].filter(({ judged }) => judged).length
  const judged = judgeBy(await loadRules('app'), { ...usesOf(app.project), packages: app.packages })
  return { judged, notes: app.notes, files, globs: app.globs }
}
