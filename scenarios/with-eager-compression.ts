import { defineScenario } from '../harness/scenario.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { checksWithVariant } from '../harness/checks-with-variant.ts'

export default defineScenario({
  id: 'with-eager-compression',
  title: 'Compression of event streams and small answers changes no byte and buffers no event',
  why: 'With a low minimum_length event streams are compressed too: each event must leave the encoder at once.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], numbersResponses: true },
  runs: 'beside-others',
  steps: withVariant('eager-compression'),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: checksWithVariant('eager-compression'),
})
