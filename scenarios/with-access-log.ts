import { defineScenario } from '../harness/scenario.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { withVariant } from '../harness/steps/with-variant.ts'
import { answersAreTheSame, eventsPassUnbuffered, liveReadersMissNothing, liveReadersResume, noAnswerIsWrong, nothingAcknowledgedIsLost, nothingIsTorn, routineIsDone } from '../harness/checks.ts'

export default defineScenario({
  id: 'with-access-log',
  title: 'An access log changes nothing that a client can see',
  why: 'A logger that wraps the response may take flushing from it: event streams then come in pieces.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: withVariant('access-log'),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: [
    routineIsDone({ routines: ['access-log'] }),
    answersAreTheSame(),
    eventsPassUnbuffered({ afterAckMs: 1_000, arrivalsMin: 20 }),
    liveReadersMissNothing(),
    liveReadersResume(),
    noAnswerIsWrong(),
    nothingAcknowledgedIsLost(),
    nothingIsTorn(),
  ],
})
