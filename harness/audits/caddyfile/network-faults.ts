/** No time-out of the server cuts a reader that it is meant to hold. Pure. */
import { heldMs, type CaddyfileFacts } from '../caddyfile-facts.ts'
import type { RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'network-faults', things: ['durable_streams block', 'durable_streams blocks'], judge: networkFaults } satisfies CaddyfileRule

function networkFaults({ handlers, writeTimeout }: CaddyfileFacts): RuleOutcome {
  const examined = handlers.length
  const held = heldMs(handlers)
  if (writeTimeout === null || writeTimeout.ms > held) return { examined, findings: [] }
  const seconds = writeTimeout.ms / 1_000
  const common = { rule: 'network-faults', ...writeTimeout.place, yieldsToMeasurement: true, fix: `Leave the write time-out out, or set it above ${held / 1_000} s (servers { timeouts { write … } }).` } as const
  const longPollMs = Math.max(0, ...handlers.map((handler) => handler.longPollMs))
  if (writeTimeout.ms <= longPollMs) {
    return { examined, findings: [{ ...common, severity: 'error', message: `With a write time-out of ${seconds} s a long-poll that has waited longer gets no answer: its connection is closed instead, and so is an event stream at the first event after that.` }] }
  }
  return { examined, findings: [{ ...common, severity: 'warning', undecided: true, message: `With a write time-out of ${seconds} s an event stream, which the server holds for up to ${held / 1_000} s, is closed at the first event after that.` }] }
}
