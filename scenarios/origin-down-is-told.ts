import { defineScenario } from '../harness/scenario.ts'
import { during } from '../harness/steps/during.ts'
import { schedule } from '../harness/steps/schedule.ts'
import { start, stop } from '../harness/steps/start-stop.ts'
import { edgeTellsTheTruth, originDownIsNotHidden, privateAnswersStayPrivate } from '../harness/checks.ts'

/** One path for each way to it, and one that was never created. */
const ways = [
  { stream: 'open', via: 'edge' as const },
  { stream: 'open-by-tls', via: 'tls' as const },
  { stream: 'closed', via: 'edge' as const },
  { stream: 'missing', via: 'edge' as const },
]

/** Every mode but live ones at the tail, which would hold up the stop; those with credentials, too. */
const reads = ({ stream, via }: (typeof ways)[number]) => [
  { stream, via, do: 'read' as const, mode: 'history' as const, from: 'start' as const },
  { stream, via, do: 'read' as const, mode: 'tail' as const, from: 'tail' as const, readers: 3, together: true as const },
  { stream, via, do: 'read' as const, mode: 'head' as const, together: true as const },
  { stream, via, do: 'read' as const, mode: 'now' as const, together: true as const },
  { stream, via, do: 'read' as const, mode: 'long-poll' as const, from: 'start' as const, together: true as const },
  { stream, via, do: 'read' as const, mode: 'history' as const, from: 'start' as const, credentials: 'authorization' as const, readers: 2, together: true as const },
  { stream, via, do: 'read' as const, mode: 'history' as const, from: 'start' as const, credentials: 'cookie' as const, readers: 2, together: true as const },
]

const wait = (stream: string, what: 'origin-down' | 'staleness') => ({ stream, do: 'wait' as const, for: what })

export default defineScenario({
  id: 'origin-down-is-told',
  title: 'While the origin is down, the cache claims nothing that it cannot know',
  why: 'A cache that goes on saying "up to date" hides an outage from every reader, and from you.',
  proves: ['cdn-freshness', 'cdn-headers'],
  timeoutMs: { quick: 60_000, full: 60_000 },
  world: { hops: ['origin', 'edge', 'tls'], origin: { longPollTimeoutMs: 1_000 }, numbersResponses: true },
  runs: 'beside-others',
  steps: [
    during(stop('origin', { after: { event: 'answer', n: 40 } }), [
      schedule({
        moves: ways.flatMap((way) => [
          ...(way.stream === 'missing' ? [] : [{ stream: way.stream, do: 'create' as const, via: 'origin' as const, bytes: 60 }]),
          ...(way.stream === 'closed' ? [{ stream: way.stream, do: 'close' as const, via: 'edge' as const }] : []),
          ...reads(way),
          wait(way.stream, 'origin-down'),
          ...reads(way),
          wait(way.stream, 'staleness'),
          ...reads(way),
        ]),
        prefix: 'down',
      }),
    ]),
    start('origin'),
    schedule({ paths: 2, prefix: 'up-again' }),
  ],
  checks: [
    originDownIsNotHidden({}, ['cdn-freshness']),
    edgeTellsTheTruth({ mode: 'history', voidShareMax: 1 }, ['cdn-freshness']),
    edgeTellsTheTruth({ mode: 'tail', voidShareMax: 1 }, ['cdn-freshness']),
    privateAnswersStayPrivate({}, ['cdn-headers']),
  ],
})
