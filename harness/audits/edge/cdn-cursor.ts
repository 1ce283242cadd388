/** The cursor tells one generation of readers from the next. Pure. */
import type { EdgeFacts } from '../edge-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { EdgeRule } from '../rule.ts'

export default { row: 'cdn-cursor', things: ['exchange', 'exchanges'], judge: cdnCursor } satisfies EdgeRule

function cdnCursor({ acts, followed }: EdgeFacts): RuleOutcome {
  const findings = acts.flatMap((act): Finding[] => {
    const isShared = act.kind === 'shares-over' && act.difference === 'cursor'
    const isLost = act.kind === 'query' && act.lost.includes('cursor')
    if (!isShared && !isLost) return []
    const message = isShared
      ? 'The cursor is not in the hash: a live reader that comes back meets the answer it has had, again and again.'
      : 'The cursor does not reach the origin: it cannot move it on, and live readers meet the answer they have had.'
    return [{ rule: 'cdn-cursor', severity: 'error', ...act.place, yieldsToMeasurement: true, message, fix: 'Keep the parameter cursor in the hash and in what the origin is asked.' }]
  })
  return { examined: followed, findings }
}
