/**
 * The failures that are known, each confirmed by hand. Kept short: an entry goes as soon as a run says
 * FIXED UPSTREAM. `npm run simulate` prints the fingerprint of a failure in its report.
 */
import type { ExpectedFailure } from './expected-failures.ts'

const hangs = 'The recovery at a start takes a lock that it already holds (an offset is updated inside the walk over all streams): the start never ends.'

/** Whatever Caddy puts around the response takes event streams away: by variant, what is red for it. */
const noEventStreams = ['access-log', 'log-rotation', 'metrics', 'compression', 'eager-compression'].flatMap((variant) => {
  const fingerprints = [
    `answers-are-the-same/status/any/${variant}/any`,
    'live-readers-miss-nothing/missed/sse/any/any',
    'live-readers-resume/never-attached/any/none/any',
    'no-answer-is-wrong/500/sse/none/any',
    // Readers that accept no compression are not concerned by it.
    ...(variant.endsWith('compression') ? [] : ['events-pass-unbuffered/late/sse/none/origin']),
  ]
  return fingerprints.map((fingerprint): ExpectedFailure => ({
    scenario: `with-${variant}`,
    fingerprint,
    origin: 'production',
    versions: ['devel'],
    issue: 'https://github.com/durable-streams/durable-streams/issues/252',
    why: 'Event streams are answered 500 "streaming not supported" as soon as Caddy wraps the response: the handler asks for http.Flusher instead of http.NewResponseController.',
  }))
})

const endsWithTheConnection =
  'Client 0.2.7: an event stream whose connection breaks ends the session ("terminated"), and onError is not asked (by hand: the server killed under a reader that was given its first data, and started again).'

const upstream = 'https://github.com/durable-streams/durable-streams'

/** Whatever the origin is: the client library from npm is what fails. */
const clientFails = [
  {
    scenario: 'incident-320-onerror-on-a-reconnect',
    fingerprint: 'errors-reach-the-handler/not-called-on-reconnect/sse/token-renewed-by-handler/client',
    issue: `${upstream}/issues/320`,
    why: '@durable-streams/client 0.2.7 does not call onError when an event stream is connected anew: a token that has expired ends the session.',
  },
  {
    scenario: 'incident-320-onerror-on-a-reconnect',
    fingerprint: 'transients-are-outlasted/ended-on-reconnect/sse/token-renewed-by-handler/client',
    issue: `${upstream}/issues/320`,
    why: '@durable-streams/client 0.2.7 does not call onError when an event stream is connected anew: a token that has expired ends the session.',
  },
  {
    scenario: 'incident-293-errors-in-the-middle',
    fingerprint: 'transients-are-outlasted/ended-on-reconnect/long-poll/truncated-body/client',
    issue: `${upstream}/pull/293`,
    why: '@durable-streams/client 0.2.7 ends the session when a connection is cut in the middle of an answer.',
  },
  {
    scenario: 'incident-293-stored-poll',
    fingerprint: 'retries-are-paced/storm-on-reconnect/long-poll/stale-poll-again/client',
    issue: `${upstream}/pull/293`,
    why: '@durable-streams/client 0.2.7 asks again at once, hundreds of times a second, while a cache answers a poll from its store.',
  },
].flatMap((entry): ExpectedFailure[] => [
  { ...entry, origin: 'production', versions: ['devel'] },
  { ...entry, origin: 'reference', versions: ['0.3.7'] },
])

const ignoresCapitals = ['state-after-the-close', 'state-after-the-creation'].flatMap((label): ExpectedFailure[] => {
  const entry = {
    scenario: 'incident-248-closed-in-capitals',
    fingerprint: `exchange-is-answered/header/${label}/none/origin`,
    issue: `${upstream}/pull/248`,
    why: '"Stream-Closed: True" closes nothing: the value is compared with its case, against PROTOCOL.md 4.1.',
  }
  return [
    { ...entry, origin: 'production', versions: ['devel'] },
    { ...entry, origin: 'reference', versions: ['0.3.7'] },
  ]
})

const losesBehindATornTail = ['nothing-acknowledged-is-lost/lost/binary/stop/origin', 'nothing-is-torn/torn/binary/stop/origin'].map((fingerprint): ExpectedFailure => ({
  scenario: 'incident-358-torn-tail',
  fingerprint,
  origin: 'reference',
  versions: ['0.3.7'],
  issue: null,
  why: 'The torn end of a file stays where it is, and what is appended behind it is acknowledged and cannot be read after a restart.',
}))

