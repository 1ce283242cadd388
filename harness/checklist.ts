/**
 * What must be proven before a release: the 26 rows, with stable ids, and the eight boxes of
 * upstream's own pre-deploy summary. Everything else in the project refers to rows by these ids.
 */
export type Severity = 'critical' | 'high' | 'medium'

export interface Row {
  id: RowId
  title: string
  severity: Severity
  /** Whether a row that is not green keeps the run from being `ready`. */
  required: boolean
  /** What to do when it is red. */
  fix: string
  /** Where the rule comes from. */
  link: string
}

const protocol = 'https://github.com/durable-streams/durable-streams/blob/main/PROTOCOL.md'
const serverReadme =
  'https://github.com/durable-streams/durable-streams/blob/main/packages/caddy-plugin/README.md'

export const rowIds = [
  'server-production',
  'persistence-data-dir',
  'file-handles',
  'https',
  'lifecycle-set',
  'lifecycle-one',
  'lifecycle-expires',
  'lifecycle-sliding',
  'cdn-urls',
  'cdn-collapse',
  'cdn-headers',
  'cdn-cursor',
  'cdn-freshness',
  'client-errors',
  'producers',
  'cors',
  'ops-restart',
  'ops-graceful',
  'ops-reload',
  'ops-upgrade',
  'durability-crash',
  'durability-disk',
  'network-faults',
  'conformance',
  'soak',
  'incident-replay',
] as const
export type RowId = (typeof rowIds)[number]

export function isRowId(text: string): text is RowId {
  return (rowIds as readonly string[]).includes(text)
}

type RowText = { title: string; severity: Severity; fix: string; link: string }

