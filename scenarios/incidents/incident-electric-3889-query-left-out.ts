import { defineScenario } from '../../harness/scenario.ts'
import { schedule } from '../../harness/steps/schedule.ts'
import { edgeTellsTheTruth } from '../../harness/checks.ts'

const stream = 'read-on'
const via = 'edge' as const

export default defineScenario({
  id: 'incident-electric-3889-query-left-out',
  title: 'Answers to other offsets are other answers for the cache',
  why: 'A cache that leaves the query out of its key gives the beginning of a stream to whoever asks for its end: readers get all of it again, or nothing new ever.',
  proves: ['cdn-freshness'],
  incidents: [{ report: 'https://github.com/electric-sql/electric/pull/3889', title: 'A CDN left the query out of its key, and readers at every offset got the same stored answer', fixedIn: 'a matter of the cache\'s configuration' }],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge'], origin: { longPollTimeoutMs: 1_000 }, numbersResponses: true },
  runs: 'beside-others',
  steps: [
    schedule({
      moves: [
        { stream, do: 'create', via: 'origin', bytes: 60 },
        { stream, do: 'append', via: 'origin', bytes: 60 },
        { stream, do: 'append', via: 'origin', bytes: 60 },
        { stream, do: 'read', mode: 'history', via, from: 'start', readers: 3 },
        { stream, do: 'read', mode: 'history', via, from: 'behind', readers: 3 },
        { stream, do: 'read', mode: 'tail', via, from: 'tail', readers: 3 },
        { stream, do: 'read', mode: 'history', via, from: 'start', readers: 3 },
      ],
      prefix: 'query',
    }),
  ],
  checks: [edgeTellsTheTruth({ mode: 'history' }), edgeTellsTheTruth({ mode: 'tail' })],
})