/** Which of these a soak shows, hangs on which streams were alive at which of its restarts. */
const soakLosesTtl = [
  'nothing-acknowledged-is-lost/lost/chat/stop/origin',
  'nothing-acknowledged-is-lost/lost/chat/kill/origin',
  'live-readers-miss-nothing/no-end/any/any/any',
  'no-answer-is-wrong/any/any/none/any',
  'no-answer-is-wrong/404/any/none/any',
  'alive-until-expiry/gone/chat/append/origin',
].map((fingerprint): ExpectedFailure => ({
  scenario: 'soak',
  fingerprint,
  origin: 'production',
  versions: ['devel'],
  issue: null,
  why: 'Streams with a TTL are not found again after a restart: what was acknowledged is gone, and who follows them is answered 404.',
}))

const clientsMeetErrors: readonly (readonly [fingerprint: string, why: string])[] = [
  ['errors-reach-the-handler/not-called-on-reconnect/auto/conflict-409/client', 'Client 0.2.7: an error on a reconnect ends the session without onError being asked (by hand: 409 to the second request of an event stream).'],
  ['transients-are-outlasted/ended-on-reconnect/sse/connection-reset/client', endsWithTheConnection],
  ['readers-miss-nothing/doubled-on-reconnect/sse/event-stream-ends-after-data/client', 'Client 0.2.7: an event stream that ends between data and its control event is read again from before that data, and the subscriber is given it twice (by hand).'],
]

