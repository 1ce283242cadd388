import { defineScenario } from '../../harness/scenario.ts'
import { clientMeets } from '../../harness/steps/clients.ts'
import { firstReadIsShared, readersMissNothing } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-354-first-read-is-shared',
  title: 'The first read of a live reader can be shared by a cache',
  why: 'Every page that is loaded reads all of history from the origin, though the cache in front has it.',
  proves: ['cdn-urls'],
  incidents: [
    { report: 'https://github.com/durable-streams/durable-streams/pull/354', title: 'The first request asked with live, and caches could not share it', fixedIn: '@durable-streams/client 0.2.4' },
  ],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge', 'tls'], faultProxy: true, origin: { longPollTimeoutMs: 2_000 } },
  runs: 'beside-others',
  steps: [clientMeets({ faults: ['unavailable-503'], when: ['reconnect'], modes: ['long-poll', 'sse', 'auto'], kinds: ['json'] })],
  checks: [firstReadIsShared(), readersMissNothing()],
})
