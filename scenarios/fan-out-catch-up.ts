import { defineScenario } from '../harness/scenario.ts'
import { crowd } from '../harness/steps/crowd.ts'
import { countCanBeWrong, crowdCollapses, crowdIsServedRight } from '../harness/checks.ts'

const readers = { option: 'readers' as const }

export default defineScenario({
  id: 'fan-out-catch-up',
  title: 'A crowd that catches up becomes one upstream request',
  why: 'After a deploy or a link that spreads, everybody reads the same bytes at once.',
  proves: ['cdn-collapse'],
  timeoutMs: { quick: 120_000, full: 300_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'alone',
  steps: [
    // The control: the same count without the cache is the number of readers.
    crowd({ mode: 'catch-up', path: 'direct', readers: { option: 'readers', max: 500, share: 0.05 }, generations: 1 }),
    crowd({ mode: 'catch-up', path: 'edge-http1', readers, generations: 1 }),
    crowd({ mode: 'catch-up', path: 'tls-h2', readers, generations: 1 }),
    crowd({ mode: 'catch-up-tail', path: 'edge-http1', readers, generations: 2 }),
    crowd({ mode: 'catch-up-tail', path: 'tls-h2', readers, generations: 1 }),
  ],
  checks: [
    crowdCollapses({ mode: 'catch-up' }),
    crowdIsServedRight({ mode: 'catch-up' }),
    crowdCollapses({ mode: 'catch-up-tail' }),
    crowdIsServedRight({ mode: 'catch-up-tail' }),
    countCanBeWrong(),
  ],
})
