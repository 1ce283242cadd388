/**
 * The history: what happened, in order, with monotonic times. Steps write it, checks read it (live
 * and again from the file), the report is made from what checks say about it.
 *
 * Times are milliseconds of CLOCK_MONOTONIC, which all processes of one machine share. They are
 * only ever subtracted from each other.
 */
import type { Assertions } from './check-spec.ts'
import type { GatheredFacts } from './conclude.ts'

/**
 * By which way a request goes: straight to the origin, through the cache, through TLS and
 * cache; 'direct' is the tap in front of the origin, 'plain' the TLS edge's plain-HTTP side. Where
 * the origin's own file ends TLS, 'origin-tls' is that, and 'origin-plain' its plain-HTTP side.
 */
export type Via = 'origin' | 'edge' | 'tls' | 'direct' | 'plain' | 'origin-tls' | 'origin-plain'
export type HopId = 'origin' | 'edge' | 'tls'
/** What requests pass between hops, and where they can be kept from passing. */
export type LinkId = 'clients-edge' | 'edge-origin'

export type OpName = 'create' | 'append' | 'close' | 'delete' | 'read' | 'head' | 'live'

/** What a reader found in a stream's bytes: the records in their order, and what was none. */
export interface ReadBack {
  /** Ids of the records, in order of appearance. */
  records: string[]
  /** Places where the bytes are not a whole record. */
  damaged: { at: number; bytes: number; what: string }[]
  bytes: number
  sha256: string
  nextOffset: string | null
  upToDate: boolean
  closed: boolean
}

/** What a create asked for. */
export interface CreateRequest {
  /** The kind of stream, for fingerprints: 'ttl', 'forked', 'json'... */
  streamKind: string
  contentType: string
  ttlSeconds?: number
  /** Wall clock, as sent. */
  expiresAt?: string
  /** The same on the monotonic clock. */
  expiresAtMs?: number
  closed?: boolean
  /** A fork inherits these records of its source. */
  inherits?: string[]
  /** The source's offset before its first record, and behind each record that is inherited. */
  inheritedOffsets?: string[]
}

export interface Operation {
  op: OpName
  /** Unique within a run; joins an outcome to its invoke. */
  id: number
  actor: string
  stream: string
  /** Counts re-creations of the path. */
  incarnation: number
  via: Via
  create?: CreateRequest
  append?: { record: string; bytes: number; producer?: { id: string; epoch: number; seq: number }; retry?: boolean; closes?: boolean }
  /** How a live or plain read was made. */
  mode?: 'catch-up' | 'long-poll' | 'sse'
  /** A free label that groups operations for a check. */
  group?: string
}

export interface Invoke extends Operation {
  kind: 'invoke'
}

export interface Outcome extends Operation {
  /** `fail`: certainly did not happen. `info`: may or may not have (time-out, reset, 5xx). */
  kind: 'ok' | 'fail' | 'info'
  invokedAtMs: number
  status?: number
  /** The response headers that matter, lower case. */
  headers?: Record<string, string>
  error?: string
  read?: ReadBack
}

/** A service's start, stop or death. `replaced`: what it had stored was given up for an empty folder. */
export interface Lifecycle {
  kind: 'lifecycle'
  hop: HopId
  what: 'started' | 'not-ready' | 'stopping' | 'stopped' | 'killed' | 'crashed' | 'refused' | 'replaced'
  /** For `started`: until ready. For `stopped` and `killed`: from the signal until gone; clients may notice first. */
  tookMs?: number
  because?: string
  /** For `not-ready`: what kept it from being ready. */
  reason?: 'exited' | 'deadline' | 'port-taken' | 'not-started'
  logLines?: string[]
  /** Operations that were in flight through this hop at that moment. */
  inFlight?: number
  /** Appends acknowledged since the hop's last start. */
  acknowledgedSinceStart?: number
  rssBytes?: number
  streams?: number
  label?: string
}

export interface Sample {
  kind: 'sample'
  name: string
  value: number
  label?: string
}

/** What was measured at one moment, by name: `origin.memoryBytes`, `cache.objects`. */
export interface Samples {
  kind: 'samples'
  values: Record<string, number>
}

/** Whose cost is looked at: the hops, and the tap between cache and origin, which is the harness's own. */
export type Used = HopId | 'tap'

