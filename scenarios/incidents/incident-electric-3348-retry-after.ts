import { defineScenario } from '../../harness/scenario.ts'
import { clientMeets } from '../../harness/steps/clients.ts'
import { retryAfterIsHonoured, transientsAreOutlasted, retriesArePaced } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-electric-3348-retry-after',
  title: 'A client that is told when to come again does not come before',
  why: 'All clients come back at once to a server that has just asked for time, and it falls over again.',
  proves: ['client-errors'],
  incidents: [
    { report: 'https://github.com/electric-sql/electric/issues/1770', title: 'A rate limit was an error that ended the client', fixedIn: 'Electric\'s client of October 2024' },
    { report: 'https://github.com/electric-sql/electric/pull/3348', title: 'Retry-After was not honoured, and retries made the overload worse', fixedIn: 'Electric\'s client of October 2025' },
  ],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge', 'tls'], faultProxy: true, origin: { longPollTimeoutMs: 2_000 } },
  runs: 'beside-others',
  steps: [clientMeets({ faults: ['rate-limited-429', 'unavailable-503-with-retry-after'], when: ['first', 'reconnect'], modes: ['long-poll', 'sse'], kinds: ['json'] })],
  checks: [retryAfterIsHonoured(), transientsAreOutlasted(), retriesArePaced()],
})
