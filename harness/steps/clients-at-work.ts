/**
 * The generic suite of the operator's routines: live readers of every mode by every way, and
 * writers, plain and idempotent, of text, JSON and bytes, also by every way. It consists of other
 * steps and has no interpreter of its own.
 */
import type { Via } from '../history.ts'
import type { Step } from '../steps.ts'
import { append } from './append.ts'
import { awaitEvents } from './await-events.ts'
import { closeStreams } from './close-streams.ts'
import { createStreams } from './create-streams.ts'
import { during } from './during.ts'
import { awaitReaders, follow } from './follow.ts'

/** Each writer begins an append this often. */
const everyMs = 50
const writtenBefore = 40
const writtenAfter = 120

/**
 * Runs `steps` while clients are at work. In the end all streams that were followed are closed, and
 * every reader comes to their end. `beside` are further loads that go on as long.
 */
export function withClientsAtWork(steps: Step[], options: { via?: Via[]; beside?: Step[] } = {}): Step[] {
  const via = options.via ?? ['origin', 'edge', 'tls']
  const kinds = ['no-expiry', 'json', 'binary', 'producer', 'producer-json']
  const writers = kinds.map((kind, n) => append({ writers: 1, streams: `live-${kind}-0`, via: via[n % via.length]!, everyMs }))
  return [
    createStreams({ kinds, prefix: 'live', records: 3 }),
    during([follow({ streams: 'live-', via }), ...(options.beside ?? [])], [
      awaitReaders(),
      during(writers, [awaitEvents('append.ok', writtenBefore), ...steps, awaitEvents('append.ok', writtenAfter)]),
      closeStreams('live-', { via: via.at(-1)! }),
    ]),
  ]
}
