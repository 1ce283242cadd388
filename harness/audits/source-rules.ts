/** The rules over the application's source, by the rows they are parts of. Pure. */
import type { RowId } from '../checklist.ts'
import type { RuleOutcome } from './finding.ts'
import { https } from './https.ts'
import { lifecycleSet } from './lifecycle-set.ts'
import { serverProduction } from './server-production.ts'
import { usesOf } from './source/client-uses.ts'
import type { PackageFile } from './source/packages.ts'
import type { Project } from './source/project.ts'

export type SourceRule = Extract<RowId, 'server-production' | 'https' | 'lifecycle-set'>

/** What each rule made of the source. */
export function judgeSource(project: Project, packages: readonly PackageFile[]): ReadonlyMap<SourceRule, RuleOutcome> {
  const facts = usesOf(project)
  return new Map<SourceRule, RuleOutcome>([
    ['server-production', serverProduction(facts, packages)],
    ['https', https(facts)],
    ['lifecycle-set', lifecycleSet(facts)],
  ])
}
