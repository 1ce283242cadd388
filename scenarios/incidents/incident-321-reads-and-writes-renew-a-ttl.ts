import { defineScenario } from '../../harness/scenario.ts'
import { lifelines, type Look } from '../../harness/steps/lifelines.ts'
import { aliveUntilExpiry, expiredIsGone } from '../../harness/checks.ts'

/** Of 2 s, renewed twice: without that it would be gone at the third look. */
const renewedBy = (how: Look['do']) => ({
  name: `renewed-by-${how}`,
  ttlSeconds: 2,
  looks: [
    { atMs: 1_200, do: how, via: 'origin' as const },
    { atMs: 2_400, do: how, via: 'origin' as const },
    { atMs: 3_600, do: 'read' as const, via: 'origin' as const },
  ],
})

export default defineScenario({
  id: 'incident-321-reads-and-writes-renew-a-ttl',
  title: 'Reads and writes renew a TTL, HEAD does not',
  why: 'A conversation that goes on for longer than its TTL ends in the middle, with all that was said.',
  proves: ['lifecycle-sliding'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/pull/321', title: 'A TTL counted from the creation, however busy the stream was', fixedIn: 'Caddy server 0.3.0, server 0.3.0' }],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    lifelines({
      copies: 3,
      lines: [
        renewedBy('read'),
        renewedBy('append'),
        { name: 'renewed-not-by-head', ttlSeconds: 2, looks: [{ atMs: 1_200, do: 'head', via: 'origin' }, { atMs: 3_400, do: 'read', via: 'origin' }] },
      ],
    }),
  ],
  checks: [aliveUntilExpiry({ group: 'renewed', looksMin: 12 }), expiredIsGone({ group: 'renewed', boundMs: 1_000, looksMin: 3 })],
})
