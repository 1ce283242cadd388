import { defineScenario } from '../harness/scenario.ts'
import { append } from '../harness/steps/append.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { during } from '../harness/steps/during.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { kill, start } from '../harness/steps/start-stop.ts'
import {
  everyStreamStillExists,
  killsHitAWorkingServer,
  nothingAcknowledgedIsLost,
  nothingIsTorn,
  nothingIsTwice,
  nothingRefusedIsStored,
  orderIsKept,
  readyWithin,
} from '../harness/checks.ts'

export default defineScenario({
  id: 'kill-under-load',
  title: 'Kills in the middle of writing lose, double, reorder and tear nothing',
  why: 'A process that is killed between writing and remembering loses appends it has acknowledged.',
  proves: ['durability-crash'],
  timeoutMs: { quick: 90_000, full: 600_000 },
  world: { hops: ['origin', 'edge'] },
  runs: 'alone',
  steps: [
    createStreams({
      kinds: ['no-expiry', 'json', 'binary', 'ttl', 'producer', 'producer-json'],
      each: 2,
      records: 3,
    }),
    during(append({ writers: 12 }), [
      repeat({ quick: 30, full: 300 }, [
        kill('origin', { after: { event: 'append.ok', n: 25, upToMore: 25 } }),
        start('origin'),
      ]),
    ]),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'] })],
  checks: [
    killsHitAWorkingServer({ acknowledgedMin: 20 }),
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingRefusedIsStored(),
    nothingIsTorn(),
    orderIsKept(),
    everyStreamStillExists(),
    readyWithin({ readyMs: 5_000 }),
  ],
})
