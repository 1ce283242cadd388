import { defineScenario } from '../harness/scenario.ts'
import { handshakes } from '../harness/steps/handshakes.ts'
import { passages } from '../harness/steps/passages.ts'
import { chainIsVerified, eventsPassUnbuffered, plainHttpServesNothing } from '../harness/checks.ts'

export default defineScenario({
  id: 'tls-edge-passes-everything',
  title: 'The TLS edge verifies, offers HTTP/2 and buffers nothing',
  why: 'A chain that clients cannot verify, or a proxy that collects events, shows only in production.',
  proves: ['https'],
  timeoutMs: { quick: 60_000, full: 120_000 },
  world: { hops: ['origin', 'edge', 'tls'] },
  runs: 'beside-others',
  steps: [
    handshakes(),
    passages({ via: ['origin', 'edge', 'tls'], mode: 'long-poll', events: 8 }),
    passages({ via: ['origin', 'edge', 'tls'], mode: 'sse', events: 8 }),
  ],
  checks: [chainIsVerified(), plainHttpServesNothing(), eventsPassUnbuffered({ afterAckMs: 1_000, arrivalsMin: 40 })],
})
