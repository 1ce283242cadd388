import { defineScenario } from '../harness/scenario.ts'
import { crowd } from '../harness/steps/crowd.ts'
import { crowdIsServedRight } from '../harness/checks.ts'

export default defineScenario({
  id: 'one-h2-connection-holds-many-streams',
  title: 'A browser holds 100 live readers over one HTTP/2 connection',
  why: 'Over HTTP/1.1 a browser stops at about six live readers for a site, and the seventh tab hangs.',
  proves: ['https'],
  timeoutMs: { quick: 60_000, full: 60_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: [
    crowd({ mode: 'long-poll', path: 'tls-h2', readers: 100, generations: 1 }),
    crowd({ mode: 'sse', path: 'tls-h2', readers: 100, generations: 1 }),
  ],
  checks: [crowdIsServedRight({ mode: 'long-poll' }), crowdIsServedRight({ mode: 'sse' })],
})
