import { defineScenario } from '../../harness/scenario.ts'
import { crashInAppend } from '../../harness/steps/crash-in-append.ts'
import { createStreams } from '../../harness/steps/create-streams.ts'
import { producersGoOn } from '../../harness/steps/producers.ts'
import { readAllFromStart } from '../../harness/steps/read-all.ts'
import { start } from '../../harness/steps/start-stop.ts'
import { nothingAcknowledgedIsLost, nothingIsTwice, orderIsKept, producerAnswersAreRight, readyWithin } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-143-producer-after-a-crash',
  title: 'What a producer retries after a crash between data and metadata is there once',
  why: 'A writer that does all by the book has its record stored twice, or is refused for a gap that it did not make.',
  proves: ['durability-crash', 'producers'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/issues/143', title: 'Data and producer state are not written in one: a crash between them forgets the producer\'s last sequence number', fixedIn: null }],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['producer'], each: 2, records: 3, prefix: 'crashed' }),
    crashInAppend('crashed-', { written: 'whole' }),
    start('origin'),
    producersGoOn({ via: ['origin'], prefix: 'crashed-' }),
  ],
  healed: [readAllFromStart({ via: ['origin'] })],
  checks: [
    nothingIsTwice(),
    nothingAcknowledgedIsLost(),
    orderIsKept(),
    producerAnswersAreRight({}, ['producers']),
    readyWithin({ readyMs: 5_000 }, ['durability-crash']),
  ],
})