/** What one of them uses at one moment; what is counted is counted since its present start. */
export interface HopUsage {
  /** Which start of it, from 1. */
  start: number
  rssBytes: number
  openFiles: number
  threads: number
  processes: number
  cpuMs: number
  diskReadBytes: number
  diskWrittenBytes: number
  /** By all read and write calls: network, files and pipes together. */
  readBytes: number
  writtenBytes: number
}

/** A look at what runs; hops that do not run at that moment are missing. */
export interface UsageLook {
  kind: 'usage'
  hops: Partial<Record<Used, HopUsage>>
  /** What the loopback device that they meet on has passed since it came up; null where that is not told. */
  loopbackBytes: number | null
  /** The longest that the harness was kept from going on since the look before, by the machine or by itself. */
  keptMs?: number
}

/** Nobody will ask for this stream again: what is remembered of it may be forgotten. */
export interface Retired {
  kind: 'retired'
  stream: string
  incarnation: number
}

/** One fault, or an operator's routine, from its beginning to its end, with its proof by counters. */
export interface FaultEvent {
  kind: 'fault'
  fault: string
  /** Which of harness/faults/ it is. */
  what?: string
  phase: 'injected' | 'healed'
  /** The hop that it happens to, where it is one. */
  hop?: HopId
  proof?: string
  proven?: boolean
  /** The subject's own words, where it would not do what the operator asked of it. */
  refused?: string
}

/** A byte that was changed in the file of a stream while the origin was down. */
export interface DamagedRecord {
  kind: 'damaged-record'
  stream: string
  incarnation: number
  /** The one that the byte belongs to, or that stands behind the length that it belongs to. */
  record: string
  where: 'payload' | 'length'
  /** Below data_dir, and where in it. */
  file: string
  at: number
  before: number
  after: number
}

/**
 * Records that stood whole in the files of a damaged stream, and stand in none after what was done since: the
 * origin was started on them, or could not be. Not the one that was damaged.
 */
export interface RecordsGone {
  kind: 'records-gone'
  stream: string
  incarnation: number
  records: string[]
}

/** One record for a whole crowd of readers; the readers' columns are in `columnsFile`. */
export interface Crowd {
  kind: 'crowd'
  crowd: string
  mode: 'catch-up' | 'catch-up-tail' | 'long-poll' | 'sse'
  path: 'edge-http1' | 'tls-h2' | 'direct'
  generation: string
  stream: string
  readers: number
  /** Readers that got a whole answer. */
  answered: number
  outcomes: Record<string, number>
  statuses: Record<string, number>
  /** Distinct body hashes with their number of readers. */
  hashes: Record<string, number>
  /** What the writer sent, hashed: the one right answer. */
  expectedSha256: string
  /** Distinct next offsets the readers were told, with their number. */
  nextOffsets: Record<string, number>
  expectedNextOffset: string
  upToDate: number
  cursors: Record<string, number>
  /** Requests for this URL that arrived at the tap in front of the origin. */
  upstreamRequests: number
  probeRequests: number
  /** The cache's own count of fetches meanwhile; null where there is no cache on the way. */
  cacheFetches: number | null
  /** All requests that reached the tap meanwhile, whatever their URL. */
  upstreamRequestsAny: number
  appendAckAtMs: number | null
  firstSentAtMs: number
  lastSentAtMs: number
  /** When the upstream's answer ended, at the tap. */
  connectMs: number
  arrivalMs: number
  /** Quantiles of last byte minus acknowledgement, [quantile, ms]. */
  spread: [number, number][]
  readerBytes: number
  columnsFile: string
  /** Set where the crowd could not be held by this host: then nothing is blamed on the subject. */
  hostLimit?: string
}

/** A TLS handshake with the edge, as a client saw it. */
export interface Handshake {
  kind: 'handshake'
  via: Via
  label: string
  authorized: boolean
  error?: string
  alpn: string | null
  protocol: string | null
  subjectAltNames: string[]
  validToMs: number | null
  chainLength: number
  host: string
}

/** A free HTTP exchange whose answer a check looks at by label. */
export interface Exchange {
  kind: 'exchange'
  label: string
  via: Via
  method: string
  path: string
  invokedAtMs: number
  status: number | null
  headers: Record<string, string>
  bytes: number
  error?: string
}

