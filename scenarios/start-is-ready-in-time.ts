import { defineScenario } from '../harness/scenario.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { kill, start, stop } from '../harness/steps/start-stop.ts'
import { nothingAcknowledgedIsLost, readyWithin } from '../harness/checks.ts'

export default defineScenario({
  id: 'start-is-ready-in-time',
  title: 'A start is ready in time, however many streams there are',
  why: 'A deploy that recovers for minutes is an outage.',
  proves: ['ops-restart', 'persistence-data-dir'],
  timeoutMs: { quick: 120_000, full: 400_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry'], each: 10, prefix: 'few', records: 2 }),
    stop('origin'),
    start('origin', { label: 'few streams' }),
    createStreams({ kinds: ['json'], each: 990, prefix: 'many', records: 1 }),
    stop('origin'),
    start('origin', { label: 'many streams, after a stop' }),
    kill('origin'),
    start('origin', { label: 'many streams, after a kill' }),
    createStreams({ kinds: ['no-expiry'], each: { quick: 0, full: 9_000 }, prefix: 'most', records: 1 }),
    stop('origin'),
    start('origin', { label: 'most streams' }),
  ],
  healed: [readAllFromStart({ via: ['origin'] })],
  checks: [readyWithin({ readyMs: 5_000 }, ['ops-restart']), nothingAcknowledgedIsLost({}, ['persistence-data-dir'])],
})
