import { defineScenario } from '../harness/scenario.ts'
import { append } from '../harness/steps/append.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { during } from '../harness/steps/during.ts'
import { producersGoOn } from '../harness/steps/producers.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { kill, start, stop } from '../harness/steps/start-stop.ts'
import {
  killsHitAWorkingServer,
  nothingAcknowledgedIsLost,
  nothingIsTwice,
  nothingRefusedIsStored,
  orderIsKept,
  producerAnswersAreRight,
} from '../harness/checks.ts'

export default defineScenario({
  id: 'producers-survive-kills',
  title: 'What an idempotent producer retries after a kill is there once',
  why: 'A server that forgets a producer when it is killed stores the retry again, or refuses a writer that did nothing wrong.',
  proves: ['producers'],
  timeoutMs: { quick: 60_000, full: 300_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['producer', 'producer-json'], each: 4, records: 2 }),
    during(append({ writers: 8, via: 'tls' }), [
      repeat({ quick: 6, full: 60 }, [kill('origin', { after: { event: 'append.ok', n: 25, upToMore: 25 } }), start('origin')]),
      stop('edge', { after: { event: 'append.ok', n: 25 } }),
      start('edge'),
      kill('edge', { after: { event: 'append.ok', n: 25 } }),
      start('edge'),
      stop('origin', { after: { event: 'append.ok', n: 25 } }),
      start('origin'),
    ]),
    kill('origin'),
    start('origin'),
    producersGoOn({ via: ['origin', 'tls'], prefix: 's' }),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'] })],
  checks: [
    producerAnswersAreRight(),
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingRefusedIsStored(),
    orderIsKept(),
    killsHitAWorkingServer({ acknowledgedMin: 20 }),
  ],
})