/** One event as a live reader received it. */
export interface Arrival {
  kind: 'arrival'
  mode: 'long-poll' | 'sse'
  via: Via
  stream: string
  actor: string
  record: string
  appendAckAtMs: number
  /** How many of the events' bytes came in one piece with later events: above 1 means buffered. */
  afterAckMs: number
}

export type FollowMode = 'catch-up' | 'long-poll' | 'sse'

/**
 * What happened to a reader that follows one stream to its end, by the offsets and cursors it is
 * told: `attached` (again), `received` records, was `refused` by an answer that no reader of a living
 * stream should get, `cut` (no answer, or half of one), `ended`.
 */
export interface Follow {
  kind: 'follow'
  /** `begun` is when it first asks. */
  what: 'begun' | 'attached' | 'received' | 'refused' | 'cut' | 'ended'
  reader: string
  mode: FollowMode
  via: Via
  stream: string
  incarnation: number
  /** Ids of whole records, in the order in which they came. */
  records?: string[]
  /** Bytes that are of no record, in words. */
  damaged?: string[]
  status?: number
  /** What a good status came without: names of headers, or of fields of an event. */
  lacks?: string[]
  error?: string
  /** Of `ended`: the stream said it was closed, the reader was at the tail, or it never got there. */
  at?: 'closed' | 'tail' | 'behind'
}

/**
 * One answer of a set that is asked for before and after an operator's routine, on streams that do
 * not change: nothing in it may change either.
 */
export interface Look {
  kind: 'look'
  /** Which of the sets; the first is what the others are held against. */
  group: string
  /** What was asked: 'text, from the start, long-poll'. */
  what: string
  via: Via
  status: number | null
  /** All of them, lower case. */
  headers: Record<string, string>
  /** Of the body as it was before any compression. */
  bytes: number
  sha256: string
  error?: string
}

/** What somebody without credentials was answered, where they are asked for. */
export interface Stranger {
  kind: 'stranger'
  what: string
  via: Via
  status: number | null
  /** Records in the body: each is one too many. */
  records: number
  error?: string
}

/** Every reader of a `follow` step is attached, or as many as were when the waiting was given up. */
export interface Followers {
  kind: 'followers'
  attached: number
  of: number
}

/** A stream of a copied data_dir: what its files hold, and what the server that opened the copy serves of it. */
export interface CopiedStream {
  kind: 'copied-stream'
  stream: string
  json: boolean
  closed: boolean
  /** A fork serves what it inherits before what is its own. */
  forked: boolean
  /** By its metadata and the clock it may be gone by now. */
  mayHaveExpired: boolean
  /** Null where its file is gone. */
  stored: {
    /** Where acknowledged data ends, and where the last whole message does, in bytes of the file. */
    committedBytes: number
    wholeBytes: number
    tornBytes: number
    damage: string | null
    committed: { messages: number; payloadBytes: number }
    whole: { messages: number; payloadBytes: number }
  } | null
  /** Null where no answer came; missing before the server was asked. */
  served?: { status: number; bytes: number; messages: number | null; upToDate: boolean; closed: boolean } | null
  error?: string
}

/** An operation of the client from npm, in a page of another origin or, as the control, in Node. */
export interface PageOperation {
  kind: 'page-operation'
  via: Via
  where: 'page' | 'node'
  /** Of the page, the browser; of Node, its version. */
  by: string
  operation: string
  streamKind: 'text' | 'json' | 'binary'
  /** What came out of it, in words that are the same where the same came out. */
  outcome: string
  /** Its answers: the names of the headers that could be read off each. */
  answers: { method: string; status: number; headers: string[] }[]
  /** What the browser kept from the page, in the browser's words. */
  kept?: string[]
}

/** A request that a page of another origin may send only if a preflight allows it. */
export interface PagePreflight {
  kind: 'page-preflight'
  via: Via
  method: string
  /** Null: the method alone. */
  header: string | null
  allowed: boolean
  /** Why not, in the browser's words. */
  because?: string
}

