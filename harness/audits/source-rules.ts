/** The rules over the application's source, by the rows they are parts of. Pure. */
import { cdnUrls } from './cdn-urls.ts'
import { clientErrors } from './client-errors.ts'
import type { RuleOutcome } from './finding.ts'
import { https } from './https.ts'
import { lifecycleOne } from './lifecycle-one.ts'
import { lifecycleSet } from './lifecycle-set.ts'
import { producers } from './producers.ts'
import { serverProduction } from './server-production.ts'
import { sourceRules, type SourceRule } from './source-rule.ts'
import { usesOf, type Facts } from './source/client-uses.ts'
import type { PackageFile } from './source/packages.ts'
import type { Project } from './source/project.ts'

/** A new rule is a file here, named after its row, a line in this table, and its row in source-rule.ts. */
const rules = {
  'server-production': serverProduction,
  https,
  'lifecycle-set': lifecycleSet,
  'lifecycle-one': lifecycleOne,
  'cdn-urls': cdnUrls,
  'client-errors': clientErrors,
  producers,
} satisfies Record<SourceRule, (facts: Facts, packages: readonly PackageFile[]) => RuleOutcome>

/** What each rule made of the source. */
export function judgeSource(project: Project, packages: readonly PackageFile[]): ReadonlyMap<SourceRule, RuleOutcome> {
  const facts = usesOf(project)
  return new Map(sourceRules.map((rule) => [rule, rules[rule](facts, packages)]))
}
