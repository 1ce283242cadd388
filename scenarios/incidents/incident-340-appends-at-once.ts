import { defineScenario } from '../../harness/scenario.ts'
import { append } from '../../harness/steps/append.ts'
import { createStreams } from '../../harness/steps/create-streams.ts'
import { readAllFromStart } from '../../harness/steps/read-all.ts'
import { nothingAcknowledgedIsLost, nothingIsTwice, offsetsOnlyAdvance } from '../../harness/checks.ts'

const fixedIn = 'server 0.3.2; the Caddy server is not known to have had it'

export default defineScenario({
  id: 'incident-340-appends-at-once',
  title: 'Appends to one stream at once are all behind its tail',
  why: 'A tail that is told before what is stored hides the newest records from every live reader until the next restart.',
  proves: ['persistence-data-dir'],
  incidents: [
    { report: 'https://github.com/durable-streams/durable-streams/pull/340', title: 'Of many appends at once several were told the same offset, and acknowledgements of later ones were refused', fixedIn },
    { report: 'https://github.com/durable-streams/durable-streams/pull/335', title: 'The tail of a stream went back when two appends overlapped, and live readers missed the newest bytes', fixedIn },
  ],
  timeoutMs: { quick: 30_000, full: 60_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'json'], each: 1, records: 0, prefix: 'shared' }),
    append({ writers: 50, streams: 'shared-', acknowledged: 400 }),
  ],
  healed: [readAllFromStart({ via: ['origin'] })],
  checks: [offsetsOnlyAdvance({ togetherMin: 10 }), nothingAcknowledgedIsLost(), nothingIsTwice()],
})
