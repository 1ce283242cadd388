import { defineScenario } from '../harness/scenario.ts'
import { watchDisk } from '../harness/steps/watch-disk.ts'
import { diskComesBack } from '../harness/checks.ts'

export default defineScenario({
  id: 'expired-streams-free-their-disk',
  title: 'The disk space of expired streams comes back',
  why: 'Lifetimes that end a stream without freeing its bytes let the volume fill up all the same.',
  proves: ['lifecycle-expires'],
  timeoutMs: { quick: 60_000, full: 200_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    watchDisk({ streams: 60, streamBytes: 200_000, ttlSeconds: 2, boundMs: { quick: 15_000, full: 120_000 } }),
  ],
  checks: [diskComesBack()],
})
