import { defineScenario } from '../../harness/scenario.ts'
import { clientWriters } from '../../harness/steps/client-writers.ts'
import { readAllFromStart } from '../../harness/steps/read-all.ts'
import { clientWritersLoseNothing, nothingIsTorn } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-371-auto-claim',
  title: 'A producer that claims its epoch loses nothing of what it sends meanwhile',
  why: 'The first records after a restart of a writer are lost or refused, and the application is told of neither.',
  proves: ['producers'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/pull/371', title: 'Batches were sent beside the one that claimed the epoch, with sequence numbers of their own', fixedIn: '@durable-streams/client 0.2.6' }],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: [clientWriters({ cases: ['auto-claim-while-more-is-under-way', 'auto-claim-after-explicit-epoch'], kinds: ['no-expiry', 'json'] })],
  healed: [readAllFromStart({ via: ['origin'] })],
  checks: [clientWritersLoseNothing({ epochMin: 4 }), nothingIsTorn()],
})
