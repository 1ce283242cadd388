/**
 * What to do about a failure, by its fingerprint: more to the point than what the row in general
 * advises. The first entry whose beginning fits is taken.
 */
const fixes: readonly (readonly [fingerprint: string, fix: string])[] = [
  [
    'ready-within/never-ready/',
    'Do not release on this server version: its start hangs or ends by itself (the last log lines or stacks are in the evidence). Report the run upstream; meanwhile let a supervisor restart a server that is not ready in time, and page somebody.',
  ],
  ['ready-within/slow/', 'Give streams a lifetime so that there are fewer to recover, or allow for this start in the deploy\'s health check.'],
  [
    'second-server-is-refused/',
    'Let the old server end before the new one starts (in Kubernetes strategy Recreate, not RollingUpdate): one server for one data_dir and one port.',
  ],
  [
    'nothing-acknowledged-is-lost/',
    'Set data_dir to a folder on a persistent volume. Where it is set, this server version loses streams of the kinds named: report the run upstream, and do without these kinds until it is mended.',
  ],
  [
    'damage-is-reported/served/',
    'Keep data_dir on a file system with checksums (ZFS, Btrfs) or on a volume that has them, for this server version has none: a byte that changed on the disk reaches readers. Report the run upstream; what must be right carries a checksum of its own in each record.',
  ],
  [
    'damage-is-reported/',
    'Keep data_dir on a file system with checksums (ZFS, Btrfs), and a copy of it from before each start: this server version drops what stands behind a damaged length. Report the run upstream.',
  ],
  ['every-stream-still-exists/', 'Set data_dir to a folder on a persistent volume. Where it is set, report the run upstream, and do without the kinds of streams named until it is mended.'],
  [
    'nothing-is-twice/doubled/producer',
    'Do not rely on idempotent producers across a crash of this server version: let readers drop what they have seen, and report the run upstream.',
  ],
  [
    'producer-answers-are-right/',
    'Do not rely on idempotent producers of this server version in the cases named: let readers drop what they have seen, and report the run upstream.',
  ],
  [
    'errors-reach-the-handler/',
    'Do not rely on onError alone with this client version: on a reconnect it is not called. Await the session\'s `closed` (or catch what its loop throws), stop on 401 and 403, and on anything else open a new session from the offset of the last batch after a random pause.',
  ],
  [
    'transients-are-outlasted/',
    'With this client version await the session\'s `closed`, and open a new session from the offset of the last batch after a random pause: a connection that is cut in the middle of an answer ends the session.',
  ],
  [
    'readers-miss-nothing/doubled-',
    'Let readers drop what they have seen (by an id in the record): with this client version an event stream that ends between data and its control event is read again from before that data.',
  ],
  [
    'client-writers-lose-nothing/lost/auto-claim-after-auto-claim',
    'Give each instance of a writer a producer id of its own, or explicit epochs that grow: autoClaim begins at epoch 0 and sequence 0, and what another instance has written there counts as a duplicate that is dropped without an error.',
  ],
  [
    'client-writers-lose-nothing/lost/two-auto-claims-at-once',
    'Give each instance of a writer a producer id of its own, or explicit epochs that grow: of two that claim at once, one writes nothing and is told of no error.',
  ],
  [
    'readers-miss-nothing/lost-',
    'Resume from the offset of the last batch that your subscriber was given, not from the session\'s own: this client version moves that one before the data is delivered.',
  ],
  [
    'retries-are-paced/storm-on-reconnect/long-poll/stale-poll-again/',
    'Let no cache store a poll without news (204), and keep the cursor in its key, as varnish/recommended.vcl does: this client version asks again at once whatever it is given.',
  ],
  ['exchange-is-answered/header/state-after-', 'Send "Stream-Closed: true" in small letters, whatever your language writes for true; with this server version anything else closes nothing.'],
  ['retries-are-paced/', 'Wait in onError before you return {}: the client retries at once when the handler says so.'],
  ['nothing-is-refused/', 'See the answers in the evidence. While the origin is up, clients must not see them: report the run upstream.'],
  [
    'nothing-drifts/disk/',
    'Delete expired streams yourself (DELETE on their path) until the server frees their space, give the volume room for what the report foresees, and have an alarm on it.',
  ],
  [
    'nothing-drifts/handles/',
    'Raise the limit of open files (ulimit -n) for the time until a mended version, restart well before the moment that the report foresees, and report the run upstream with its samples.csv.',
  ],
  [
    'nothing-drifts/memory/',
    'Give the process a memory limit with room for what the report foresees, restart it well before that, and report the run upstream with its samples.csv.',
  ],
  ['nothing-drifts/cache/', 'Bound what the cache may store (Varnish: -s with a size) and let each answer have a lifetime; a ban list that grows needs bans that the lurker can apply, as in varnish/recommended.vcl.'],
  ['nothing-drifts/latency/', 'See in the figures which operation slows down and what grows beside it (memory, descriptors, disk), restart before it hurts, and report the run upstream with its samples.csv.'],
  [
    'revalidation-is-right/changed-and-not-modified/any/none/origin',
    'Do not revalidate by this server version\'s ETag: let the cache fetch anew, as varnish/recommended.vcl does, and clients read from their offset without If-None-Match.',
  ],
  ['revalidation-is-right/', 'Let the cache answer 304 only by the ETag of an answer that it may still serve: varnish/recommended.vcl does.'],
  ['disk-comes-back/', 'Delete expired streams yourself (DELETE on their path) until the server frees their space, and watch the volume.'],
  ['expired-is-gone/', 'Bound the lifetime of stored answers in the cache below what may be read after the expiry; where the origin itself still answers, report the run upstream.'],
  ['live-readers-end/', 'Shorten long_poll_timeout and sse_reconnect_interval: they bound how long a reader is held by a stream that has expired.'],
  [
    'crowd-collapses/not-collapsed/sse/',
    'Share an event stream while the origin\'s response is open, as varnish/recommended.vcl does, and put your changes into that. nginx cannot: it shares an answer when it is complete (docs/nginx.md).',
  ],
  [
    'crowd-collapses/',
    'Begin from varnish/recommended.vcl and put your changes into it. With that very VCL, repeat on a machine that does nothing else before you report it.',
  ],
  [
    'crowd-is-served-right/other-bytes/',
    'Keep offset, live and cursor in the cache key, and store nothing beyond what the origin\'s Cache-Control allows: varnish/recommended.vcl does both.',
  ],
  [
    'crowd-is-served-right/incomplete/',
    'See the statuses in the evidence: 5xx from the cache are its limits (threads, workspace, timeouts to the origin); raise the one that its log names.',
  ],
  [
    'stops-within-grace/',
    'Set grace_period in the Caddyfile\'s global options, a few seconds below what the container is given to stop (docker: 10 s): without it a stop waits for every long-poll and event stream. caddy/Caddyfile does.',
  ],
  [
    'routine-is-done/refused/any/forced-reload/any',
    'Do not rely on reloading this server version while data_dir is set: change the Caddyfile by a restart (a stop within its grace period, then a start), and report the run upstream.',
  ],
  [
    'answers-are-the-same/status/any/',
    'Serve streams from a server block without what was switched on here (its log, metrics or encode), and put it into a proxy in front instead: in this server version it takes event streams away. See upstream issue 252.',
  ],
  ['private-stays-private/', 'Let the cache pass whatever carries Authorization or a cookie: varnish/recommended.vcl does.'],
  ['live-readers-miss-nothing/', 'See which way and mode missed what: a record that is also missing in a read from the start was lost by the server, any other by a hop on that way. Report the run upstream where it is the origin\'s.'],
  ['live-readers-resume/', 'Compare the ways in the evidence: what is late by all of them is the origin\'s, what is late by one is that hop\'s buffering or caching.'],
  [
    'page-reads-every-header/',
    'Add the headers that are named to Access-Control-Expose-Headers in the hop that pages talk to (Caddy: header +Access-Control-Expose-Headers "Name"), and report it upstream where the origin hides them. Without Stream-SSE-Data-Encoding a page takes base64 for the bytes of a binary stream: let such pages read by long-poll.',
  ],
  [
    'operations-work-from-another-origin/',
    'See in the evidence what the page was told instead: where the browser kept the answer, the hop that is named first sends no CORS headers with it; where the page got other bytes, a header that it needs is not exposed.',
  ],
  ['preflight-allows-everything/', 'Answer OPTIONS with the methods and headers that the evidence names in Access-Control-Allow-Methods and -Headers, and let no hop answer it otherwise.'],
  ['browsers-are-not-held-to-six/', 'Offer h2 at the edge that browsers talk to: over HTTP/1.1 they hold six connections to a host, and the seventh tab waits.'],
  [
    'conformance-at-origin/',
    'This server version departs from the protocol in what the tests name: see whether your application relies on it, and report it upstream.',
  ],
  [
    'conformance-through-edge/',
    'The evidence names what the way to the origin changes: begin from varnish/recommended.vcl, which breaks none of these tests, and put your changes into it one by one.',
  ],
  [
    'conformance-is-unchanged/',
    'The evidence names what breaks with which variant: leave that one off in front of the streams (give them a route of their own without it), or report the run upstream where the server alone is at fault.',
  ],
  ['cursor-moves-on/', 'Keep the cursor parameter in the cache key, and let Stream-Cursor pass to the client.'],
  ['files-stay-bounded/errors/', 'Raise max_file_handles to what the report recommends, and the limit of open files (ulimit -n) above it.'],
  ['files-stay-bounded/leak/', 'Raise the limit of open files (ulimit -n), watch the process\'s descriptors, and report the run upstream: this server version keeps files open beyond max_file_handles.'],
]

/** What to do about this failure; undefined where only the row's own advice is known. */
export function fixFor(fingerprint: string | undefined): string | undefined {
  return fixes.find(([beginning]) => fingerprint?.startsWith(beginning))?.[1]
}

/** The beginnings of fingerprints that have a fix of their own. */
export const fixed: readonly string[] = fixes.map(([beginning]) => beginning)
