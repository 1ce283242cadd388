import { defineScenario } from '../harness/scenario.ts'
import { awaitEvents } from '../harness/steps/await-events.ts'
import { withClientsAtWork } from '../harness/steps/clients-at-work.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { start, stop } from '../harness/steps/start-stop.ts'
import { liveReadersMissNothing, liveReadersResume, noAnswerIsWrong, nothingAcknowledgedIsLost, nothingIsTwice, nothingRefusedIsStored, readyWithin, stopsWithinGrace } from '../harness/checks.ts'

export default defineScenario({
  id: 'stop-with-live-readers',
  title: 'A stop with live readers ends within its grace period, and they resume without loss',
  why: 'Long-polls and event streams hold a stop up until the container is killed in the middle of writing.',
  proves: ['ops-graceful'],
  timeoutMs: { quick: 90_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: withClientsAtWork([stop('tls'), start('tls'), awaitEvents('append.ok', 60), stop('origin'), start('origin')]),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: [
    stopsWithinGrace({ graceMs: 10_000 }),
    stopsWithinGrace({ hop: 'tls', graceMs: 10_000 }),
    liveReadersMissNothing(),
    liveReadersResume(),
    noAnswerIsWrong(),
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingRefusedIsStored(),
    readyWithin({ readyMs: 5_000 }),
  ],
})
