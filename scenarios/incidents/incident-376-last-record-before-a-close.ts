import { defineScenario } from '../../harness/scenario.ts'
import { closeStreams } from '../../harness/steps/close-streams.ts'
import { createStreams } from '../../harness/steps/create-streams.ts'
import { during } from '../../harness/steps/during.ts'
import { awaitReaders, follow } from '../../harness/steps/follow.ts'
import { liveReadersMissNothing, noAnswerIsWrong } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-376-last-record-before-a-close',
  title: 'A live reader at the tail gets the record that closes the stream',
  why: 'The last token of an answer, and whatever says that it is complete, is missing for exactly those who were watching.',
  proves: ['ops-graceful'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/pull/376', title: 'A live event stream ended without the record that was appended with the close', fixedIn: 'Caddy server after 0.3.0' }],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin', 'edge'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'json', 'binary'], each: { quick: 5, full: 30 }, records: 2, prefix: 'closing' }),
    // The race was between the append's notice and the close's: one stream after another is closed while all are watched.
    during(follow({ streams: 'closing-', modes: ['sse', 'long-poll'], via: ['origin', 'edge'] }), [awaitReaders(), closeStreams('closing-', { lastRecord: true })]),
  ],
  checks: [liveReadersMissNothing(), noAnswerIsWrong()],
})
