import { defineScenario } from '../../harness/scenario.ts'
import { generations } from '../../harness/steps/generations.ts'
import { edgeTellsTheTruth, readersNeverSpin } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-electric-2593-empty-polls',
  title: 'No reader is led from one stored empty poll to the next',
  why: 'Whoever comes late walks through every empty answer that the cache has kept, at full speed, before the first news; or never comes to an end.',
  proves: ['cdn-cursor'],
  incidents: [
    { report: 'https://github.com/electric-sql/electric/pull/1826', title: 'Clients asked for the same stored live answer for ever', fixedIn: 'Electric of October 2024: the cursor, which this protocol has from there' },
    { report: 'https://github.com/electric-sql/electric/pull/2593', title: 'Stored empty live answers made chains that late readers had to walk', fixedIn: 'Electric of April 2025: they are not stored' },
  ],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge', 'tls'], origin: { longPollTimeoutMs: 600 }, numbersResponses: true },
  runs: 'beside-others',
  steps: [generations({ mode: 'long-poll', readers: 6, quietMs: 1_500 })],
  checks: [readersNeverSpin(), edgeTellsTheTruth({ mode: 'long-poll' })],
})
