import { defineScenario } from '../harness/scenario.ts'
import { diskFull } from '../harness/faults/disk-full.ts'
import { append } from '../harness/steps/append.ts'
import { awaitEvents } from '../harness/steps/await-events.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { during } from '../harness/steps/during.ts'
import { fault } from '../harness/steps/fault.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { kill, start } from '../harness/steps/start-stop.ts'
import { readyWithin, storageIsWhole } from '../harness/checks.ts'

export default defineScenario({
  id: 'disk-full-survives-a-restart',
  title: 'What was acknowledged before, during and after a full disk is there after a restart',
  why: 'The half of an append that the full disk took is in the way of what was acknowledged after it, and is cut off at the next start, or more than that.',
  proves: ['durability-disk'],
  timeoutMs: { quick: 90_000, full: 240_000 },
  world: { hops: ['origin', 'edge'], dataVolumeBytes: 32 * 1024 ** 2 },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'json', 'binary', 'producer', 'producer-json', 'ttl'], each: 2, records: 3 }),
    during(append({ writers: 6, payloadBytes: 1_500 }), [
      awaitEvents('append.ok', 60),
      repeat({ quick: 1, full: 4 }, [
        fault(diskFull(), { lastsMs: 1_500, thenAwait: { event: 'append.ok', n: 60, withinMs: 6_000 } }),
      ]),
    ]),
    kill('origin'),
    start('origin'),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'] })],
  checks: [...storageIsWhole(), readyWithin({ readyMs: 5_000 })],
})
