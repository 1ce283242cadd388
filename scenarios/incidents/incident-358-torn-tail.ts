import { defineScenario } from '../../harness/scenario.ts'
import { append } from '../../harness/steps/append.ts'
import { crashInAppend } from '../../harness/steps/crash-in-append.ts'
import { createStreams } from '../../harness/steps/create-streams.ts'
import { readAllFromStart } from '../../harness/steps/read-all.ts'
import { start, stop } from '../../harness/steps/start-stop.ts'
import { everyStreamCanBeRead, nothingAcknowledgedIsLost, nothingIsTorn, nothingIsTwice, readyWithin } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-358-torn-tail',
  title: 'Half an append at the end of a file is in nobody\'s way after a crash',
  why: 'One torn record makes all that was acknowledged before it unreadable, though it is there.',
  proves: ['durability-disk'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/pull/358', title: 'After a crash in the middle of a write the stream was answered 500: the recovery saw the torn end and left it there', fixedIn: 'Caddy server 0.3.0' }],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'binary'], each: 2, records: 4, prefix: 'torn' }),
    crashInAppend('torn-', { written: 'half' }),
    start('origin'),
    readAllFromStart({ via: ['origin'], group: 'after-the-crash' }),
    append({ writers: 4, streams: 'torn-', acknowledged: 20 }),
    stop('origin'),
    start('origin'),
  ],
  healed: [readAllFromStart({ via: ['origin'], group: 'written-on' })],
  checks: [everyStreamCanBeRead(), nothingAcknowledgedIsLost(), nothingIsTorn(), nothingIsTwice(), readyWithin({ readyMs: 5_000 })],
})
