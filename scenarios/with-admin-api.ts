import { defineScenario } from '../harness/scenario.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { answersAreTheSame, eventsPassUnbuffered, liveReadersMissNothing, liveReadersResume, noAnswerIsWrong, nothingAcknowledgedIsLost, nothingIsTorn, routineIsDone } from '../harness/checks.ts'

export default defineScenario({
  id: 'with-admin-api',
  title: 'The admin API changes nothing that a client can see',
  why: 'It is on by default, and off in many files.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: withVariant('admin-api'),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: [
    routineIsDone({ routines: ['admin-api'] }),
    answersAreTheSame(),
    eventsPassUnbuffered({ afterAckMs: 1_000, arrivalsMin: 20 }),
    liveReadersMissNothing(),
    liveReadersResume(),
    noAnswerIsWrong(),
    nothingAcknowledgedIsLost(),
    nothingIsTorn(),
  ],
})
