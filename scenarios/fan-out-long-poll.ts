import { defineScenario } from '../harness/scenario.ts'
import { crowd } from '../harness/steps/crowd.ts'
import { countCanBeWrong, crowdCollapses, crowdIsServedRight, cursorMovesOn } from '../harness/checks.ts'

const readers = { option: 'readers' as const }

export default defineScenario({
  id: 'fan-out-long-poll',
  title: 'A crowd that waits in long-polls becomes one upstream request',
  why: 'Ten thousand viewers who each hold a request to the origin are an outage with a delay.',
  proves: ['cdn-collapse', 'cdn-cursor'],
  timeoutMs: { quick: 120_000, full: 300_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'alone',
  steps: [
    crowd({ mode: 'long-poll', path: 'direct', readers: { option: 'readers', max: 500, share: 0.05 }, generations: 1 }),
    crowd({ mode: 'long-poll', path: 'edge-http1', readers, generations: 2, late: { option: 'readers', share: 0.1 } }),
    crowd({ mode: 'long-poll', path: 'tls-h2', readers, generations: 2 }),
  ],
  checks: [
    crowdCollapses({ mode: 'long-poll' }, ['cdn-collapse']),
    crowdIsServedRight({ mode: 'long-poll' }, ['cdn-collapse']),
    cursorMovesOn({}, ['cdn-cursor']),
    countCanBeWrong({}, ['cdn-collapse']),
  ],
})