/** Pages of one browser that each hold a live read, and what the last of them could still do. */
export interface PageTabs {
  kind: 'page-tabs'
  via: Via
  /** 'http/1.1', 'h2', as the browser saw it. */
  protocol: string
  tabs: number
  /** How many live reads were answered within `waitMs`. */
  attached: number
  /** How long an append from the last tab took; null when it had no answer within `waitMs`. */
  appendMs: number | null
  waitMs: number
}

/** How a test of upstream's conformance suite ended, by one way. */
export interface ConformanceTest {
  kind: 'conformance'
  via: Via
  /** What was judged, where one scenario judges several: a variant of the origin, or 'plain'. */
  subject?: string
  /** Its full name, unique in the suite. */
  test: string
  state: 'passed' | 'failed' | 'skipped'
  /** From 1; from 2 on it had failed in each before. */
  attempt: number
  durationMs: number
  /** First line. */
  error?: string
}

/**
 * How a reader of a schedule reads: from an earlier offset, at the tail, live, the state alone, or
 * `offset=now`.
 */
export const readModes = ['history', 'tail', 'long-poll', 'sse', 'head', 'now'] as const
export type ReadMode = (typeof readModes)[number]

/** The headers of an answer that clients of the protocol read, and that a cache is to leave alone. */
export const headersOfAnAnswer = [
  'cache-control',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'location',
  'set-cookie',
  'stream-closed',
  'stream-cursor',
  'stream-expires-at',
  'stream-next-offset',
  'stream-sse-data-encoding',
  'stream-ttl',
  'stream-up-to-date',
  'vary',
] as const

/** In worlds that ask for it, the tap numbers each response of the origin by this header. */
export const responseNumberHeader = 'simulator-response'

/** What an answer says of its stream. An event stream says so again and again. */
export interface Claim {
  /** When it had arrived whole. */
  atMs: number
  /** Ids of the records that came since the claim before. */
  records: string[]
  /** Places where the bytes are not a whole record. */
  damaged: number
  nextOffset: string | null
  upToDate: boolean
  closed: boolean
}

/** What one reader of a schedule was answered; `atMs` is when it had all of it, or left. */
export interface Answer {
  kind: 'answer'
  /** Unique within a run, as operations are. */
  id: number
  actor: string
  stream: string
  via: Via
  mode: ReadMode
  /** The offset asked for: '-1' is the start. */
  fromOffset: string
  /** Path and query, as sent. */
  target: string
  invokedAtMs: number
  /** Null where no whole answer came; then `error` says why. */
  status: number | null
  error?: string
  headers: Record<string, string>
  /** One for an answer with a body or a state; those of an event stream in their order. Of a 304, what the reader had. */
  claims: Claim[]
  /** Number of the origin's response that this was made from, as the tap wrote into it; null without one. */
  upstream: number | null
  /** The ETag that the reader sent. */
  ifNoneMatch?: string
  credentials?: 'authorization' | 'cookie'
  /** Whether the reader went away before the answer's end. */
  left?: boolean
  /** Readers that asked for the same at the same time. */
  together?: string
}

/** One response of the origin, as it passed the tap. */
export interface Upstream {
  kind: 'upstream'
  /** The tap's number for it, as in `Answer.upstream`. */
  number: number
  stream: string
  method: string
  target: string
  /** What the request said of the one who asked. */
  asked: { authorization: boolean; cookie: boolean; ifNoneMatch?: string }
  askedAtMs: number
  headAtMs: number
  /** Null while it is open. */
  endedAtMs: number | null
  status: number
  headers: Record<string, string>
}

/** Nothing more comes of this stream: its history is whole, and may be judged. */
export interface EpisodeEnd {
  kind: 'episode'
  stream: string
}

/** A request of an access log, sent again: what it was answered then, and today. */
export interface Replayed {
  kind: 'replayed'
  method: string
  live: string | null
  stream: string
  /** 0 or 499: the client had left before the answer. */
  recordedStatus: number
  recordedMs: number
  /** Null where no answer came. */
  status: number | null
  tookMs: number
  error?: string
}

/** One reader of a client library meets one fault: what is expected of it, and how often the fault struck. */
export interface ClientCell {
  kind: 'client-cell'
  phase: 'begin' | 'end'
  /** Names the reader in all that is told of it. */
  cell: string
  stream: string
  fault: string
  /** On its first request, or on one that follows when it was reading already. */
  when: 'first' | 'reconnect'
  mode: 'long-poll' | 'sse' | 'auto'
  contentType: string
  /** What a careful application's onError makes of it: stop, or go on. */
  expects: 'stop' | 'retry'
  /** The library's name and version. */
  client: string
  /** The fault's Retry-After. */
  retryAfterMs?: number
  /** At the end: how often the fault struck, by the fault proxy's count. */
  struck?: number
}

