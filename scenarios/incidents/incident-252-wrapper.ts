import { defineScenario } from '../../harness/scenario.ts'
import { append } from '../../harness/steps/append.ts'
import { createStreams } from '../../harness/steps/create-streams.ts'
import { during } from '../../harness/steps/during.ts'
import { awaitReaders, follow } from '../../harness/steps/follow.ts'
import { seeVariants } from '../../harness/steps/routines.ts'
import { start, stop } from '../../harness/steps/start-stop.ts'
import { liveReadersMissNothing, noAnswerIsWrong, routineIsDone } from '../../harness/checks.ts'

export default defineScenario({
  id: 'incident-252-wrapper',
  title: 'Event streams come through whatever Caddy puts around the response',
  why: 'Every reader of an event stream is answered 500 from the moment the log is switched on, or somebody is asked for permission.',
  proves: ['ops-reload'],
  incidents: [{ report: 'https://github.com/durable-streams/durable-streams/issues/252', title: 'Event streams were answered 500 "streaming not supported" behind forward_auth', fixedIn: null }],
  timeoutMs: { quick: 30_000, full: 30_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'json'], records: 2, prefix: 'wrapped' }),
    stop('origin'),
    start('origin', { settings: { variants: ['access-log'] }, label: 'access-log' }),
    during(follow({ streams: 'wrapped-', modes: ['sse', 'long-poll'], via: ['origin'] }), [
      awaitReaders(),
      append({ writers: 1, streams: 'wrapped-', everyMs: 20, acknowledged: 10 }),
      seeVariants('access-log'),
    ]),
  ],
  checks: [routineIsDone({ routines: ['access-log'] }), noAnswerIsWrong(), liveReadersMissNothing()],
})
