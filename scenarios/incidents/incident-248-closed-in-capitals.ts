import { defineScenario } from '../../harness/scenario.ts'
import { exchanges } from '../../harness/steps/exchanges.ts'
import { exchangeIsAnswered } from '../../harness/checks.ts'

const text = { 'content-type': 'text/plain' }

export default defineScenario({
  id: 'incident-248-closed-in-capitals',
  title: 'A stream is closed by "Stream-Closed: True", too',
  why: 'A client library that writes True, as Python does, is answered with success, and its stream stays open: readers wait for an end that never comes.',
  proves: ['conformance'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/pull/248', title: 'The value of Stream-Closed was compared with its case, and a close was ignored', fixedIn: null }],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    exchanges([
      { label: 'create', method: 'PUT', stream: 'capitals', headers: text },
      { label: 'close', method: 'POST', stream: 'capitals', headers: { ...text, 'stream-closed': 'True' }, body: 'the end' },
      { label: 'state-after-the-close', method: 'HEAD', stream: 'capitals' },
      { label: 'created-closed', method: 'PUT', stream: 'capitals-from-the-start', headers: { ...text, 'stream-closed': 'TRUE' }, body: 'all of it' },
      { label: 'state-after-the-creation', method: 'HEAD', stream: 'capitals-from-the-start' },
    ]),
  ],
  checks: [
    exchangeIsAnswered({ label: 'state-after-the-close', statuses: [200], headers: { 'stream-closed': 'true' }, after: { create: 201 } }),
    exchangeIsAnswered({ label: 'state-after-the-creation', statuses: [200], headers: { 'stream-closed': 'true' }, after: { 'created-closed': 201 } }),
  ],
})
