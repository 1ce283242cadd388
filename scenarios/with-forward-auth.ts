import { defineScenario } from '../harness/scenario.ts'
import { askAsStranger } from '../harness/steps/look.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { checksWithVariant } from '../harness/checks-with-variant.ts'
import { privateStaysPrivate } from '../harness/checks.ts'

export default defineScenario({
  id: 'with-forward-auth',
  title: 'Forwarded authentication lets in who may, and nobody else, through the cache too',
  why: 'Another service is asked about each request: bodies and live reads have to survive it.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], numbersResponses: true },
  runs: 'beside-others',
  steps: withVariant('forward-auth', [askAsStranger()]),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: checksWithVariant('forward-auth', [privateStaysPrivate()]),
})
