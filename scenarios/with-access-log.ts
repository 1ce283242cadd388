import { defineScenario } from '../harness/scenario.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { checksWithVariant } from '../harness/checks-with-variant.ts'

export default defineScenario({
  id: 'with-access-log',
  title: 'An access log changes nothing that a client can see',
  why: 'A logger that wraps the response may take flushing from it: event streams then come in pieces.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], numbersResponses: true },
  runs: 'beside-others',
  steps: withVariant('access-log'),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: checksWithVariant('access-log'),
})
