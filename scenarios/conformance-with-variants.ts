import { defineScenario } from '../harness/scenario.ts'
import { conformance, type Conformance } from '../harness/steps/conformance.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { start, stop } from '../harness/steps/start-stop.ts'
import { conformanceIsUnchanged, readyWithin } from '../harness/checks.ts'

/** What is on at once on most days. */
const usual = ['access-log', 'admin-api', 'basic-auth', 'compression']
/** Each by itself. A limit on requests is left out: it refuses what the suite sends on purpose. */
const alone = ['access-log', 'admin-api', 'basic-auth', 'compression', 'eager-compression', 'forward-auth', 'log-rotation', 'metrics']

/** The suite leaves forks and expired streams, which are no business of the next variant's. */
const on = (subject: string, variants: string[], via: Conformance['via'] = ['origin', 'edge']) => [
  stop('origin'),
  start('origin', { settings: { variants }, label: subject, onEmptyDataDir: true }),
  conformance({ via, subject }),
]

export default defineScenario({
  id: 'conformance-with-variants',
  title: 'What an operator switches on breaks no test of the conformance suite',
  why: 'A handler in front of the streams that buffers, compresses or asks who is there breaks what the protocol promises.',
  proves: ['ops-reload'],
  timeoutMs: { quick: 300_000, full: 1_200_000 },
  // The suite waits for several quiet long-polls.
  world: { hops: ['origin', 'edge'], origin: { longPollTimeoutMs: 500 } },
  runs: 'beside-others',
  steps: [
    // First, for an origin that has no variants has no more to do here.
    ...on('all-at-once', usual),
    ...on('plain', [], ['origin']),
    repeat({ quick: 0, full: 1 }, alone.flatMap((variant) => on(variant, [variant]))),
  ],
  checks: [conformanceIsUnchanged(), readyWithin({ readyMs: 5_000 })],
})
