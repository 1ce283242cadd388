import { defineScenario } from '../../harness/scenario.ts'
import { lifelines, type Look } from '../../harness/steps/lifelines.ts'
import { aliveUntilExpiry, expiredIsGone } from '../../harness/checks.ts'

const after = (how: Look['do']) => ({ name: `expired-${how}`, ttlSeconds: 1, looks: [{ atMs: 2_700, do: how, via: 'origin' as const }] })

export default defineScenario({
  id: 'incident-101-expired-streams-are-gone',
  title: 'An expired stream is gone for readers, for writers and for who only asks',
  why: 'A stream whose lifetime is stored and never looked at is served, and written to, for ever.',
  proves: ['lifecycle-expires'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/pull/101', title: 'Lifetimes were accepted, and streams never ended by them', fixedIn: 'Caddy server 0.2.1, server 0.1.3' }],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin'], origin: { longPollTimeoutMs: 1_000 } },
  runs: 'beside-others',
  steps: [
    lifelines({
      copies: 3,
      lines: [
        { name: 'expired-seen-before', ttlSeconds: 2, looks: [{ atMs: 300, do: 'read', via: 'origin' }] },
        after('read'),
        after('head'),
        after('append'),
        after('long-poll'),
        { name: 'expired-at', expiresInSeconds: 1, looks: [{ atMs: 2_700, do: 'read', via: 'origin' }, { atMs: 2_800, do: 'append', via: 'origin' }] },
      ],
    }),
  ],
  checks: [expiredIsGone({ group: 'expired', boundMs: 1_000, looksMin: 12 }), aliveUntilExpiry({ group: 'expired', looksMin: 3 })],
})
