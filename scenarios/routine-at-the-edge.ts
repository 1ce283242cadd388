import { defineScenario } from '../harness/scenario.ts'
import { awaitEvents } from '../harness/steps/await-events.ts'
import { withClientsAtWork } from '../harness/steps/clients-at-work.ts'
import { look } from '../harness/steps/look.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { flushCache, replaceCacheConfiguration, replaceCertificate } from '../harness/steps/routines.ts'
import { start, stop } from '../harness/steps/start-stop.ts'
import { scheduledBeside, scheduledStreams } from '../harness/steps/with-variant.ts'
import { answersAreTheSame, edgeTellsTheTruth, liveReadersMissNothing, liveReadersResume, noAnswerIsWrong, nothingIsTorn, routineIsDone } from '../harness/checks.ts'

export default defineScenario({
  id: 'routine-at-the-edge',
  title: 'A flushed, reconfigured and restarted cache and a new certificate disturb no client',
  why: 'Caches and certificates are exchanged in the middle of the day, while thousands of readers are held.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 120_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], operated: true, numbersResponses: true },
  runs: 'beside-others',
  steps: [
    look('before'),
    ...withClientsAtWork([
      flushCache(),
      awaitEvents('append.ok', 30),
      replaceCacheConfiguration(),
      awaitEvents('append.ok', 30),
      replaceCertificate(),
      awaitEvents('append.ok', 60),
      stop('edge'),
      start('edge'),
    ], { beside: [scheduledBeside()] }),
    look('afterwards'),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: [
    routineIsDone({ routines: ['cache-flush', 'cache-configuration', 'certificate-replacement'] }),
    answersAreTheSame(),
    liveReadersMissNothing(),
    liveReadersResume(),
    noAnswerIsWrong({ except: scheduledStreams }),
    edgeTellsTheTruth({ mode: 'history', voidShareMax: 0.6 }),
    edgeTellsTheTruth({ mode: 'tail', voidShareMax: 0.6 }),
    edgeTellsTheTruth({ mode: 'head', voidShareMax: 0.6 }),
    nothingIsTorn(),
  ],
})
