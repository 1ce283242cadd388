/**
 * Whether a failure is the one that a capsule holds. A part in which the findings of a check differed stands in
 * the fingerprint as `any`: how many were hit hangs on timing, and with fewer of them, as in a shorter scenario,
 * that part has a value. What failed, and in what way, has to be the same. Pure.
 */
const parts = 5

/** Fingerprints as in a verdict: `check/invariant/stream-kind/fault/hop`. */
export function isSameFailure(of: string, seen: string | undefined): boolean {
  if (seen === undefined || of === seen) return seen !== undefined
  const [one, other] = [of.split('/'), seen.split('/')]
  if (one.length !== parts || other.length !== parts) return false
  return one.every((part, n) => part === other[n] || (n >= 2 && (part === 'any' || other[n] === 'any')))
}
