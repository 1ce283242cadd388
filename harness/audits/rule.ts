/**
 * What an audit is: one rule over the facts of one kind of the user's files. Each is a file of its own in
 * `app/`, `caddyfile/` or `edge/`, named after its row, found by glob.
 */
import type { RowId } from '../checklist.ts'
import type { CaddyfileFacts } from './caddyfile-facts.ts'
import type { EdgeFacts } from './edge-facts.ts'
import type { RuleOutcome } from './finding.ts'
import type { Facts } from './source/client-uses.ts'
import type { PackageFile } from './source/packages.ts'

export interface Rule<F> {
  /** The row that it is a part of, and its file's name. */
  row: RowId
  /** What it counts, one and several: 'create', 'creates'. */
  things: readonly [one: string, several: string]
  judge(facts: F): RuleOutcome
}

export type AppFacts = Facts & { packages: readonly PackageFile[] }

/** Over the application's source. */
export type AppRule = Rule<AppFacts>
/** Over the origin's Caddyfile. */
export type CaddyfileRule = Rule<CaddyfileFacts>
/** Over the configuration of the cache. */
export type EdgeRule = Rule<EdgeFacts>

/** By the folders that they lie in. */
export interface RuleOf {
  app: AppRule
  caddyfile: CaddyfileRule
  edge: EdgeRule
}
export type AuditedKind = keyof RuleOf

/** What one rule made of the files. */
export interface Judged extends Pick<Rule<never>, 'row' | 'things'> {
  outcome: RuleOutcome
}

export function judgeBy<F>(rules: readonly Rule<F>[], facts: F): Judged[] {
  return rules.map(({ row, things, judge }) => ({ row, things, outcome: judge(facts) }))
}
