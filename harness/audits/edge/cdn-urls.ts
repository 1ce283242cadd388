/** What asks for other bytes is another object, and reaches the origin as it was asked. Pure. */
import type { Difference, EdgeAct, EdgeFacts } from '../edge-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { EdgeRule } from '../rule.ts'

export default { row: 'cdn-urls', things: ['exchange', 'exchanges'], judge: cdnUrls } satisfies EdgeRule

const rule = 'cdn-urls'
const fix = 'Keep path and query in the hash and in what the origin is asked; where parameters are dropped, keep offset, live and cursor.'

const shared: Partial<Record<Difference, string>> = {
  path: 'Different streams are one object: readers get the bytes of another stream.',
  offset: 'Different offsets are one object: a reader gets the bytes of another offset, and reads them twice or never.',
  live: 'live=sse and live=long-poll are one object: a reader gets the answer of another protocol.',
}

function cdnUrls({ acts, followed }: EdgeFacts): RuleOutcome {
  return { examined: followed, findings: acts.flatMap(ofAct) }
}

function ofAct(act: EdgeAct): Finding[] {
  const told = (message: string, severity: 'error' | 'note' = 'error', remedy = fix): Finding[] => [{ rule, severity, ...act.place, yieldsToMeasurement: true, message, fix: remedy }]
  if (act.kind === 'shares-over') return shared[act.difference] ? told(shared[act.difference]!) : []
  if (act.kind === 'order-counts') return told('The same parameters in another order are another object. The client library has one order; requests made by hand may have another.', 'note', 'hash_data(std.querysort(req.url)) where the query holds offset, live and cursor only.')
  if (act.kind !== 'query') return []
  const lost = act.lost.filter((name) => name === 'offset' || name === 'live')
  if (lost.length === 0) return []
  return told(`${lost.join(' and ')} ${lost.length === 1 ? 'does' : 'do'} not reach the origin: ${lost.includes('offset') ? 'every reader gets the stream from its beginning' : 'a live read becomes a plain one'}.`)
}
