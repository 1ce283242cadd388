/** What an operator switches on around the streams leaves event streams alone, and the admin API is not open to others. Pure. */
import type { CaddyfileFacts, Wrapper } from '../caddyfile-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'ops-reload', things: ['durable_streams block', 'durable_streams blocks'], judge: opsReload } satisfies CaddyfileRule

const rule = 'ops-reload'
const words: Record<Wrapper['what'], string> = {
  'access-log': 'The access log of this site',
  metrics: 'Metrics of requests',
  encode: 'Compression',
}

function opsReload({ handlers, wrappers, admin }: CaddyfileFacts): RuleOutcome {
  const findings: Finding[] = wrappers.map((wrapper) => aroundStreams(wrapper))
  if (admin) {
    findings.push({ rule, severity: 'note', ...admin.place, message: `The admin API listens on ${admin.address}, beyond this machine: whoever reaches it can replace the configuration and stop the server.`, fix: 'Leave admin out (it listens on localhost:2019), or give it a Unix socket: admin unix//run/caddy-admin.sock' })
  }
  return { examined: handlers.length, findings }
}

/** Upstream issue 252; measured with each of the three, by the scenarios `with-access-log`, `with-metrics`, `with-compression`. */
function aroundStreams({ what, place, isCertain }: Wrapper): Finding {
  const covers = isCertain ? 'covers the streams' : 'may cover the streams'
  const who = what === 'encode' ? 'event streams to readers that accept it' : 'event streams'
  const message = `${words[what]} ${covers}: on server versions with upstream issue 252 ${who} are then answered 500 "streaming not supported".`
  const fix = 'Leave it out for the streams (a site of their own), and do it in the proxy in front; or run a server version on which the scenarios with-access-log, with-metrics and with-compression pass.'
  if (!isCertain) return { rule, severity: 'note', ...place, message, fix, yieldsToMeasurement: true }
  return { rule, severity: 'warning', ...place, message, fix, undecided: true, yieldsToMeasurement: true }
}
