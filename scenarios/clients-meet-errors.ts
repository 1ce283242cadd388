import { defineScenario } from '../harness/scenario.ts'
import { clientMeets } from '../harness/steps/clients.ts'
import {
  errorsReachTheHandler,
  handlerIsHonoured,
  readersMissNothing,
  retriesArePaced,
  retryAfterIsHonoured,
  transientsAreOutlasted,
} from '../harness/checks.ts'

export default defineScenario({
  id: 'clients-meet-errors',
  title: 'Live readers stop on permanent errors, outlast the others, and miss nothing',
  why: 'A reader that never hears of a 401 shows old data for ever, or asks for ever.',
  proves: ['client-errors'],
  timeoutMs: { quick: 90_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], faultProxy: true, origin: { longPollTimeoutMs: 3_000 } },
  runs: 'beside-others',
  steps: [
    clientMeets({
      faults: 'every',
      when: ['first', 'reconnect'],
      modes: ['long-poll', 'sse', 'auto'],
      kinds: ['no-expiry', 'json'],
      kindsEach: { quick: 1, full: 2 },
    }),
  ],
  checks: [
    errorsReachTheHandler(),
    handlerIsHonoured(),
    transientsAreOutlasted(),
    readersMissNothing(),
    retryAfterIsHonoured(),
    retriesArePaced(),
  ],
})
