import { defineScenario } from '../harness/scenario.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { kill, start, stop } from '../harness/steps/start-stop.ts'
import {
  everyStreamStillExists,
  nothingAcknowledgedIsLost,
  nothingIsTorn,
  nothingIsTwice,
  nothingRefusedIsStored,
  orderIsKept,
  readyWithin,
} from '../harness/checks.ts'

export default defineScenario({
  id: 'restart-keeps-forks',
  title: 'Forked streams and their sources survive a stop and a kill',
  why: 'A fork shares its source\'s bytes and offsets: recovery that does not know of it damages both.',
  proves: ['persistence-data-dir'],
  timeoutMs: { quick: 90_000, full: 180_000 },
  world: { hops: ['origin', 'edge'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['forked', 'forked-json', 'forked-ttl'], each: { quick: 1, full: 3 } }),
    readAllFromStart({ via: ['origin', 'edge'], group: 'before' }),
    stop('origin'),
    start('origin'),
    readAllFromStart({ via: ['origin', 'edge'], group: 'after-stop' }),
    kill('origin'),
    start('origin'),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'], group: 'after-kill' })],
  checks: [
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingRefusedIsStored(),
    nothingIsTorn(),
    orderIsKept(),
    everyStreamStillExists(),
    readyWithin({ readyMs: 5_000 }),
  ],
})
