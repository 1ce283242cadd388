import { defineScenario } from '../../harness/scenario.ts'
import { clientMeets } from '../../harness/steps/clients.ts'
import { errorsReachTheHandler, transientsAreOutlasted } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-320-onerror-on-a-reconnect',
  title: 'onError is called when an event stream cannot be opened again',
  why: 'A token that has expired ends the session of every reader at its next reconnect, and no handler is asked for a new one.',
  proves: ['client-errors'],
  incidents: [
    { report: 'https://github.com/durable-streams/durable-streams/issues/320', title: 'onError was not called when an event stream was connected anew', fixedIn: null },
    { report: 'https://github.com/durable-streams/durable-streams/pull/344', title: 'The proposed change: the handler is asked on each reconnect, and its headers are taken', fixedIn: null },
  ],
  timeoutMs: { quick: 40_000, full: 40_000 },
  world: { hops: ['origin', 'edge', 'tls'], faultProxy: true, origin: { longPollTimeoutMs: 2_000 } },
  runs: 'beside-others',
  steps: [clientMeets({ faults: ['token-renewed-by-handler'], when: ['reconnect'], modes: ['sse'], kinds: ['json'] })],
  checks: [errorsReachTheHandler(), transientsAreOutlasted()],
})
