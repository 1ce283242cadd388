import { defineScenario } from '../harness/scenario.ts'
import { clientsComeBack } from '../harness/steps/clients.ts'
import { crowdComesBackSpread, errorsReachTheHandler, readersMissNothing, retriesArePaced, transientsAreOutlasted } from '../harness/checks.ts'

export default defineScenario({
  id: 'clients-come-back',
  title: 'A crowd of live readers outlasts a restart of the cache, and comes back spread',
  why: 'Readers that all come back at one moment bring down again what has just come up.',
  proves: ['client-errors'],
  timeoutMs: { quick: 60_000, full: 120_000 },
  world: { hops: ['origin', 'edge', 'tls'], faultProxy: true, origin: { longPollTimeoutMs: 3_000 } },
  runs: 'alone',
  steps: [clientsComeBack({ readers: { quick: 200, full: 500 }, modes: ['long-poll', 'sse', 'auto'], outageMs: 5_000 })],
  checks: [crowdComesBackSpread(), transientsAreOutlasted(), errorsReachTheHandler(), readersMissNothing(), retriesArePaced()],
})
