import { defineScenario } from '../harness/scenario.ts'
import { churn } from '../harness/steps/churn.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { start, stop } from '../harness/steps/start-stop.ts'
import { filesStayBounded, nothingAcknowledgedIsLost, nothingIsRefused, nothingIsTwice, nothingRefusedIsStored } from '../harness/checks.ts'

export default defineScenario({
  id: 'more-streams-than-file-handles',
  title: 'With more streams than file handles nothing fails and nothing is lost',
  why: 'A pool of open files that leaks, or gives errors when it is full, stops a server that has been well for weeks.',
  proves: ['file-handles'],
  timeoutMs: { quick: 120_000, full: 400_000 },
  world: { hops: ['origin'] },
  runs: 'alone',
  steps: [
    createStreams({ kinds: ['no-expiry'], each: { option: 'streams' }, prefix: 'many', records: 1 }),
    // Several passes, since whatever else the machine does can only slow a round down.
    repeat({ quick: 2, full: 4 }, [
      stop('origin'),
      start('origin'),
      churn({ streams: 'many', operationsEach: 3, concurrency: 32, label: 'own' }),
      stop('origin'),
      start('origin', { settings: { maxFileHandles: 100 } }),
      churn({ streams: 'many', operationsEach: 3, concurrency: 32, label: 'at-100' }),
      stop('origin'),
      start('origin', { settings: { maxFileHandles: 8 } }),
      churn({ streams: 'many', operationsEach: 3, concurrency: 32, label: 'at-8' }),
    ]),
    createStreams({ kinds: ['no-expiry'], each: { option: 'streams', share: 0.1 }, prefix: 'under-pressure', records: 1 }),
  ],
  healed: [readAllFromStart({ via: ['origin'] })],
  checks: [filesStayBounded(), nothingIsRefused(), nothingAcknowledgedIsLost(), nothingIsTwice(), nothingRefusedIsStored()],
})
