import { defineScenario } from '../harness/scenario.ts'
import { askAsStranger } from '../harness/steps/look.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { answersAreTheSame, eventsPassUnbuffered, liveReadersMissNothing, liveReadersResume, noAnswerIsWrong, nothingAcknowledgedIsLost, nothingIsTorn, privateStaysPrivate, routineIsDone } from '../harness/checks.ts'

export default defineScenario({
  id: 'with-forward-auth',
  title: 'Forwarded authentication lets in who may, and nobody else, through the cache too',
  why: 'Another service is asked about each request: bodies and live reads have to survive it.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: withVariant('forward-auth', [askAsStranger()]),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: [
    routineIsDone({ routines: ['forward-auth'] }),
    answersAreTheSame(),
    eventsPassUnbuffered({ afterAckMs: 1_000, arrivalsMin: 20 }),
    liveReadersMissNothing(),
    liveReadersResume(),
    noAnswerIsWrong(),
    privateStaysPrivate(),
    nothingAcknowledgedIsLost(),
    nothingIsTorn(),
  ],
})
