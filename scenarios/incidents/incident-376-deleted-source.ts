import { defineScenario } from '../../harness/scenario.ts'
import { exchanges } from '../../harness/steps/exchanges.ts'
import { exchangeIsAnswered } from '../../harness/checks.ts'

const text = { 'content-type': 'text/plain' }
const report = 'https://github.com/durable-streams/durable-streams/pull/376'
const fixedIn = 'Caddy server after 0.3.0, server 0.3.6'

export default defineScenario({
  id: 'incident-376-deleted-source',
  title: 'A deleted source of a fork is gone for everybody, and a fork that is refused holds on to nothing',
  why: 'A refused fork that keeps a reference pins its source: the path can never be used again, and its disk space never comes back.',
  proves: ['conformance'],
  incidents: [
    { report, title: 'A second DELETE of a stream with forks was answered 204 instead of 410', fixedIn: 'Caddy server after 0.3.0' },
    { report, title: 'A fork with another content type was answered 500, and pinned its source for ever', fixedIn },
  ],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    exchanges([
      { label: 'source', method: 'PUT', stream: 'forked-source', headers: text, body: 'one' },
      { label: 'fork', method: 'PUT', stream: 'fork', headers: { ...text, 'stream-forked-from': '{base}forked-source' } },
      { label: 'first-delete', method: 'DELETE', stream: 'forked-source' },
      { label: 'second-delete', method: 'DELETE', stream: 'forked-source' },
      { label: 'other-source', method: 'PUT', stream: 'pinned-source', headers: text, body: 'one' },
      { label: 'fork-of-another-type', method: 'PUT', stream: 'refused-fork', headers: { 'content-type': 'application/json', 'stream-forked-from': '{base}pinned-source' } },
      { label: 'other-delete', method: 'DELETE', stream: 'pinned-source' },
      { label: 'path-used-again', method: 'PUT', stream: 'pinned-source', headers: text, body: 'two' },
    ]),
  ],
  checks: [
    exchangeIsAnswered({ label: 'second-delete', statuses: [410], after: { source: 201, fork: 201, 'first-delete': 204 } }),
    exchangeIsAnswered({ label: 'fork-of-another-type', statuses: [409], after: { 'other-source': 201 } }),
    exchangeIsAnswered({ label: 'path-used-again', statuses: [201], after: { 'other-source': 201, 'other-delete': 204 } }),
  ],
})
