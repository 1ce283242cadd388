import { defineScenario } from '../harness/scenario.ts'
import { kill, start, stop } from '../harness/steps/start-stop.ts'
import { flushCache, replaceCertificate } from '../harness/steps/routines.ts'
import { soak } from '../harness/steps/soak.ts'
import {
  aliveUntilExpiry,
  expiredIsGone,
  liveReadersMissNothing,
  noAnswerIsWrong,
  nothingAcknowledgedIsLost,
  nothingDrifts,
  nothingIsTorn,
  nothingIsTwice,
  nothingRefusedIsStored,
  orderIsKept,
  readyWithin,
} from '../harness/checks.ts'

const text = 'text/plain'
const json = 'application/json'

export default defineScenario({
  id: 'soak',
  title: 'Over hours nothing grows that should not, and nothing is lost',
  why: 'What leaks a little a minute ends a server in its third week, at night.',
  proves: ['soak'],
  asks: 'profile soak',
  // Beyond --for: the world's start, and the streams that still live at its end.
  timeoutMs: { quick: 240_000, full: 240_000 },
  // Hours in minutes, by settings: polls and event streams end often, streams live for seconds.
  world: { hops: ['origin', 'edge', 'tls'], figures: true, operated: true, origin: { longPollTimeoutMs: 4_000, sseReconnectMs: 10_000 } },
  runs: 'alone',
  steps: [
    soak({
      lives: [
        { name: 'chat', perMinute: 5, contentType: text, ttlSeconds: 30, records: 40, payloadBytes: 120, appendEveryMs: 400, writesVia: 'origin', readers: [{ mode: 'long-poll', via: 'edge' }, { mode: 'sse', via: 'tls' }], readBackVia: ['origin', 'edge'], ends: 'expires' },
        { name: 'agent', perMinute: 4, contentType: json, records: 60, payloadBytes: 300, producer: true, appendEveryMs: 250, writesVia: 'edge', readers: [{ mode: 'sse', via: 'edge' }], readBackVia: ['origin', 'edge'], ends: 'closed-and-deleted' },
        { name: 'feed', perMinute: 2, contentType: json, expiresInSeconds: 60, records: 20, payloadBytes: 200, appendEveryMs: 500, writesVia: 'tls', readers: [{ mode: 'catch-up', via: 'tls' }], readBackVia: ['origin', 'tls'], ends: 'expires' },
        { name: 'upload', perMinute: 2, contentType: 'application/octet-stream', records: 6, payloadBytes: 60_000, appendEveryMs: 800, writesVia: 'origin', readers: [], readBackVia: ['origin', 'edge'], ends: 'deleted' },
        { name: 'log', perMinute: 1, contentType: text, records: 150, payloadBytes: 90, producer: true, appendEveryMs: 300, writesVia: 'origin', readers: [{ mode: 'long-poll', via: 'tls' }], readBackVia: ['origin', 'tls'], ends: 'deleted' },
      ],
      gatherings: [{ everyMs: 20_000, readers: 25, leaveEarly: 5, via: 'edge' }],
      stalls: [{ everyMs: 15_000, holdMs: 12_000, via: 'edge' }, { everyMs: 25_000, holdMs: 12_000, via: 'tls' }],
      upsets: [
        { name: 'deploy', steps: [stop('origin'), start('origin')] },
        { name: 'kill', steps: [kill('origin'), start('origin')] },
        { name: 'cache flush', steps: [flushCache()] },
        { name: 'deploy', steps: [stop('origin'), start('origin')] },
        { name: 'certificate replacement', steps: [replaceCertificate()] },
        { name: 'restart of the cache', steps: [stop('edge'), start('edge')] },
      ],
    }),
  ],
  checks: [
    nothingDrifts({ of: 'memory' }),
    nothingDrifts({ of: 'handles' }),
    nothingDrifts({ of: 'disk' }),
    nothingDrifts({ of: 'cache' }),
    nothingDrifts({ of: 'latency' }),
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingIsTorn(),
    orderIsKept(),
    nothingRefusedIsStored(),
    liveReadersMissNothing(),
    noAnswerIsWrong(),
    aliveUntilExpiry(),
    expiredIsGone(),
    readyWithin({ readyMs: 10_000 }),
  ],
})