export const ledger: readonly ExpectedFailure[] = [
  ...soakLosesTtl,
  ...clientsMeetErrors.map(([fingerprint, why]): ExpectedFailure => ({ scenario: 'clients-meet-errors', fingerprint, origin: 'production', versions: ['devel'], issue: null, why })),
  {
    scenario: 'soak',
    fingerprint: 'nothing-drifts/disk/disk-beyondLiveBytes/none/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'Nothing removes the files of streams that have expired.',
  },
  {
    scenario: 'soak',
    fingerprint: 'nothing-drifts/disk/disk-beyondLiveBytes/none/origin',
    origin: 'reference',
    versions: ['0.3.7'],
    issue: null,
    why: 'Nothing removes the files of streams that have expired.',
  },
  {
    scenario: 'soak',
    fingerprint: 'nothing-drifts/handles/origin-openFiles/none/origin',
    origin: 'reference',
    versions: ['0.3.7'],
    issue: null,
    why: 'Event streams never end by themselves: behind a cache, the connection of readers that have left stays open until a restart (304 an hour at some 85 readers a minute).',
  },
  ...noEventStreams,
  ...clientFails,
  ...ignoresCapitals,
  ...losesBehindATornTail,
  {
    scenario: 'incident-252-wrapper',
    fingerprint: 'no-answer-is-wrong/500/sse/none/origin',
    origin: 'production',
    versions: ['devel'],
    issue: `${upstream}/issues/252`,
    why: 'Event streams are answered 500 "streaming not supported" as soon as Caddy wraps the response.',
  },
  {
    scenario: 'incident-252-wrapper',
    fingerprint: 'live-readers-miss-nothing/missed/sse/any/origin',
    origin: 'production',
    versions: ['devel'],
    issue: `${upstream}/issues/252`,
    why: 'Event streams are answered 500 "streaming not supported" as soon as Caddy wraps the response.',
  },
  {
    scenario: 'incident-143-producer-after-a-crash',
    fingerprint: 'ready-within/never-ready/any/restart/origin',
    origin: 'production',
    versions: ['devel'],
    issue: `${upstream}/issues/143`,
    why: `${hangs} Data without its metadata, is enough.`,
  },
  {
    scenario: 'incident-143-producer-after-a-crash',
    fingerprint: 'nothing-is-twice/doubled/producer/kill/origin',
    origin: 'reference',
    versions: ['0.3.7'],
    issue: `${upstream}/issues/143`,
    why: 'The producer\'s state is not in the data: what it retries after the crash is stored again.',
  },
  {
    scenario: 'incident-143-producer-after-a-crash',
    fingerprint: 'nothing-is-twice/doubled/producer-json/kill/origin',
    origin: 'reference',
    versions: ['0.3.7'],
    issue: `${upstream}/issues/143`,
    why: 'The producer\'s state is not in the data: what it retries after the crash is stored again.',
  },
  {
    scenario: 'cache-tells-the-truth',
    fingerprint: 'revalidation-is-right/changed-and-not-modified/any/none/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'The ETag is the offset alone: it stays the same when a stream is closed, or made anew with as many bytes, and If-None-Match is answered 304 for what has changed.',
  },
  {
    scenario: 'client-writers',
    fingerprint: 'client-writers-lose-nothing/lost/auto-claim-after-auto-claim/none/client',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'Client 0.2.7: a second producer with autoClaim and the same id begins at epoch 0 and sequence 0, which the server has had: its batches are taken for repetitions, answered 204, and lost without an error (60 of 60 by hand).',
  },
  {
    scenario: 'clients-come-back',
    fingerprint: 'errors-reach-the-handler/not-called-on-reconnect/sse/cache-restart/client',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: endsWithTheConnection,
  },
  {
    scenario: 'clients-come-back',
    fingerprint: 'transients-are-outlasted/ended-on-reconnect/sse/cache-restart/client',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: endsWithTheConnection,
  },
  {
    scenario: 'conformance-suite-passes',
    fingerprint: 'conformance-at-origin/ttl-expiration-behavior/any/none/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'Neither a read at offset=now nor a POST that only closes renews the TTL, as other reads and writes do.',
  },
  {
    scenario: 'pages-of-another-origin-work',
    fingerprint: 'page-reads-every-header/stream-sse-data-encoding/any/none/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'Stream-SSE-Data-Encoding is not among the exposed headers: a page of another origin is not told that its event stream is base64.',
  },
  {
    scenario: 'pages-of-another-origin-work',
    fingerprint: 'operations-work-from-another-origin/read-sse/binary/none/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'Stream-SSE-Data-Encoding is not among the exposed headers: a page of another origin takes the base64 of a binary stream for its data.',
  },
  {
    scenario: 'reload-under-load',
    fingerprint: 'routine-is-done/refused/any/forced-reload/any',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'A reload opens data_dir a second time while the first store still holds its lock, and is refused after a second ("failed to open bbolt database: timeout").',
  },
  {
    scenario: 'with-request-limit',
    fingerprint: 'routine-is-done/refused/any/request-limit/any',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'A body beyond request_body max_size is answered 400 "failed to read body" instead of 413; nothing is stored.',
  },
  {
    scenario: 'restart-keeps-forks',
    fingerprint: 'ready-within/never-ready/any/restart/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: `${hangs} A forked stream is enough.`,
  },
  {
    scenario: 'kill-under-load',
    fingerprint: 'ready-within/never-ready/any/restart/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: `${hangs} So does a kill between the data of an append and its metadata.`,
  },
  {
    scenario: 'restart-keeps-data',
    fingerprint: 'nothing-acknowledged-is-lost/lost/ttl-json/kill/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'Streams with a TTL are not found again after a restart.',
  },
  {
    scenario: 'restart-keeps-data',
    fingerprint: 'every-stream-still-exists/gone/ttl-json/kill/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'Streams with a TTL are not found again after a restart.',
  },
  {
    scenario: 'expired-streams-free-their-disk',
    fingerprint: 'disk-comes-back/kept/ttl/expiry/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'Nothing removes the files of streams that have expired.',
  },
  {
    scenario: 'a-second-server-does-no-harm',
    fingerprint: 'second-server-is-refused/deadline/any/second-server-on-port/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'The server listens with SO_REUSEPORT: a second one on the same port starts, and shares its requests.',
  },
  {
    scenario: 'disk-full-loses-nothing',
    fingerprint: 'every-stream-can-be-read/unreadable/any/disk-full/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: 'The half of an append that fitted stays in the segment: reads of the stream are answered with 500 ("corrupted segment file"), also when there is room again.',
  },
  {
    scenario: 'disk-full-survives-a-restart',
    fingerprint: 'ready-within/never-ready/any/restart/origin',
    origin: 'production',
    versions: ['devel'],
    issue: null,
    why: `${hangs} So does a segment whose torn end is cut off.`,
  },
  {
    scenario: 'expired-streams-free-their-disk',
    fingerprint: 'disk-comes-back/kept/ttl/expiry/origin',
    origin: 'reference',
    versions: ['0.3.7'],
    issue: null,
    why: 'Nothing removes the files of streams that have expired.',
  },
  {
    scenario: 'kill-under-load',
    fingerprint: 'nothing-is-twice/doubled/producer/kill/origin',
    origin: 'reference',
    versions: ['0.3.7'],
    issue: null,
    why: 'After a kill, an append that had no answer is stored again when its producer retries it.',
  },
]
