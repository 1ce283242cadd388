/** A stop does not wait for readers that never leave. Pure. */
import { heldMs, type CaddyfileFacts } from '../caddyfile-facts.ts'
import type { RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'ops-graceful', things: ['durable_streams block', 'durable_streams blocks'], judge: opsGraceful } satisfies CaddyfileRule

/** What `docker stop` gives a container; Kubernetes gives 30 s. */
const containerGraceMs = 10_000

function opsGraceful({ handlers, gracePeriod, place }: CaddyfileFacts): RuleOutcome {
  const examined = handlers.length
  const ms = gracePeriod?.ms ?? 0
  if (examined === 0 || (ms > 0 && ms <= containerGraceMs)) return { examined, findings: [] }
  const common = { rule: 'ops-graceful', ...(gracePeriod?.place ?? place), yieldsToMeasurement: true, fix: 'Set grace_period in the global options a few seconds below what the container is given to stop (docker: 10 s): grace_period 8s' } as const
  if (ms === 0) {
    return { examined, findings: [{ ...common, severity: 'warning', undecided: true, message: `There is no grace_period: a stop waits for every long-poll and event stream, up to ${heldMs(handlers) / 1_000} s, and a container is killed before that.` }] }
  }
  return { examined, findings: [{ ...common, severity: 'note', message: `grace_period is ${ms / 1_000} s: \`docker stop\` kills after ${containerGraceMs / 1_000} s unless it is told otherwise.` }] }
}
