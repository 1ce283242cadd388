/**
 * The failures that are known, by their cause, each confirmed by hand. Kept short: what a run calls FIXED
 * UPSTREAM goes at once. `npm run simulate` prints the fingerprint of a failure in its report.
 */
import type { ExpectedFailure } from './expected-failures.ts'

interface Cause extends Pick<ExpectedFailure, 'why'> {
  /** Upstream's report of it, where one is known. */
  issue?: string
  in: readonly Pick<ExpectedFailure, 'origin' | 'versions'>[]
  /** By scenario: the fingerprints. */
  shownBy: Readonly<Record<string, readonly string[]>>
}

const production = { origin: 'production' as const, versions: ['devel'] }
const reference = { origin: 'reference' as const, versions: ['0.3.7'] }
const upstream = 'https://github.com/durable-streams/durable-streams'

const hangs = 'The recovery at a start takes a lock that it already holds (an offset is updated inside the walk over all streams): the start never ends.'

/** Whatever Caddy puts around the response takes event streams away. */
const wrapping = ['access-log', 'log-rotation', 'metrics', 'compression', 'eager-compression'].map((variant): [scenario: string, fingerprints: string[]] => [
  `with-${variant}`,
  [
    `answers-are-the-same/status/any/${variant}/any`,
    'live-readers-miss-nothing/missed/sse/any/any',
    'live-readers-resume/never-attached/any/none/any',
    'no-answer-is-wrong/500/sse/none/any',
    // Readers that accept no compression are not concerned by it.
    ...(variant.endsWith('compression') ? [] : ['events-pass-unbuffered/late/sse/none/origin']),
  ],
])

