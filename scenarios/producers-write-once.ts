import { defineScenario } from '../harness/scenario.ts'
import { producers, producersGoOn } from '../harness/steps/producers.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { kill, start, stop } from '../harness/steps/start-stop.ts'
import {
  nothingAcknowledgedIsLost,
  nothingIsTorn,
  nothingIsTwice,
  nothingRefusedIsStored,
  orderIsKept,
  producerAnswersAreRight,
} from '../harness/checks.ts'

export default defineScenario({
  id: 'producers-write-once',
  title: 'An idempotent producer writes once, and a fenced one not at all',
  why: 'A retry that is stored twice charges twice; a writer that was replaced and still writes corrupts the stream.',
  proves: ['producers'],
  timeoutMs: { quick: 60_000, full: 120_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: [
    producers({ cases: 'every', kinds: ['no-expiry', 'json', 'binary'], via: ['origin', 'tls'] }),
    producersGoOn({ via: ['tls'] }),
    stop('origin'),
    start('origin'),
    producersGoOn({ via: ['origin'] }),
    stop('edge'),
    start('edge'),
    producersGoOn({ via: ['tls', 'origin'] }),
    kill('origin'),
    start('origin'),
    producersGoOn({ via: ['origin', 'tls'] }),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'] })],
  checks: [
    producerAnswersAreRight(),
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingRefusedIsStored(),
    nothingIsTorn(),
    orderIsKept(),
  ],
})
