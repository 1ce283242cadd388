import { defineScenario } from '../harness/scenario.ts'
import { churn } from '../harness/steps/churn.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { start, stop } from '../harness/steps/start-stop.ts'
import { filesStayBounded, nothingAcknowledgedIsLost, nothingIsTwice } from '../harness/checks.ts'

const streams = { option: 'streams' as const }

export default defineScenario({
  id: 'more-streams-than-file-handles',
  title: 'With more streams than file handles nothing fails and nothing is lost',
  why: 'A pool of open files that leaks, or gives errors when it is full, stops a server that has been well for weeks.',
  proves: ['file-handles'],
  timeoutMs: { quick: 120_000, full: 400_000 },
  world: { hops: ['origin'] },
  runs: 'alone',
  steps: [
    churn({ streams: { option: 'streams', share: 0.3 }, operationsEach: 6, concurrency: 32, label: 'own' }),
    stop('origin'),
    start('origin', { settings: { maxFileHandles: 8 } }),
    churn({ streams: { option: 'streams', share: 0.3 }, operationsEach: 6, concurrency: 32, label: 'at-8' }),
    stop('origin'),
    start('origin', { settings: { maxFileHandles: 100 } }),
    churn({ streams, operationsEach: 3, concurrency: 32, label: 'at-100' }),
  ],
  healed: [readAllFromStart({ via: ['origin'], streams: 'churn' })],
  checks: [filesStayBounded(), nothingAcknowledgedIsLost(), nothingIsTwice()],
})