const texts: Record<RowId, RowText> = {
  'server-production': {
    title: 'The origin is the Caddy production server',
    severity: 'critical',
    fix: 'Run the released Caddy binary; keep DurableStreamTestServer out of production code.',
    link: serverReadme,
  },
  'persistence-data-dir': {
    title: 'Everything acknowledged is still there after a restart',
    severity: 'critical',
    fix: 'Set data_dir to a folder on a persistent volume. Where it is set, the server itself loses what the evidence names: use another version, and report it to upstream.',
    link: serverReadme,
  },
  'file-handles': {
    title: 'max_file_handles fits the expected number of streams',
    severity: 'high',
    fix: 'Set max_file_handles to what the table in the report recommends.',
    link: serverReadme,
  },
  https: {
    title: 'All traffic is HTTPS, with HTTP/2 for browsers',
    severity: 'critical',
    fix: 'Terminate TLS in front of the cache with a chain that clients can verify, and offer h2.',
    link: `${protocol}#12-security-considerations`,
  },
  'lifecycle-set': {
    title: 'Every stream has a lifetime',
    severity: 'high',
    fix: 'Create each stream with Stream-TTL or Stream-Expires-At.',
    link: `${protocol}#51-create-stream`,
  },
  'lifecycle-one': {
    title: 'A stream has one lifetime, not two',
    severity: 'medium',
    fix: 'Send Stream-TTL or Stream-Expires-At, never both.',
    link: `${protocol}#51-create-stream`,
  },
  'lifecycle-expires': {
    title: 'An expired stream is gone, for every reader, with its disk space',
    severity: 'high',
    fix: 'Upgrade the server, or delete expired streams yourself; bound the lifetime of 200s in the cache.',
    link: `${protocol}#51-create-stream`,
  },
  'lifecycle-sliding': {
    title: 'Stream-TTL slides with reads and writes, not with HEAD',
    severity: 'high',
    fix: 'Choose a TTL longer than the longest pause; remember that cached reads do not renew it.',
    link: `${protocol}#51-create-stream`,
  },
  'cdn-urls': {
    title: 'Catch-up reads use URLs that a cache can share',
    severity: 'high',
    fix: 'Read with ?offset=, parameters in alphabetical order, no live= on the first read.',
    link: `${protocol}#10-caching-and-collapsing`,
  },
  'cdn-collapse': {
    title: '10,000 readers at one offset become one upstream request',
    severity: 'critical',
    fix: 'Use varnish/recommended.vcl, or see which read mode was not collapsed and why.',
    link: `${protocol}#10-caching-and-collapsing`,
  },
  'cdn-headers': {
    title: 'Cache-Control, ETag and Stream-Cursor pass unharmed',
    severity: 'critical',
    fix: 'Let the cache pass the origin\'s Cache-Control, ETag and Stream-* headers through.',
    link: `${protocol}#10-caching-and-collapsing`,
  },
  'cdn-cursor': {
    title: 'The cursor keeps live readers from looping on a stored answer',
    severity: 'high',
    fix: 'Keep the cursor parameter in the cache key and pass Stream-Cursor to the client.',
    link: `${protocol}#10-caching-and-collapsing`,
  },
  'cdn-freshness': {
    title: 'No reader behind the cache is told it is up to date when it is not',
    severity: 'critical',
    fix: 'Shorten the cache\'s lifetime for answers without Cache-Control, and ban a path on writes.',
    link: `${protocol}#10-caching-and-collapsing`,
  },
  'client-errors': {
    title: 'Live readers stop on permanent errors and retry transient ones',
    severity: 'high',
    fix: 'Give every live stream an onError that stops on 401 and 403.',
    link: 'https://github.com/durable-streams/durable-streams/tree/main/packages/client',
  },
  producers: {
    title: 'Writers choose epochs knowingly; retries are neither lost nor doubled',
    severity: 'high',
    fix: 'Use explicit epochs for long-running writers and autoClaim for ephemeral ones.',
    link: `${protocol}#521-idempotent-producers`,
  },
  cors: {
    title: 'A browser page of another origin can use every operation',
    severity: 'high',
    fix: 'Expose every response header that the client library reads.',
    link: 'https://github.com/durable-streams/durable-streams/tree/main/packages/client',
  },
  'ops-restart': {
    title: 'Every start is ready in time, and a second server does no harm',
    severity: 'critical',
    fix: 'See the start-up times against the number of streams, and the log of the start that failed.',
    link: serverReadme,
  },
  'ops-graceful': {
    title: 'A stop with live readers ends within its grace period',
    severity: 'high',
    fix: 'Set grace_period, and shorten sse_reconnect_interval below it.',
    link: 'https://caddyserver.com/docs/caddyfile/options#grace-period',
  },
  'ops-reload': {
    title: 'The operator\'s routine changes nothing that a client can see',
    severity: 'high',
    fix: 'See which routine (reload, access log, metrics, auth) broke which read mode.',
    link: serverReadme,
  },
  'ops-upgrade': {
    title: 'The previous release\'s data_dir opens in this one',
    severity: 'medium',
    fix: 'Take a copy of data_dir before the upgrade.',
    link: serverReadme,
  },
  'durability-crash': {
    title: 'Kills at arbitrary moments lose, double, reorder or tear nothing acknowledged',
    severity: 'critical',
    fix: 'Report the reproducing run to upstream; do not release on this server version.',
    link: `${protocol}#4-stream-model`,
  },
  'durability-disk': {
    title: 'Disk faults are reported and stay within what was not acknowledged',
    severity: 'high',
    fix: 'Watch disk space; keep data_dir on a file system that honours fsync.',
    link: serverReadme,
  },
  'network-faults': {
    title: 'Readers recover from network faults by themselves',
    severity: 'high',
    fix: 'Set the client\'s backoff and the proxies\' timeouts as the report says.',
    link: `${protocol}#57-read-stream---live-long-poll`,
  },
  conformance: {
    title: 'The conformance suite passes at the origin and through the edge',
    severity: 'high',
    fix: 'See the tests that fail through the edge but not at the origin.',
    link: 'https://github.com/durable-streams/durable-streams/tree/main/packages/server-conformance-tests',
  },
  soak: {
    title: 'Over hours nothing grows that should not',
    severity: 'high',
    fix: 'Run the soak profile overnight.',
    link: serverReadme,
  },
  'incident-replay': {
    title: 'An incident can be reproduced as a run',
    severity: 'high',
    fix: 'Import the access log of the incident.',
    link: serverReadme,
  },
}

const neverRequired: ReadonlySet<RowId> = new Set(['soak', 'incident-replay'])

/** The rows in their order. Required are the critical and high ones, but for soak and replay. */
export const rows: readonly Row[] = rowIds.map((id) => ({
  id,
  ...texts[id],
  required: texts[id].severity !== 'medium' && !neverRequired.has(id),
}))

export function rowById(id: RowId): Row {
  return rows[rowIds.indexOf(id)]!
}

export interface Box {
  title: string
  rows: RowId[]
}

/** Their boxes are about the user's own code: nothing but that code can tick them. */
export const rowsOfOwnCode: ReadonlySet<RowId> = new Set(['lifecycle-set', 'lifecycle-one', 'client-errors'])

/** Upstream's pre-deploy summary, in its words and order. */
export const boxes: readonly Box[] = [
  { title: 'Using Caddy production server (not dev server)', rows: ['server-production'] },
  { title: '`data_dir` configured for persistence', rows: ['persistence-data-dir'] },
  { title: 'HTTPS enabled', rows: ['https'] },
  { title: 'TTL or Expires-At set on all streams', rows: ['lifecycle-set'] },
  { title: 'Not using both TTL and Expires-At together', rows: ['lifecycle-one'] },
  {
    title: 'CDN passes through Cache-Control, ETag, and Stream-Cursor headers',
    rows: ['cdn-headers', 'cdn-cursor'],
  },
  { title: '`onError` handler configured for live streams', rows: ['client-errors'] },
  { title: '`max_file_handles` tuned for expected stream count', rows: ['file-handles'] },
]
