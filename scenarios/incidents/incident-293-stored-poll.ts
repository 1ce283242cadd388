import { defineScenario } from '../../harness/scenario.ts'
import { clientMeets } from '../../harness/steps/clients.ts'
import { retriesArePaced, readersMissNothing } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-293-stored-poll',
  title: 'A reader does not spin on a poll that a cache has stored',
  why: 'Each reader behind a cache that stores an empty poll asks for it thousands of times a minute, and the page freezes.',
  proves: ['client-errors'],
  incidents: [
    { report: 'https://github.com/durable-streams/durable-streams/pull/293', title: 'No protection against the same stored answer again and again', fixedIn: null },
    { report: 'https://github.com/electric-sql/electric/pull/3855', title: 'Clients of Electric asked in a tight loop that a stored answer kept up', fixedIn: '@electric-sql/client of February 2026; not in this client' },
  ],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge', 'tls'], faultProxy: true, origin: { longPollTimeoutMs: 2_000 } },
  runs: 'beside-others',
  steps: [clientMeets({ faults: ['stale-poll-again'], when: ['reconnect'], modes: ['long-poll'], kinds: ['json'] })],
  checks: [retriesArePaced(), readersMissNothing()],
})
