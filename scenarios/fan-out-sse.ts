import { defineScenario } from '../harness/scenario.ts'
import { crowd } from '../harness/steps/crowd.ts'
import { countCanBeWrong, crowdCollapses, crowdIsServedRight, cursorMovesOn } from '../harness/checks.ts'

const readers = { option: 'readers' as const }

export default defineScenario({
  id: 'fan-out-sse',
  title: 'A crowd on event streams becomes one upstream request',
  why: 'Event streams that a cache does not share are one connection to the origin for each viewer.',
  proves: ['cdn-collapse', 'cdn-cursor'],
  timeoutMs: { quick: 120_000, full: 300_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'alone',
  steps: [
    crowd({ mode: 'sse', path: 'direct', readers: { option: 'readers', max: 500, share: 0.05 }, generations: 1 }),
    crowd({ mode: 'sse', path: 'edge-http1', readers, generations: 2, late: { option: 'readers', share: 0.1 } }),
    crowd({ mode: 'sse', path: 'tls-h2', readers, generations: 2 }),
  ],
  checks: [
    crowdCollapses({ mode: 'sse' }, ['cdn-collapse']),
    crowdIsServedRight({ mode: 'sse' }, ['cdn-collapse']),
    cursorMovesOn({}, ['cdn-cursor']),
    countCanBeWrong({}, ['cdn-collapse']),
  ],
})
