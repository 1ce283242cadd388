import { defineScenario } from '../../harness/scenario.ts'
import { clientMeets } from '../../harness/steps/clients.ts'
import { transientsAreOutlasted, readersMissNothing, retriesArePaced } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-293-errors-in-the-middle',
  title: 'A live reader outlasts what heals, also in the middle of an answer',
  why: 'A 503 of a second, or a connection that is cut, ends a reader for good: the page shows old data until it is loaded again.',
  proves: ['client-errors'],
  incidents: [
    { report: 'https://github.com/durable-streams/durable-streams/issues/265', title: 'What Electric learned of connections, proxies and errors is missing in this client', fixedIn: null },
    { report: 'https://github.com/durable-streams/durable-streams/pull/293', title: 'Errors in the middle of a stream ended it for good', fixedIn: null },
  ],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge', 'tls'], faultProxy: true, origin: { longPollTimeoutMs: 2_000 } },
  runs: 'beside-others',
  steps: [clientMeets({ faults: ['unavailable-503', 'connection-reset', 'truncated-body'], when: ['reconnect'], modes: ['long-poll'], kinds: ['json'] })],
  checks: [transientsAreOutlasted(), readersMissNothing(), retriesArePaced()],
})
