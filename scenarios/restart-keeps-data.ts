import { defineScenario } from '../harness/scenario.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { repeat } from '../harness/steps/repeat.ts'
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
  id: 'restart-keeps-data',
  title: 'Every kind of stream survives a stop, a kill, and three kills in a row',
  why: 'Without data_dir, or with metadata that is not flushed, a deploy loses streams.',
  proves: ['persistence-data-dir'],
  timeoutMs: { quick: 90_000, full: 180_000 },
  world: { hops: ['origin', 'edge'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: 'every', each: { quick: 1, full: 3 } }),
    readAllFromStart({ via: ['origin', 'edge'], group: 'before' }),
    stop('origin'),
    start('origin'),
    readAllFromStart({ via: ['origin', 'edge'], group: 'after-stop' }),
    createStreams({ kinds: 'every', prefix: 'late' }),
    kill('origin'),
    start('origin'),
    readAllFromStart({ via: ['origin'], group: 'after-kill' }),
    repeat(3, [kill('origin'), start('origin')]),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'], group: 'after-three-kills' })],
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
