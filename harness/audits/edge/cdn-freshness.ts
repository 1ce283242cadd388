/** What may change is not given out for longer than the bound, once the origin has said nothing of it. Pure. */
import { exchangesInWords, type EdgeAct, type EdgeFacts, type Exchange } from '../edge-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { EdgeRule } from '../rule.ts'

export default { row: 'cdn-freshness', things: ['exchange', 'exchanges'], judge: cdnFreshness } satisfies EdgeRule

const rule = 'cdn-freshness'
/** The default of --stale-ms. What a run measures is held against the one that it was given. */
const boundSeconds = 1
/** To which the origin gives no lifetime, and which the next write makes wrong. */
const changing: readonly Exchange[] = ['tail', 'missing', 'nothing-new']
const fix = 'Give answers without a Cache-Control of their own no more than a second (set beresp.ttl), and no grace; varnish/recommended.vcl does.'

function cdnFreshness({ acts, followed, forgets }: EdgeFacts): RuleOutcome {
  const stale = acts.filter((act) => (act.kind === 'stored' || act.kind === 'grace') && changing.includes(act.exchange) && act.seconds > boundSeconds)
  const places = Map.groupBy(stale as Storing[], ({ kind, seconds, place }) => JSON.stringify([kind, seconds, place]))
  return { examined: followed, findings: [...places.values()].map((same) => ofPlace(same, forgets)) }
}

type Storing = EdgeAct & { kind: 'stored' | 'grace' }

function ofPlace(same: readonly Storing[], forgets: boolean): Finding {
  const [first] = same
  const what = exchangesInWords(same.map(({ exchange }) => exchange))
  const many = same.length > 1
  const byDefault = first!.kind === 'stored' && first!.by === 'default'
  const how = first!.kind === 'grace'
    ? `${many ? 'are' : 'is'} still given out ${first!.seconds} s after ${many ? 'their' : 'its'} lifetime, while a newer one is fetched`
    : `${many ? 'are' : 'is'} kept for ${first!.seconds} s${byDefault ? " (varnishd's default_ttl: nothing here says how long)" : ''}, and given to readers who come after a write`
  const forgotten = forgets ? ' The text also makes the cache forget; whether at each write, and in time, it does not tell.' : ''
  // A parameter of varnishd may be set elsewhere; a ban at each write bounds what a write through this cache leaves behind.
  const isCertain = !byDefault && !forgets
  return { rule, severity: isCertain ? 'error' : 'warning', ...first!.place, yieldsToMeasurement: true, ...(isCertain ? {} : { undecided: true as const }), message: `${capital(what)} ${how}.${forgotten}`, fix }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
