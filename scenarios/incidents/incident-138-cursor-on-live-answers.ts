import { defineScenario } from '../../harness/scenario.ts'
import { append } from '../../harness/steps/append.ts'
import { createStreams } from '../../harness/steps/create-streams.ts'
import { during } from '../../harness/steps/during.ts'
import { exchanges } from '../../harness/steps/exchanges.ts'
import { awaitReaders, follow } from '../../harness/steps/follow.ts'
import { exchangeIsAnswered, liveReadersMissNothing, noAnswerIsWrong } from '../../harness/checks.ts'

const text = { 'content-type': 'text/plain' }
const cursor = { 'stream-cursor': '' }

export default defineScenario({
  id: 'incident-138-cursor-on-live-answers',
  title: 'Every live answer carries a cursor, also one without news',
  why: 'Without a cursor the next poll asks the same URL again, and a cache gives it the same stored answer, at once, for ever.',
  proves: ['cdn-cursor'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/pull/138', title: 'The cursor was optional in live answers by one part of the protocol, and required by another', fixedIn: 'the protocol of January 2026' }],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin'], origin: { longPollTimeoutMs: 500, sseReconnectMs: 1_000 } },
  runs: 'beside-others',
  steps: [
    exchanges([
      { label: 'create', method: 'PUT', stream: 'cursor', headers: text, body: 'one' },
      { label: 'poll-with-news', method: 'GET', stream: 'cursor', query: 'live=long-poll&offset=-1' },
      { label: 'poll-without-news', method: 'GET', stream: 'cursor', query: 'live=long-poll&offset={tail}' },
    ]),
    createStreams({ kinds: ['no-expiry', 'json'], records: 2, prefix: 'live' }),
    during(follow({ streams: 'live-', modes: ['sse'], via: ['origin'] }), [awaitReaders(), append({ writers: 1, streams: 'live-', everyMs: 50, acknowledged: 10 })]),
  ],
  checks: [
    exchangeIsAnswered({ label: 'poll-with-news', statuses: [200], headers: cursor, after: { create: 201 } }),
    exchangeIsAnswered({ label: 'poll-without-news', statuses: [204], headers: cursor, after: { create: 201 } }),
    noAnswerIsWrong(),
    liveReadersMissNothing(),
  ],
})
