/** A stop does not wait for readers that never leave. Pure. */
import type { CaddyfileFacts } from '../caddyfile-facts.ts'
import type { RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'ops-graceful', things: ['durable_streams block', 'durable_streams blocks'], judge: opsGraceful } satisfies CaddyfileRule

/** What `docker stop` gives a container; Kubernetes gives 30 s. */
const containerGraceMs = 10_000

function opsGraceful({ handlers, gracePeriodMs, place }: CaddyfileFacts): RuleOutcome {
  const examined = handlers.length
  if (examined === 0 || (gracePeriodMs !== null && gracePeriodMs > 0 && gracePeriodMs <= containerGraceMs)) return { examined, findings: [] }
  const held = Math.max(...handlers.flatMap(({ sseReconnectMs, longPollMs }) => [sseReconnectMs, longPollMs])) / 1_000
  const fix = 'Set grace_period in the global options a few seconds below what the container is given to stop (docker: 10 s): grace_period 8s'
  if (gracePeriodMs === null || gracePeriodMs === 0) {
    return { examined, findings: [{ rule: 'ops-graceful', severity: 'warning', ...place, undecided: true, yieldsToMeasurement: true, message: `There is no grace_period: a stop waits for every long-poll and event stream, up to ${held} s, and a container is killed before that.`, fix }] }
  }
  return { examined, findings: [{ rule: 'ops-graceful', severity: 'note', ...place, yieldsToMeasurement: true, message: `grace_period is ${gracePeriodMs / 1_000} s: \`docker stop\` kills after ${containerGraceMs / 1_000} s unless it is told otherwise.`, fix }] }
}
