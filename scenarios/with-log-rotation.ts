import { defineScenario } from '../harness/scenario.ts'
import { padLog } from '../harness/steps/routines.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { checksWithVariant } from '../harness/checks-with-variant.ts'

export default defineScenario({
  id: 'with-log-rotation',
  title: 'The rotation of the access log changes nothing that a client can see',
  why: 'Rotation happens at any moment, also in the middle of an answer.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], numbersResponses: true },
  runs: 'beside-others',
  steps: withVariant('log-rotation', [padLog({ requests: 220, headerBytes: 7_000 })]),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: checksWithVariant('log-rotation'),
})
