/** What may change is not given out for longer than the bound, once the origin has said nothing of it. Pure. */
import { exchangesInWords, type EdgeAct, type EdgeFacts, type Exchange } from '../edge-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import { duration } from '../../report/figures.ts'
import type { EdgeRule } from '../rule.ts'

export default { row: 'cdn-freshness', things: ['exchange', 'exchanges'], judge: cdnFreshness } satisfies EdgeRule

const rule = 'cdn-freshness'
/** The default of --stale-ms. What a run measures is held against the one that it was given. */
const boundSeconds = 1
/**
 * For how long each may be kept: those to which the origin gives no lifetime, and which the next write makes wrong;
 * and an event stream, while the server holds it open (sse_reconnect_interval, 60 s unless it is set).
 */
const keptSecondsMax: Partial<Record<Exchange, number>> = { tail: boundSeconds, missing: boundSeconds, 'nothing-new': boundSeconds, 'event-stream': 60 }
const fix = 'Give answers without a Cache-Control of their own no more than a second (set beresp.ttl), an event stream no more than it is open, and no grace; varnish/recommended.vcl does.'

type Storing = EdgeAct & { kind: 'stored' | 'grace' }

function cdnFreshness({ acts, followed, forgets }: EdgeFacts): RuleOutcome {
  const stale = acts.filter((act): act is Storing => {
    if (act.kind !== 'stored' && act.kind !== 'grace') return false
    const max = keptSecondsMax[act.exchange]
    return max !== undefined && act.seconds > (act.kind === 'grace' ? boundSeconds : max)
  })
  const places = Map.groupBy(stale, ({ kind, seconds, place }) => JSON.stringify([kind, seconds, place]))
  return { examined: followed, findings: [...places.values()].map((same) => ofPlace(same, forgets)) }
}

function ofPlace(same: readonly Storing[], forgets: boolean): Finding {
  const first = same[0]!
  const [are, their] = same.length > 1 ? ['are', 'their'] : ['is', 'its']
  const what = exchangesInWords(same.map(({ exchange }) => exchange))
  const time = duration(first.seconds * 1_000)
  const byDefault = first.kind === 'stored' && first.by === 'default'
  const how = first.kind === 'grace'
    ? `${are} still given out ${time} after ${their} lifetime, while a newer one is fetched`
    : `${are} kept for ${time}${byDefault ? " (varnishd's default_ttl: nothing here says how long)" : ''}, and given to readers who come after a write${same.some(({ exchange }) => exchange === 'event-stream') ? ', or after the event stream has ended' : ''}`
  const forgotten = forgets ? ' The text also makes the cache forget; whether at each write, and in time, it does not tell.' : ''
  // A parameter of varnishd may be set elsewhere; a ban at each write bounds what a write through this cache leaves behind.
  const isCertain = !byDefault && !forgets
  return { rule, severity: isCertain ? 'error' : 'warning', ...first.place, yieldsToMeasurement: true, ...(isCertain ? {} : { undecided: true as const }), message: `${what.charAt(0).toUpperCase()}${what.slice(1)} ${how}.${forgotten}`, fix }
}
