import { defineScenario } from '../harness/scenario.ts'
import { clientWriters } from '../harness/steps/client-writers.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { clientWritersLoseNothing, nothingIsTorn } from '../harness/checks.ts'

export default defineScenario({
  id: 'client-writers',
  title: 'What the client library flushed is written once, by explicit epochs and by autoClaim',
  why: 'A writer that is told of no error does not write again what is not there.',
  proves: ['producers'],
  timeoutMs: { quick: 60_000, full: 90_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: [clientWriters({ cases: 'every', kinds: ['no-expiry', 'json'] })],
  healed: [readAllFromStart({ via: ['origin'] })],
  checks: [clientWritersLoseNothing(), nothingIsTorn()],
})
