import { defineScenario } from '../harness/scenario.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { checksWithVariant } from '../harness/checks-with-variant.ts'

export default defineScenario({
  id: 'with-metrics',
  title: 'Metrics change nothing that a client can see',
  why: 'Measuring wraps every response, those that stay open for a minute too.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], numbersResponses: true },
  runs: 'beside-others',
  steps: withVariant('metrics'),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: checksWithVariant('metrics'),
})
