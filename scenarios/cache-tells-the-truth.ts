import { defineScenario } from '../harness/scenario.ts'
import { schedule } from '../harness/steps/schedule.ts'
import {
  edgeTellsTheTruth,
  headersReachTheClient,
  offsetUrlsAreShared,
  privateAnswersStayPrivate,
  revalidationIsRight,
  scheduleCoversTheProduct,
} from '../harness/checks.ts'

export default defineScenario({
  id: 'cache-tells-the-truth',
  title: 'Behind the cache no reader is told what is not so any more',
  why: 'A reader that is told it is up to date when it is not shows old data as if it were now.',
  proves: ['cdn-freshness', 'cdn-headers', 'cdn-urls'],
  timeoutMs: { quick: 120_000, full: 600_000 },
  world: { hops: ['origin', 'edge', 'tls'], origin: { longPollTimeoutMs: 1_500 }, numbersResponses: true },
  runs: 'beside-others',
  steps: [schedule({ paths: { quick: { option: 'streams', share: 0.1, max: 40 }, full: { option: 'streams', share: 0.2, max: 200 } } })],
  checks: [
    edgeTellsTheTruth({ mode: 'history' }, ['cdn-freshness']),
    edgeTellsTheTruth({ mode: 'tail' }, ['cdn-freshness']),
    edgeTellsTheTruth({ mode: 'long-poll' }, ['cdn-freshness']),
    edgeTellsTheTruth({ mode: 'sse' }, ['cdn-freshness']),
    edgeTellsTheTruth({ mode: 'head' }, ['cdn-freshness']),
    edgeTellsTheTruth({ mode: 'now' }, ['cdn-freshness']),
    scheduleCoversTheProduct({}, ['cdn-freshness', 'cdn-headers']),
    headersReachTheClient({}, ['cdn-headers']),
    privateAnswersStayPrivate({}, ['cdn-headers']),
    revalidationIsRight({}, ['cdn-headers']),
    offsetUrlsAreShared({}, ['cdn-urls']),
  ],
})
