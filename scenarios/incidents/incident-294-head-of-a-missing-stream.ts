import { defineScenario } from '../../harness/scenario.ts'
import { clientHeads } from '../../harness/steps/client-heads.ts'
import { clientHeadEnds } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-294-head-of-a-missing-stream',
  title: 'Who asks for a stream that is missing is told so',
  why: 'The application that only wanted to know whether a stream is there waits for ever, and asks the server all the time.',
  proves: ['client-errors'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/pull/294', title: 'A HEAD that was answered 404 was tried again for ever, because an error without a body could not be read', fixedIn: '@durable-streams/client 0.2.3' }],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: [clientHeads()],
  checks: [clientHeadEnds()],
})
