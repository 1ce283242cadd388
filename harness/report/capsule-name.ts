/** What the capsules of a run are called, which whoever names one has to know. Pure. */
import { fingerprintOf } from './failures.ts'
import type { Result } from './result.ts'

/** The names for these failures of one run, in their order: the second one of the same check is numbered. */
export function capsuleNames(failures: readonly { scenario: string; check: string }[]): string[] {
  const seen = new Map<string, number>()
  return failures.map(({ scenario, check }) => {
    const base = `capsule.${scenario}.${check}`
    const nth = (seen.get(base) ?? 0) + 1
    seen.set(base, nth)
    return `${base}${nth === 1 ? '' : `.${nth}`}.json.gz`
  })
}

/** The capsule that replays a failure of this run; null where it has none. */
export function capsuleOf(result: Pick<Result, 'scenarios'>, of: { scenario: string; fingerprint: string }): string | null {
  const failed = result.scenarios.flatMap(({ id, checks }) => checks.filter(({ verdict }) => verdict === 'fail').map((check) => ({ scenario: id, check: check.id, fingerprint: fingerprintOf(check) })))
  const at = failed.findIndex(({ scenario, fingerprint }) => scenario === of.scenario && fingerprint === of.fingerprint)
  return capsuleNames(failed)[at] ?? null
}
