import { defineScenario } from '../harness/scenario.ts'
import { append } from '../harness/steps/append.ts'
import { awaitEvents } from '../harness/steps/await-events.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { during } from '../harness/steps/during.ts'
import { flipAByte } from '../harness/steps/flip-a-byte.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { start, stop } from '../harness/steps/start-stop.ts'
import { damageIsReported, everyStreamCanBeRead, nothingAcknowledgedIsLost, nothingIsTorn, readyWithin } from '../harness/checks.ts'

const kinds = ['no-expiry', 'json', 'binary', 'producer']
const damaged = 'flipped-'

/** Writers on all streams: the damaged ones may refuse, the others are not to notice. */
const written = during(
  [append({ writers: 4, streams: 'whole-', everyMs: 15 }), append({ writers: 8, streams: damaged, everyMs: 15 })],
  [awaitEvents('append.ok', 40)],
)

export default defineScenario({
  id: 'flipped-byte-is-reported',
  title: 'A byte that changed on the disk is reported, and harms no other stream',
  why: 'Without a checksum a disk that forgets is believed: altered bytes are served, or all that stands behind a wrong length is cut off without a word.',
  proves: ['durability-disk'],
  timeoutMs: { quick: 60_000, full: 120_000 },
  world: { hops: ['origin', 'edge'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds, each: 2, records: 7, prefix: `${damaged}payload` }),
    // As many as a length has bytes: each is changed once in every kind.
    createStreams({ kinds, each: 4, records: 7, prefix: `${damaged}length` }),
    createStreams({ kinds, records: 7, prefix: 'whole' }),
    stop('origin'),
    flipAByte(`${damaged}payload-`, { where: 'payload', steps: [start('origin')] }),
    written,
    readAllFromStart({ via: ['origin', 'edge'], group: 'payload' }),
    // Apart, for a server may not come up from this one.
    stop('origin'),
    flipAByte(`${damaged}length-`, { where: 'length', steps: [start('origin')] }),
    written,
    readAllFromStart({ via: ['origin', 'edge'], group: 'length' }),
    stop('origin'),
    start('origin'),
  ],
  healed: [readAllFromStart({ via: ['origin', 'edge'], group: 'restarted' })],
  checks: [
    damageIsReported({ where: 'payload' }),
    damageIsReported({ where: 'length' }),
    nothingAcknowledgedIsLost({ except: damaged }),
    nothingIsTorn({ except: damaged }),
    everyStreamCanBeRead({ except: damaged }),
    readyWithin({ readyMs: 5_000 }),
  ],
})
