import { defineScenario } from '../harness/scenario.ts'
import { answersCarry } from '../harness/faults/answers-carry.ts'
import { linkCut } from '../harness/faults/link-cut.ts'
import { linkSlow } from '../harness/faults/link-slow.ts'
import { fault } from '../harness/steps/fault.ts'
import { askAsStranger, look } from '../harness/steps/look.ts'
import { oddRequests } from '../harness/steps/odd-requests.ts'
import { schedule } from '../harness/steps/schedule.ts'
import { answersAreTheSame, cacheMakesNoErrors, edgeTellsTheTruth, headersReachTheClient, offsetUrlsAreShared, privateAnswersStayPrivate } from '../harness/checks.ts'

/** What the recommended VCL keeps its own notes in: a client must not be able to write there. */
const notes = [
  { name: 'X-Edge-Want', value: 'incarnation' },
  { name: 'X-Edge-Incarnation', value: 'of-#' },
  { name: 'X-Edge-Generation', value: 'of-#' },
  { name: 'X-Edge-Doubt', value: 'settled' },
  { name: 'X-Edge-Aside', value: 'of-#' },
  { name: 'X-Edge-Stream', value: 'of-#' },
]

/** What a balancer, a gateway or a framework in front of the origin says of answers. */
const marks = [
  { segment: 'odd-sets-a-cookie', name: 'Set-Cookie', value: 'node=1' },
  { segment: 'odd-is-private', name: 'Cache-Control', value: 'private' },
  { segment: 'odd-varies', name: 'Vary', value: 'Accept-Encoding' },
]

const slowMs = 2_200

/**
 * One asks, something is written at the origin while its answer is on the way, and others ask when that
 * was longer ago than the bound: they are not to be given the answer that the first one waits for.
 */
const whileAnAnswerIsOnTheWay = [
  { stream: 'told-late', do: 'create' as const, via: 'origin' as const, bytes: 60 },
  { stream: 'told-late', do: 'read' as const, mode: 'history' as const, via: 'edge' as const, from: 'start' as const },
  { stream: 'told-late', do: 'append' as const, via: 'origin' as const, bytes: 60, together: true as const, afterMs: slowMs + 300 },
  { stream: 'told-late', do: 'read' as const, mode: 'history' as const, via: 'edge' as const, from: 'start' as const, readers: 3, together: true as const, afterMs: slowMs + 1_750 },
]

export default defineScenario({
  id: 'odd-requests-are-told-the-truth',
  title: 'Odd requests, a slow origin and an outage that is over make the cache tell nothing old',
  why: 'What no client of yours sends, somebody else does; and an error that is kept outlives the outage.',
  proves: ['cdn-freshness', 'cdn-headers', 'cdn-urls', 'cdn-collapse'],
  timeoutMs: { quick: 90_000, full: 90_000 },
  world: { hops: ['origin', 'edge', 'tls'], origin: { longPollTimeoutMs: 1_500 }, numbersResponses: true },
  runs: 'beside-others',
  steps: [
    look('before', { via: ['edge'] }),
    fault(answersCarry(marks), { steps: [oddRequests([
      ...notes.map((header) => ({ name: header.name.toLowerCase(), header, ...(header.name === 'X-Edge-Doubt' ? { vanishes: true as const } : {}) })),
      { name: 'of-an-event-stream-type', contentType: 'text/event-stream' },
      { name: 'asks-for-a-range', header: { name: 'Range', value: 'bytes=0-9' } },
      { name: 'with-authorization', credentials: 'authorization' },
      { name: 'with-a-cookie', credentials: 'cookie' },
      { name: 'parameters-in-any-order', swapped: true },
      { name: 'vanishes', vanishes: true },
      { name: 'closes', closes: true },
      { name: 'is-quiet', quiet: true },
      { name: 'sets-a-cookie' },
      { name: 'is-private' },
      { name: 'varies' },
      { name: 'escaped-in-writes', spelling: { segment: 'odd-e%73caped-in-writes', of: 'writes' } },
      { name: 'escaped-in-reads', spelling: { segment: 'odd-e%73caped-in-reads', of: 'reads' } },
      { name: 'punctuation', segment: 'odd:punctuation', spelling: { segment: 'odd%3apunctuation', of: 'writes' } },
      { name: 'beyond-ascii', segment: 'odd-%C3%A9', spelling: { segment: 'odd-%c3%a9', of: 'writes' } },
    ])] }),
    fault(linkSlow('edge-origin', { latencyMs: slowMs }), { steps: [schedule({ moves: whileAnAnswerIsOnTheWay, prefix: 'slow' })] }),
    fault(linkCut('edge-origin'), { steps: [askAsStranger({ via: ['edge'] })] }),
    look('after the outage', { via: ['edge'] }),
  ],
  checks: [
    edgeTellsTheTruth({ mode: 'history' }, ['cdn-freshness', 'cdn-collapse']),
    edgeTellsTheTruth({ mode: 'tail' }, ['cdn-freshness', 'cdn-collapse']),
    edgeTellsTheTruth({ mode: 'long-poll' }, ['cdn-freshness', 'cdn-collapse']),
    edgeTellsTheTruth({ mode: 'sse' }, ['cdn-freshness', 'cdn-collapse']),
    edgeTellsTheTruth({ mode: 'head' }, ['cdn-freshness']),
    edgeTellsTheTruth({ mode: 'now' }, ['cdn-freshness']),
    answersAreTheSame({}, ['cdn-freshness']),
    cacheMakesNoErrors({}, ['cdn-freshness', 'cdn-collapse']),
    headersReachTheClient({}, ['cdn-headers']),
    privateAnswersStayPrivate({}, ['cdn-headers']),
    offsetUrlsAreShared({}, ['cdn-urls']),
  ],
})
