import { defineScenario } from '../harness/scenario.ts'
import { awaitEvents } from '../harness/steps/await-events.ts'
import { withClientsAtWork } from '../harness/steps/clients-at-work.ts'
import { look } from '../harness/steps/look.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { reload } from '../harness/steps/routines.ts'
import { scheduledBeside, scheduledStreams } from '../harness/steps/with-variant.ts'
import { everyModeTellsTheTruth } from '../harness/checks-with-variant.ts'
import { answersAreTheSame, liveReadersMissNothing, liveReadersResume, noAnswerIsWrong, nothingAcknowledgedIsLost, nothingIsTorn, routineIsDone } from '../harness/checks.ts'

export default defineScenario({
  id: 'reload-under-load',
  title: 'A configuration reload, without and with a change, takes effect and disturbs nobody',
  why: 'Reloading is how a Caddyfile is changed in production: a handler that holds its store open refuses it, one that does not may lose writes.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], numbersResponses: true, origin: { variants: ['admin-api'] } },
  runs: 'beside-others',
  steps: [
    look('before'),
    ...withClientsAtWork([
      reload(),
      awaitEvents('append.ok', 20),
      reload({ force: true }),
      awaitEvents('append.ok', 20),
      reload({ settings: { longPollTimeoutMs: 25_000 } }),
    ], { beside: [scheduledBeside()] }),
    look('afterwards'),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: [
    routineIsDone({ routines: ['reload', 'forced-reload', 'changed-reload'] }),
    answersAreTheSame(),
    liveReadersMissNothing(),
    liveReadersResume(),
    noAnswerIsWrong({ except: scheduledStreams }),
    ...everyModeTellsTheTruth(),
    nothingAcknowledgedIsLost({ except: scheduledStreams }),
    nothingIsTorn(),
  ],
})
