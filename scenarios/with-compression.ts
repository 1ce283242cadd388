import { defineScenario } from '../harness/scenario.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { checksWithVariant } from '../harness/checks-with-variant.ts'

export default defineScenario({
  id: 'with-compression',
  title: 'Compression changes no byte, buffers no event and keeps revalidation',
  why: 'An encoder that collects bytes makes a live stream a dead one, and an ETag of its own ends revalidation.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], numbersResponses: true },
  runs: 'beside-others',
  steps: withVariant('compression'),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: checksWithVariant('compression'),
})