/** What arrived from a client at the fault proxy. */
export interface ClientRequest {
  kind: 'client-request'
  cell: string
  what: 'request' | 'refused-connection' | 'cut' | 'no-upstream' | 'offset-went-back'
  mode?: 'catch-up' | 'long-poll' | 'sse'
  /** What it was answered instead of being passed on. */
  injectedStatus?: number
}

/** What an application saw of its client library. */
export interface ClientSaw {
  kind: 'client-saw'
  cell: string
  what: 'batch' | 'on-error' | 'ended' | 'resumed' | 'sent'
  records?: string[]
  damaged?: number
  status?: number
  error?: string
  /** What onError said. */
  returned?: 'stop' | 'retry'
}

/** What became of records that an application gave to a producer of its client library. */
export interface ClientWrite {
  kind: 'client-write'
  /** Of `client-writer-cases.ts`. */
  case: string
  stream: string
  writer: string
  /** The library's name and version. */
  client: string
  /** In the order in which they were appended. */
  records: string[]
  /** `acknowledged`: flushed without an error; `refused`: the server had the one record and said no. */
  outcome: 'acknowledged' | 'refused' | 'unclear'
  /** Another writer has claimed the producer id before. */
  isFenced?: true
  epoch: number
  errors: string[]
}

/** A client library was asked for the state of a stream that is there, or that is not. */
export interface ClientHead {
  kind: 'client-head'
  /** The library's name and version. */
  client: string
  stream: string
  isThere: boolean
  /** `none`: nothing had come when the waiting was given up. */
  outcome: 'state' | 'error' | 'none'
  status?: number
  error?: string
  /** How often the library asked the server. */
  requests: number
  tookMs: number
}

/** What the harness could not do; a check that needs it is `unknown`. */
export interface Shortfall {
  kind: 'shortfall'
  what: string
  because: string
}

/** A step's begin and end, for the timeline. */
export interface StepMark {
  kind: 'step'
  step: string
  label: string
  phase: 'begin' | 'end'
}

/** The run begins: what is known of it before its first scenario, so that it can be judged again. */
export interface RunBegin {
  kind: 'run'
  phase: 'begin'
  facts: GatheredFacts
}

/** The run's last event. A history without it is of a run that has not ended, or died. */
export interface RunEnd {
  kind: 'run'
  phase: 'end'
  /** Why it ended before its time; null for a whole run. */
  interruptedBecause: string | null
}

/** A scenario begins: what it asserts, as its file said then. */
export interface ScenarioBegin {
  kind: 'scenario'
  phase: 'begin'
  asserts: Assertions
}

/** A scenario is over, and whatever is still told of it later is not judged. */
export interface ScenarioEnd {
  kind: 'scenario'
  phase: 'end'
  /** Why it stopped before its last step, if it did; null for a whole scenario. */
  stoppedBecause: string | null
  /** What the subject lacks, where the scenario ended for that: its checks do not apply. */
  lacks?: string
}

export type EventBody =
  | RunBegin
  | RunEnd
  | ScenarioBegin
  | ScenarioEnd
  | Invoke
  | Outcome
  | Lifecycle
  | Sample
  | Samples
  | UsageLook
  | Retired
  | FaultEvent
  | DamagedRecord
  | RecordsGone
  | Crowd
  | Handshake
  | Exchange
  | Arrival
  | Follow
  | Followers
  | CopiedStream
  | ConformanceTest
  | Answer
  | Upstream
  | EpisodeEnd
  | Replayed
  | ClientCell
  | ClientRequest
  | ClientSaw
  | Look
  | Stranger
  | PageOperation
  | PagePreflight
  | PageTabs
  | ClientWrite
  | ClientHead
  | Shortfall
  | StepMark

/** `scenario` is empty for what belongs to the run as a whole. `seq` has no gaps in a run's files. */
export type HistoryEvent = EventBody & { seq: number; atMs: number; scenario: string }
