import { defineScenario } from '../harness/scenario.ts'
import { diskFull } from '../harness/faults/disk-full.ts'
import { append } from '../harness/steps/append.ts'
import { awaitEvents } from '../harness/steps/await-events.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { during } from '../harness/steps/during.ts'
import { fault } from '../harness/steps/fault.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { fullDiskIsReported, storageIsWhole } from '../harness/checks.ts'

export default defineScenario({
  id: 'disk-full-loses-nothing',
  title: 'A full disk is reported, loses nothing that was acknowledged, and is over when there is room again',
  why: 'Logs fill a disk one night; a server that acknowledges what it cannot store, or that stays broken afterwards, turns that into a loss.',
  proves: ['durability-disk'],
  timeoutMs: { quick: 90_000, full: 240_000 },
  world: { hops: ['origin', 'edge'], dataVolumeBytes: 32 * 1024 ** 2 },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'json', 'binary', 'producer', 'producer-json', 'ttl'], each: 2, records: 3 }),
    during(append({ writers: 6, payloadBytes: 1_500 }), [
      awaitEvents('append.ok', 60),
      repeat({ quick: 2, full: 10 }, [
        fault(diskFull(), { lastsMs: 1_500, thenAwait: { event: 'append.ok', n: 60, withinMs: 6_000 } }),
      ]),
    ]),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'] })],
  checks: [fullDiskIsReported(), ...storageIsWhole()],
})
