/** No time-out of the server cuts a reader that it is meant to hold. Pure. */
import type { CaddyfileFacts } from '../caddyfile-facts.ts'
import type { RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'network-faults', things: ['durable_streams block', 'durable_streams blocks'], judge: networkFaults } satisfies CaddyfileRule

function networkFaults({ handlers, writeTimeout }: CaddyfileFacts): RuleOutcome {
  const examined = handlers.length
  const heldMs = Math.max(0, ...handlers.flatMap(({ sseReconnectMs, longPollMs }) => [sseReconnectMs, longPollMs]))
  if (writeTimeout === null || writeTimeout.ms > heldMs) return { examined, findings: [] }
  const message = `The write time-out of ${writeTimeout.ms / 1_000} s cuts long-polls and event streams, which the server holds for up to ${heldMs / 1_000} s.`
  return { examined, findings: [{ rule: 'network-faults', severity: 'warning', ...writeTimeout.place, undecided: true, yieldsToMeasurement: true, message, fix: `Leave the write time-out out, or set it above ${heldMs / 1_000} s (servers { timeouts { write … } }).` }] }
}
