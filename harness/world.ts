/**
 * A world: the hops of one scenario, each started as a service of the runtime, with the counting
 * tap in front of the origin. Steps address hops by id; how they run is the runtime's business.
 */
import type { StoredStream } from './data-dir/inspect.ts'
import type { Damage, FlippedByte, SoughtRecord } from './data-dir/flip-a-byte.ts'
import type { LeftBehind } from './data-dir/leave-a-crash.ts'
import type { Crowd, HopId, LinkId, Upstream, UsageLook, Via } from './history.ts'
import type { Endpoint } from './operations.ts'
import type { LinkCounters, LinkState } from './services/tap/link.ts'
import type { Conversation, Disk, LimitCounters, LimitedVolume, Limits, StartOutcome, StopSignal, Usage } from './runtime/runtime.ts'
import type { HopIdentity } from './report/result.ts'
import type { HostCapacity } from './load/fleet/limits.ts'
import type { ClientProgram } from './load/client/launch.ts'
import type { FaultProxy } from './services/fault-proxy/fault-proxy-client.ts'
import type { FleetPlan } from './load/fleet/plan.ts'

/** Settings of the origin a scenario may change, to compress time or to put it under pressure. */
export interface OriginSettings {
  maxFileHandles?: number
  longPollTimeoutMs?: number
  sseReconnectMs?: number
  /** Ids of variants that are switched on: `harness/variants/`. */
  variants?: string[]
}

/** What a scenario needs of its world. */
export interface WorldNeeds {
  hops: HopId[]
  origin?: OriginSettings
  /** The cache with its stock configuration, whatever is judged. */
  edge?: 'stock'
  /** A browser, where one can be had. */
  browser?: true
  /** The origin's first start is on a copy of the data_dir that the user gave. */
  copiedDataDir?: boolean
  /** The tap numbers each response of the origin, so that answers can be traced to it. */
  numbersResponses?: boolean
  /** Clients come through the fault proxy, on both sides of the TLS edge. */
  faultProxy?: true
  /** The origin is to tell its own figures, by its admin API. */
  figures?: boolean
  /** An operator is at work: cache and TLS edge can be commanded while they run. */
  operated?: boolean
  /** Links beside the one between edge and origin, which is always there, that faults are to act on. */
  links?: LinkId[]
  /** data_dir gets a volume of its own, of this size. */
  dataVolumeBytes?: number
  /** data_dir lies on a disk of its own, of this size, whose power can be cut. */
  dataDiskBytes?: number
  /** Hops whose memory or processors faults are to limit. */
  limited?: HopId[]
}

/** What an operator does on an ordinary day. */
export type Routine =
  /** The origin is given its configuration again: the same, the same with force, or changed. */
  | { kind: 'reload'; settings: OriginSettings; force: boolean }
  /** The TLS edge is given another certificate of the same authority. */
  | { kind: 'certificate-replacement' }
  /** Everything is thrown out of the cache. */
  | { kind: 'cache-flush' }
  /** The cache is given its configuration anew while it runs. */
  | { kind: 'cache-configuration' }

export interface RoutineOutcome {
  /** A counter shows it. */
  proven: boolean
  /** What it shows, as a part of a sentence. */
  proof: string
  /** The program's own words, where it would not do it. */
  refused?: string
}

/** What this origin can do; checks decide applicability from these, never from who it is. */
export interface OriginCapabilities {
  /** Keeps streams on disk. */
  dataDir: boolean
  /** Has a bounded pool of file handles, and its setting. */
  maxFileHandles: number | null
  longPollTimeoutMs: number
  sseReconnectMs: number
  /** Variants that can be switched on. */
  variants: 'every' | readonly string[]
  /** Takes a changed configuration while it runs. */
  reload: boolean
  /** Path prefix under which streams live, with slashes at both ends. */
  streamBase: string
}

export interface TapCounts {
  /** Requests that reached the origin since the mark, by method and request target. */
  requests: { method: string; target: string; count: number; firstAtMs: number; lastAtMs: number }[]
  total: number
  /** Why the counts may be short; empty where they are whole. */
  doubt: string
}

export interface CacheCounters {
  /** Requests that it has put aside, at this moment, to wait for the answer to another one. */
  waiting: number
  fetches: number
  hits: number
  misses: number
  /** What it holds now; missing where the cache does not tell. */
  objects?: number
  storedBytes?: number
  bans?: number
}

/** What the origin tells of itself. */
export interface OriginFigures {
  /** What was still in use after the last collection of garbage, about. */
  heapBytes: number
  goroutines: number
}

/** A browser that runs, to be driven by the DevTools protocol; or why there is none. */
export type WorldBrowser = { devtoolsUrl: string; version: string } | { missing: string }

export type Milestone = 'connected' | 'sent' | 'open'

/** What a crowd's readers saw, summed up; each reader's own figures are in the columns file. */
export interface CrowdFigures {
  outcomes: Record<string, number>
  statuses: Record<string, number>
  /** Distinct body hashes (hex) with their number of readers. */
  hashes: Record<string, number>
  /** For each captured header its distinct values with their number of readers. */
  headers: Record<string, Record<string, number>>
  connectMs: number
  firstSentAtMs: number
  lastSentAtMs: number
  lastFirstByteAtMs: number
  /** Quantiles of the readers' last byte, [quantile 0..1, monotonic ms]. */
  lastByteAtMs: [number, number][]
  columnsFile: string
  /** The fleet's memory a reader. */
  readerBytes: number
}

