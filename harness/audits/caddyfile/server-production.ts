/** The file serves streams by the production server's own handler. Pure. */
import type { CaddyfileFacts } from '../caddyfile-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'server-production', things: ['durable_streams block', 'durable_streams blocks'], judge: serverProduction } satisfies CaddyfileRule

const rule = 'server-production'
const fix = 'Run the released server and serve the path by its own handler: route /v1/stream/* { durable_streams { data_dir /var/lib/durable-streams } }'

function serverProduction({ handlers, proxies, place }: CaddyfileFacts): RuleOutcome {
  if (handlers.length > 0) return { examined: handlers.length, findings: [] }
  const ofStreams = proxies.filter(({ path }) => /stream/i.test(path))
  const findings: Finding[] = ofStreams.map(({ path, to, place: at }) => ({ rule, severity: 'warning', ...at, undecided: true, message: `${path} is proxied to ${to || 'another server'}, and nothing here is served by durable_streams: whether the production server answers there, this file does not tell.`, fix }))
  if (findings.length > 0) return { examined: findings.length, findings }
  return { examined: 0, findings: [{ rule, severity: 'note', ...place, message: 'Nothing here is served by durable_streams: this is not the file of the origin.', fix: 'Give the Caddyfile of the server that holds the streams as well.' }] }
}
