import { defineScenario } from '../../harness/scenario.ts'
import { schedule } from '../../harness/steps/schedule.ts'
import { edgeTellsTheTruth } from '../../harness/checks.ts'

const stream = 'not-there-yet'
const via = 'edge' as const

export default defineScenario({
  id: 'incident-electric-2501-stored-error',
  title: 'A 404 from before a creation is not what the cache goes on saying',
  why: 'A page that was opened a moment too early says "not found" for minutes, to everybody.',
  proves: ['cdn-freshness'],
  incidents: [{ report: 'https://github.com/electric-sql/electric/pull/2501', title: 'Errors carried a lifetime, and caches went on telling them after they were over', fixedIn: 'here a matter of the cache\'s configuration: a 404 carries no lifetime of its own' }],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge'], origin: { longPollTimeoutMs: 1_000 }, numbersResponses: true },
  runs: 'beside-others',
  steps: [
    schedule({
      moves: [
        { stream, do: 'read', mode: 'history', via, from: 'start', readers: 3 },
        { stream, do: 'read', mode: 'long-poll', via, from: 'start', readers: 3 },
        { stream, do: 'create', via: 'origin', bytes: 60 },
        { stream, do: 'wait', for: 'staleness' },
        { stream, do: 'read', mode: 'history', via, from: 'start', readers: 3 },
        { stream, do: 'read', mode: 'long-poll', via, from: 'start', readers: 3 },
      ],
      prefix: 'error',
    }),
  ],
  checks: [edgeTellsTheTruth({ mode: 'history' }), edgeTellsTheTruth({ mode: 'long-poll' })],
})