/** A link between two hops, for faults. What it did is counted since the world was opened. */
export interface WorldLink {
  /** From now on; the counters as they were at that moment. */
  set(state: LinkState): Promise<LinkCounters>
  counters(): Promise<LinkCounters>
}

/** Limits of a running hop. */
export interface HopLimits {
  set(limits: Limits): Promise<void>
  counters(): Promise<LimitCounters>
}

export interface HopPaused {
  /** Processor time that its processes used since it was paused. */
  cpuMs(): Promise<number>
  resume(): Promise<void>
}

export interface World extends AsyncDisposable {
  has(hop: HopId): boolean
  readonly capabilities: OriginCapabilities
  readonly identities: HopIdentity[]
  endpoint(via: Via): Endpoint
  /** Whether there is such a way: not every TLS edge has a plain side, few origins end TLS themselves. */
  reaches(via: Via): boolean
  start(hop: HopId, settings?: OriginSettings): Promise<StartOutcome>
  stop(hop: HopId, options?: { signal?: StopSignal; graceMs?: number }): Promise<{ tookMs: number; killed: boolean; code: number | null }>
  kill(hop: HopId): Promise<void>
  /** Carries out an operator's routine. Throws CapabilityMissing where the hop cannot do it. */
  operate(routine: Routine): Promise<RoutineOutcome>
  /** Looks whether a variant that is switched on can be seen to be on; `streamPath` is that of any stream. */
  traceOf(variant: string, streamPath: string): Promise<RoutineOutcome>
  pause(hop: HopId): Promise<HopPaused>
  limits(hop: HopId): HopLimits
  link(id: LinkId): WorldLink
  /** Throws HarnessError where `dataVolumeBytes` was not asked for. */
  dataVolume(): LimitedVolume
  /** Throws HarnessError where `dataDiskBytes` was not asked for. */
  dataDisk(): Disk
  usage(hop: HopId): Promise<Usage | null>
  /** What everything that runs of it uses now, without its data files told apart. */
  usages(): Promise<Omit<UsageLook, 'kind'>>
  /** Starts a second origin on the same data_dir, or on the same port; it is stopped again. */
  startSecond(on: 'data-dir' | 'port'): Promise<{ outcome: StartOutcome; logLines: string[] }>
  lastLogLines(hop: HopId, linesMax: number): Promise<string[]>
  markTap(): Promise<number>
  tapSince(mark: number): Promise<TapCounts>
  tapInFlight(targetPrefix: string): Promise<number>
  /** The origin's responses for a path, as they passed the tap: each told once. `forgotten` were too many to keep. */
  tapResponses(path: string): Promise<{ responses: Omit<Upstream, 'kind' | 'stream'>[]; forgotten: number }>
  cacheCounters(): Promise<CacheCounters | null>
  /** Bytes on disk below data_dir (allocated blocks), or null without one. */
  dataDirBytes(): Promise<number | null>
  /** Null where the origin, or its configuration, tells nothing. */
  originFigures(): Promise<OriginFigures | null>
  /** From its next start on the origin has an empty data_dir; the old one stays as it is. */
  replaceDataDir(): void
  /**
   * Leaves in the data_dir of the origin, which is down, what a crash leaves in the middle of the append of
   * `data` to the stream whose file holds `mark`. Null where there is none.
   */
  leaveACrash(mark: string, data: Buffer, written: 'half' | 'whole'): Promise<LeftBehind | null>
  /** Changes a byte in the data_dir of the origin, which is down, where this record lies. Null where it does not. */
  flipAByte(sought: SoughtRecord, damage: Damage): Promise<FlippedByte | null>
  /** Ids of those of these records that stand whole in a file of the origin's data_dir. */
  recordsOnDisk(sought: readonly SoughtRecord[]): Promise<ReadonlySet<string>>
  /** The streams of the copied data_dir, as its files have them; empty in every other world. */
  readonly storedStreams: readonly StoredStream[]
  /** Where things lie, for a person who looks; null for what there is none of. The socket may have nobody behind it. */
  places(): { dataDir: string | null; adminSocket: string | null; caFile: string | null }
  /** Throws HarnessError in a world without one. */
  faultProxy(): FaultProxy
  /** Starts readers with the real client library, in a process of their own; the caller closes it. */
  startClient(): Promise<ClientProgram>
  /** Runs the reader fleet; `onMilestone` is told when all readers passed it. */
  readers(plan: FleetPlan, onMilestone: (milestone: Milestone) => void): Promise<CrowdFigures>
  /** The world's browser, started when it is asked for the first time. */
  browser(): Promise<WorldBrowser>
  /** Starts one of the harness's own programs (a file for Node) where the hops run, to talk to it. */
  converse(id: string, file: string, args: string[]): Promise<Conversation>
  /** How many readers the fleet, the hops on this way and the kernel have room for, and what would run out. */
  crowdLimit(way: Crowd['path']): Promise<HostCapacity>
}
