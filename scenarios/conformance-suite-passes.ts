import { defineScenario } from '../harness/scenario.ts'
import { conformance } from '../harness/steps/conformance.ts'
import { conformanceAtOrigin, conformanceThroughEdge } from '../harness/checks.ts'

export default defineScenario({
  id: 'conformance-suite-passes',
  title: 'The conformance suite passes at the origin and through the cache',
  why: 'A proxy that drops a header or answers from its memory breaks clients that the origin serves right.',
  proves: ['conformance'],
  timeoutMs: { quick: 240_000, full: 240_000 },
  // The suite waits for several quiet long-polls.
  world: { hops: ['origin', 'edge'], origin: { longPollTimeoutMs: 500 } },
  runs: 'beside-others',
  steps: [conformance({ via: ['origin', 'edge'] })],
  checks: [conformanceAtOrigin(), conformanceThroughEdge()],
})
