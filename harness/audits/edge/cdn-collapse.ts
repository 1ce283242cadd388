/** Many readers at one place are one request to the origin, in each way of reading. Pure. */
import { exchangesInWords, type EdgeAct, type EdgeFacts } from '../edge-facts.ts'
import type { RuleOutcome } from '../finding.ts'
import type { EdgeRule } from '../rule.ts'

export default { row: 'cdn-collapse', things: ['exchange', 'exchanges'], judge: cdnCollapse } satisfies EdgeRule

/** A 404 and a 204 are no crowd's. */
const ofCrowds: readonly string[] = ['history', 'tail', 'long-poll', 'event-stream']

function cdnCollapse({ acts, followed }: EdgeFacts): RuleOutcome {
  const alone = acts.filter((act): act is EdgeAct & { kind: 'not-shared' } => act.kind === 'not-shared' && ofCrowds.includes(act.exchange))
  const places = Map.groupBy(alone, ({ place }) => JSON.stringify(place))
  return {
    examined: followed,
    findings: [...places.values()].map((same) => ({
      rule: 'cdn-collapse',
      severity: 'error',
      ...same[0]!.place,
      yieldsToMeasurement: true,
      message: `Not shared: ${exchangesInWords(same.map(({ exchange }) => exchange))}. 10,000 readers are 10,000 requests to the origin.`,
      fix: 'Look streams up in the cache, and share an event stream while its response is open; varnish/recommended.vcl does both.',
    })),
  }
}
