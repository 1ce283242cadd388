import { defineScenario } from '../harness/scenario.ts'
import { generations } from '../harness/steps/generations.ts'
import { cacheMakesNoErrors, edgeTellsTheTruth, readersNeverSpin } from '../harness/checks.ts'

export default defineScenario({
  id: 'live-readers-never-loop',
  title: 'Generations of live readers get on, and meet no stored answer twice',
  why: 'A reader that is given its own stored answer again asks again, at once, for ever.',
  proves: ['cdn-cursor'],
  timeoutMs: { quick: 60_000, full: 60_000 },
  // A poll and an event stream end several times while nothing is written.
  world: { hops: ['origin', 'edge', 'tls'], origin: { longPollTimeoutMs: 1_000, sseReconnectMs: 1_000 }, numbersResponses: true },
  runs: 'beside-others',
  steps: [
    generations({ mode: 'long-poll', readers: 8, quietMs: 2_500 }),
    generations({ mode: 'sse', readers: 8, quietMs: 2_500 }),
  ],
  checks: [readersNeverSpin(), cacheMakesNoErrors(), edgeTellsTheTruth({ mode: 'long-poll' }), edgeTellsTheTruth({ mode: 'sse' })],
})
