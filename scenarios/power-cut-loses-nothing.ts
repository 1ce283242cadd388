import { defineScenario } from '../harness/scenario.ts'
import { append } from '../harness/steps/append.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { cutPower } from '../harness/steps/cut-power.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { start } from '../harness/steps/start-stop.ts'
import { readyWithin, storageIsWhole } from '../harness/checks.ts'

export default defineScenario({
  id: 'power-cut-loses-nothing',
  title: 'What was acknowledged is on the disk when the power is cut',
  why: 'A kill leaves to the kernel what a server wrote; a power cut takes all that it had not forced to the disk.',
  proves: ['durability-disk'],
  timeoutMs: { quick: 90_000, full: 300_000 },
  // More streams than file handles, as in production: what is closed to make room has to be forced to the disk as well.
  world: { hops: ['origin', 'edge'], origin: { maxFileHandles: 8 }, dataDiskBytes: 64 * 1024 ** 2 },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'json', 'binary', 'producer', 'producer-json'], each: 6, records: 2 }),
    createStreams({ kinds: ['closed'], each: 4, records: 2, prefix: 'closed' }),
    repeat({ quick: 1, full: 10 }, [append({ writers: 16, acknowledged: 200 }), cutPower(), start('origin')]),
    readAllFromStart({ via: ['origin'], group: 'after-the-first-cuts' }),
    // What was acknowledged of these is that they are there.
    ...['first', 'second', 'third'].flatMap((which) => [
      createStreams({ kinds: ['no-expiry', 'json', 'producer'], each: 4, records: 0, prefix: `empty-${which}` }),
      cutPower(),
      start('origin'),
    ]),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'] })],
  checks: [...storageIsWhole(), readyWithin({ readyMs: 5_000 })],
})
