/** The protocol's headers reach the reader as the origin sent them, and what is private is not shared. Pure. */
import { exchangesInWords, type EdgeAct, type EdgeFacts } from '../edge-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { EdgeRule } from '../rule.ts'

export default { row: 'cdn-headers', things: ['exchange', 'exchanges'], judge: cdnHeaders } satisfies EdgeRule

const rule = 'cdn-headers'

/** What a reader loses without it. */
const needed: Record<string, { name: string; for: string }> = {
  'cache-control': { name: 'Cache-Control', for: 'caches behind this one, a browser\'s too, no longer know how long an answer is right' },
  etag: { name: 'ETag', for: 'nothing can be revalidated, and each look at a stream carries its whole body again' },
  'stream-next-offset': { name: 'Stream-Next-Offset', for: 'a reader does not know where to read on' },
  'stream-up-to-date': { name: 'Stream-Up-To-Date', for: 'a reader does not know that he has reached the tail, and never goes live' },
  'stream-closed': { name: 'Stream-Closed', for: 'a reader waits for ever at a stream that has ended' },
  'stream-cursor': { name: 'Stream-Cursor', for: 'readers at one offset meet stored answers again and loop' },
  'content-type': { name: 'Content-Type', for: 'the client does not know whether it reads JSON, bytes or events' },
}

function cdnHeaders({ acts, followed }: EdgeFacts): RuleOutcome {
  return { examined: followed, findings: acts.flatMap(ofAct) }
}

function ofAct(act: EdgeAct): Finding[] {
  if (act.kind === 'header') return ofHeader(act)
  if (act.kind === 'request-header') {
    return [{ rule, severity: 'note', ...act.place, yieldsToMeasurement: true, message: `The request's ${act.header} does not reach the origin: it answers everybody as a stranger.`, fix: 'Let it through, and let the cache pass requests that carry it.' }]
  }
  if (act.kind !== 'shares-over' || (act.difference !== 'authorization' && act.difference !== 'cookie')) return []
  const what = act.difference === 'authorization' ? 'Authorization' : 'Cookie'
  return [{ rule, severity: 'error', ...act.place, yieldsToMeasurement: true, message: `Requests with ${what} are looked up in the cache, and ${what} is not in the hash: what the origin tells one reader is given to all.`, fix: `if (req.http.${what}) { return (pass); }` }]
}

function ofHeader({ header, how, certainty, exchanges, place }: EdgeAct & { kind: 'header' }): Finding[] {
  const known = needed[header]
  if (!known) return []
  const change = how === 'dropped' ? 'is taken away' : 'is replaced'
  const message = `${known.name} ${change} (${exchangesInWords(exchanges)}): ${known.for}.`
  const fix = `Leave ${known.name} as the origin sent it.`
  if (certainty === 'perhaps') {
    return [{ rule, severity: 'note', ...place, yieldsToMeasurement: true, message: `${message} So it is on some ways through this text; whether readers of streams take them, it does not tell.`, fix }]
  }
  return [{ rule, severity: 'error', ...place, yieldsToMeasurement: true, message, fix }]
}
