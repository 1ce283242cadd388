import { defineScenario } from '../harness/scenario.ts'
import { crowd } from '../harness/steps/crowd.ts'
import { stockCacheIsMeasured } from '../harness/checks.ts'

const readers = { option: 'readers' as const, max: 100 }

/** Judges no row: the report shows its figures beside those of the configuration that is judged. */
export default defineScenario({
  id: 'stock-cache-for-comparison',
  title: 'What the cache would have done as it comes',
  why: 'A configuration is worth what its absence costs: requests to the origin, and readers who are told old things.',
  proves: ['cdn-collapse'],
  timeoutMs: { quick: 60_000, full: 60_000 },
  world: { hops: ['origin', 'edge'], edge: 'stock' },
  runs: 'beside-others',
  steps: [
    crowd({ mode: 'catch-up', path: 'edge-http1', readers, generations: 1 }),
    crowd({ mode: 'catch-up-tail', path: 'edge-http1', readers, generations: 2 }),
    crowd({ mode: 'long-poll', path: 'edge-http1', readers, generations: 1, late: readers }),
    crowd({ mode: 'sse', path: 'edge-http1', readers, generations: 1, late: readers }),
  ],
  checks: [stockCacheIsMeasured({}, [])],
})
