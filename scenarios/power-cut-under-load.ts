import { defineScenario } from '../harness/scenario.ts'
import { append } from '../harness/steps/append.ts'
import { awaitEvents } from '../harness/steps/await-events.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { cutPower } from '../harness/steps/cut-power.ts'
import { during } from '../harness/steps/during.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { start } from '../harness/steps/start-stop.ts'
import { readyWithin, storageIsWhole } from '../harness/checks.ts'

export default defineScenario({
  id: 'power-cut-under-load',
  title: 'A power cut in the middle of writing loses, doubles and tears nothing',
  why: 'What was under way reaches the disk in part and in any order: data without its metadata, metadata without its data.',
  proves: ['durability-disk'],
  timeoutMs: { quick: 90_000, full: 300_000 },
  // More streams than file handles, as in production: what is closed to make room has to be forced to the disk as well.
  world: { hops: ['origin', 'edge'], origin: { maxFileHandles: 8 }, dataDiskBytes: 64 * 1024 ** 2 },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'json', 'binary', 'producer', 'producer-json'], each: 6, records: 2 }),
    during(append({ writers: 16 }), [
      repeat({ quick: 3, full: 20 }, [awaitEvents('append.ok', 150), cutPower(), start('origin')]),
    ]),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'] })],
  checks: [...storageIsWhole(), readyWithin({ readyMs: 5_000 })],
})