const causes: readonly Cause[] = [
  {
    why: 'Event streams are answered 500 "streaming not supported" as soon as Caddy wraps the response: the handler asks for http.Flusher instead of http.NewResponseController.',
    issue: `${upstream}/issues/252`,
    in: [production],
    shownBy: {
      ...Object.fromEntries(wrapping),
      'conformance-with-variants': [
        'conformance-is-unchanged/many-groups/all-at-once/none/origin',
        'conformance-is-unchanged/many-groups/access-log+all-at-once+compression+eager-compression+log-rotation+metrics/none/origin',
      ],
    },
  },
  {
    why: 'Streams with a TTL are not found again after a restart: what was acknowledged is gone, and who follows them is answered 404.',
    in: [production],
    shownBy: {
      soak: [
        'nothing-acknowledged-is-lost/lost/chat/stop/origin',
        'live-readers-miss-nothing/no-end/any/any/any',
        'no-answer-is-wrong/404/any/none/any',
        'alive-until-expiry/gone/ttl/chat/origin',
      ],
    },
  },
  {
    why: 'Client 0.2.7: an error on a reconnect ends the session without onError being asked (by hand: 409 to the second request of an event stream).',
    in: [production],
    shownBy: {
      'clients-meet-errors': ['errors-reach-the-handler/not-called-on-reconnect/auto/conflict-409/client'],
    },
  },
  {
    why: 'Client 0.2.7: an event stream whose connection breaks ends the session ("terminated"), and onError is not asked (by hand: the server killed under a reader that was given its first data, and started again).',
    in: [production],
    shownBy: {
      'clients-meet-errors': ['transients-are-outlasted/ended-on-reconnect/sse/connection-reset/client'],
      'clients-come-back': [
        'errors-reach-the-handler/not-called-on-reconnect/sse/cache-restart/client',
        'transients-are-outlasted/ended-on-reconnect/sse/cache-restart/client',
      ],
    },
  },
  {
    why: 'Client 0.2.7: an event stream that ends between data and its control event is read again from before that data, and the subscriber is given it twice (by hand).',
    in: [production],
    shownBy: {
      'clients-meet-errors': ['readers-miss-nothing/doubled-on-reconnect/sse/event-stream-ends-after-data/client'],
    },
  },
  {
    why: 'Nothing removes the files of streams that have expired.',
    in: [production, reference],
    shownBy: {
      soak: ['nothing-drifts/disk/disk-beyondLiveBytes/none/origin'],
      'expired-streams-free-their-disk': ['disk-comes-back/kept/ttl/expiry/origin'],
    },
  },
  {
    why: 'Event streams never end by themselves: behind a cache, the connection of readers that have left stays open until a restart (304 an hour at some 85 readers a minute).',
    in: [reference],
    shownBy: {
      soak: ['nothing-drifts/handles/origin-openFiles/none/origin'],
    },
  },
  {
    why: '@durable-streams/client 0.2.7 does not call onError when an event stream is connected anew: a token that has expired ends the session.',
    issue: `${upstream}/issues/320`,
    in: [production, reference],
    shownBy: {
      'incident-320-onerror-on-a-reconnect': [
        'errors-reach-the-handler/not-called-on-reconnect/sse/token-renewed-by-handler/client',
        'transients-are-outlasted/ended-on-reconnect/sse/token-renewed-by-handler/client',
      ],
    },
  },
  {
    why: '@durable-streams/client 0.2.7 ends the session when a connection is cut in the middle of an answer.',
    issue: `${upstream}/pull/293`,
    in: [production, reference],
    shownBy: {
      'incident-293-errors-in-the-middle': ['transients-are-outlasted/ended-on-reconnect/long-poll/truncated-body/client'],
    },
  },
  {
    why: '@durable-streams/client 0.2.7 asks again at once, hundreds of times a second, while a cache answers a poll from its store.',
    issue: `${upstream}/pull/293`,
    in: [production, reference],
    shownBy: {
      'incident-293-stored-poll': ['retries-are-paced/storm-on-reconnect/long-poll/stale-poll-again/client'],
    },
  },
  {
    why: '"Stream-Closed: True" closes nothing: the value is compared with its case, against PROTOCOL.md 4.1.',
    issue: `${upstream}/pull/248`,
    in: [production, reference],
    shownBy: {
      'incident-248-closed-in-capitals': [
        'exchange-is-answered/header/state-after-the-close/none/origin',
        'exchange-is-answered/header/state-after-the-creation/none/origin',
      ],
    },
  },
  {
    why: 'The torn end of a file stays where it is, and what is appended behind it is acknowledged and cannot be read after a restart.',
    in: [reference],
    shownBy: {
      'incident-358-torn-tail': [
        'nothing-acknowledged-is-lost/lost/binary/stop/origin',
        'nothing-is-torn/torn/binary/stop/origin',
      ],
    },
  },
  {
    why: 'Event streams are answered 500 "streaming not supported" as soon as Caddy wraps the response.',
    issue: `${upstream}/issues/252`,
    in: [production],
    shownBy: {
      'incident-252-wrapper': [
        'no-answer-is-wrong/500/sse/none/origin',
        'live-readers-miss-nothing/missed/sse/any/origin',
      ],
    },
  },
  {
    why: `${hangs} Data without its metadata, is enough.`,
    issue: `${upstream}/issues/143`,
    in: [production],
    shownBy: {
      'incident-143-producer-after-a-crash': ['ready-within/never-ready/any/restart/origin'],
    },
  },
  {
    why: 'The producer\'s state is not in the data: what it retries after the crash is stored again.',
    issue: `${upstream}/issues/143`,
    in: [reference],
    shownBy: {
      'incident-143-producer-after-a-crash': ['nothing-is-twice/doubled/producer/kill/origin'],
    },
  },
  {
    why: 'After a kill, an append that had no answer is stored again when its producer retries it.',
    in: [reference],
    shownBy: {
      'kill-under-load': [
        'nothing-is-twice/doubled/producer-json/kill/origin',
        'nothing-is-twice/doubled/producer/kill/origin',
      ],
    },
  },
  {
    why: 'The ETag is the offset alone: it stays the same when a stream is closed, or made anew with as many bytes, and If-None-Match is answered 304 for what has changed.',
    in: [production],
    shownBy: {
      'cache-tells-the-truth': ['revalidation-is-right/changed-and-not-modified/any/none/origin'],
    },
  },
  {
    why: 'Client 0.2.7: a second producer with autoClaim and the same id begins at epoch 0 and sequence 0, which the server has had: its batches are taken for repetitions, answered 204, and lost without an error (60 of 60 by hand).',
    in: [production],
    shownBy: {
      'client-writers': ['client-writers-lose-nothing/lost/auto-claim-after-auto-claim/none/client'],
    },
  },
  {
    why: 'Neither a read at offset=now nor a POST that only closes renews the TTL, as other reads and writes do.',
    in: [production],
    shownBy: {
      'conformance-suite-passes': ['conformance-at-origin/ttl-expiration-behavior/any/none/origin'],
    },
  },
  {
    why: 'Stream-SSE-Data-Encoding is not among the exposed headers: a page of another origin is not told that its event stream is base64.',
    in: [production],
    shownBy: {
      'pages-of-another-origin-work': ['page-reads-every-header/stream-sse-data-encoding/any/none/origin'],
    },
  },
  {
    why: 'Stream-SSE-Data-Encoding is not among the exposed headers: a page of another origin takes the base64 of a binary stream for its data.',
    in: [production],
    shownBy: {
      'pages-of-another-origin-work': ['operations-work-from-another-origin/read-sse/binary/none/origin'],
    },
  },
  {
    why: 'A reload opens data_dir a second time while the first store still holds its lock, and is refused after a second ("failed to open bbolt database: timeout").',
    in: [production],
    shownBy: {
      'reload-under-load': ['routine-is-done/refused/any/forced-reload/any'],
    },
  },
  {
    why: 'A body beyond request_body max_size is answered 400 "failed to read body" instead of 413; nothing is stored.',
    in: [production],
    shownBy: {
      'with-request-limit': ['routine-is-done/refused/any/request-limit/any'],
    },
  },
  {
    why: `${hangs} A forked stream is enough.`,
    in: [production],
    shownBy: {
      'restart-keeps-forks': ['ready-within/never-ready/any/restart/origin'],
    },
  },
  {
    why: `${hangs} So does a kill between the data of an append and its metadata.`,
    in: [production],
    shownBy: {
      'kill-under-load': ['ready-within/never-ready/any/restart/origin'],
    },
  },
  {
    why: 'Streams with a TTL are not found again after a restart.',
    in: [production],
    shownBy: {
      'restart-keeps-data': [
        'nothing-acknowledged-is-lost/lost/ttl-json/stop/origin',
        'every-stream-still-exists/gone/ttl-json/stop/origin',
      ],
    },
  },
  {
    why: 'The server listens with SO_REUSEPORT: a second one on the same port starts, and shares its requests.',
    in: [production],
    shownBy: {
      'a-second-server-does-no-harm': ['second-server-is-refused/deadline/any/second-server-on-port/origin'],
    },
  },
  {
    why: 'The half of an append that fitted stays in the segment: reads of the stream are answered with 500 ("corrupted segment file"), also when there is room again.',
    in: [production],
    shownBy: {
      'disk-full-loses-nothing': ['every-stream-can-be-read/unreadable/any/disk-full/origin'],
    },
  },
  {
    why: `${hangs} So does a segment whose torn end is cut off.`,
    in: [production],
    shownBy: {
      'disk-full-survives-a-restart': ['ready-within/never-ready/any/restart/origin'],
    },
  },
  {
    why: `${hangs} So does a stream that was acknowledged and is not there after a power cut: an empty one's folder and file are not forced to the disk, its metadata is (by hand).`,
    in: [production],
    shownBy: {
      'power-cut-loses-nothing': ['ready-within/never-ready/any/restart/origin'],
    },
  },
  {
    why: `${hangs} So does a power cut between the data of an append and its metadata.`,
    in: [production],
    shownBy: {
      'power-cut-under-load': ['ready-within/never-ready/any/restart/origin'],
    },
  },
  {
    why: 'The file of a stream that was made is not forced to the disk: after a power cut an empty one is gone.',
    in: [reference],
    shownBy: {
      'power-cut-loses-nothing': ['every-stream-still-exists/gone/json/power-cut/origin'],
    },
  },
  {
    why: 'Messages have no checksum: a byte that changed on the disk is served as if it had been written so, up to date (by hand: one bit of a payload changed while the server was down).',
    in: [production, reference],
    shownBy: {
      'flipped-byte-is-reported': ['damage-is-reported/served/any/flipped-payload/origin'],
    },
  },
  {
    why: 'A length that changed on the disk is taken for a torn end: the start cuts off all that was acknowledged behind it, and says so in its log alone (by hand: 39 of 95 bytes of a data.seg went).',
    in: [production],
    shownBy: {
      'flipped-byte-is-reported': ['damage-is-reported/destroyed/any/flipped-length/origin'],
    },
  },
  {
    why: `${hangs} So does one changed byte in the length of one message: no stream is served any more, and each further start hangs again (by hand).`,
    in: [production],
    shownBy: {
      'flipped-byte-is-reported': ['ready-within/never-ready/any/restart/origin'],
    },
  },
  {
    why: 'A length that changed on the disk is believed: what it bounds is served with other bytes in it, all behind it is not read any more, and the answer is up to date (by hand: the lowest bit of a length).',
    in: [reference],
    shownBy: {
      'flipped-byte-is-reported': ['damage-is-reported/served/any/flipped-length/origin'],
    },
  },
]

export const ledger: readonly ExpectedFailure[] = causes.flatMap(({ why, issue = null, in: origins, shownBy }) =>
  origins.flatMap((origin) => Object.entries(shownBy).flatMap(([scenario, fingerprints]) => fingerprints.map((fingerprint) => ({ ...origin, scenario, fingerprint, issue, why })))),
)
