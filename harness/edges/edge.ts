/**
 * The edge: a cache between readers and origin. All that is one program's own (how it is found, how
 * its configuration is read and confined, how it is started and counted) stands in one folder behind
 * this interface; nothing outside of that folder knows which program it is.
 */
import type { EdgeFacts } from '../audits/edge-facts.ts'
import type { Place } from '../audits/finding.ts'
import type { Change } from '../confine/caddy-rules.ts'
import type { RunProgram } from '../confine/run-program.ts'
import type { Mutation } from '../mutation.ts'
import type { IdentityCache } from '../provision/identity-cache.ts'
import type { Missing } from '../provision/missing-tools.ts'
import type { Runtime, Service } from '../runtime/runtime.ts'
import type { CacheCounters, RoutineOutcome } from '../world.ts'

export interface Edge {
  /** As `--edge` takes it, and as its folders are called. */
  id: string
  /** As sentences call it: 'Varnish'. */
  name: string
  config: EdgeConfigKind
  image: EdgeImage
  /** Finds the program and what it needs beside it, or says what is missing. */
  find(search: ProgramSearch): Promise<ProvidedEdge | Missing>
  /**
   * Reads a configuration and lets the program itself say whether it is right. `workDir` is for
   * whatever that leaves.
   *
   * @throws UsageError in one sentence with file and line: unreadable, wrong, or not to be simulated
   */
  readConfig(program: ProvidedEdge, file: string, workDir: string): Promise<EdgeConfigRead>
  /** The file and all that it includes, by its text alone. @throws UsageError with `file:line` for what cannot be read */
  files(config: EdgeConfig): string[]
  /** The configuration confined to one world, and the service that runs with it. */
  prepare(place: EdgePlace): Promise<PreparedEdge>
  /**
   * What a configuration certainly does, read from its text alone, for the audits; `shown` names a place as the
   * user would. Missing for a program whose language is not read.
   *
   * @throws UsageError for what is no configuration of this program
   */
  facts?(config: EdgeConfig, shown: (place: Place) => Place): EdgeFacts
  /** Small changes to a configuration that some check should notice; `name` is the file's, for their ids. */
  mutations(name: string, source: string): Mutation[]
  /** Found in its log where the program itself broke down, and nothing that was seen then says anything. */
  brokeDown: RegExp
}

/** What the configuration of an edge is called and where the project's own ones are. */
export interface EdgeConfigKind {
  /** 'VCL': "the recommended VCL". */
  word: string
  /** From the project's root. */
  recommended: string
  /** The control: what the program does by itself, knowing nothing of Durable Streams. */
  stock: string
}

/** What holds the program in containers. */
export interface EdgeImage {
  name: string
  /** The public image. */
  tag: string
  /** Path of the program in it, and in the one made of `packages`. */
  program: string
  /** Debian's, with what the program calls. */
  packages: readonly string[]
  /** Paths in it of what is called beside the program, by name; as `ProvidedEdge.companions` has them. */
  companions: Readonly<Record<string, string>>
  /** Arguments with which the program tells its version. */
  versionArgs: readonly string[]
}

export interface ProgramSearch {
  env: NodeJS.ProcessEnv
  identities: IdentityCache
  /** Searched after PATH; default: where package managers put servers. */
  folders?: readonly string[] | undefined
  signal?: AbortSignal | undefined
}

export interface ProvidedEdge {
  path: string
  /** Three numbers, such as 7.1.1. */
  version: string
  sha256: string
  /** Paths of what is called beside it, by name. */
  companions: Readonly<Record<string, string>>
  /** How it is run over a file, by itself: on this host unless told (`onThisHost`), else in its image. */
  run?: RunProgram
}

export interface EdgeConfig {
  file: string
  source: string
}

export interface EdgeConfigRead extends EdgeConfig {
  /** The file and all that it includes. */
  files: readonly string[]
}

export interface EdgePlace {
  /** Of the service. */
  id: string
  program: ProvidedEdge
  config: EdgeConfig
  /** Loopback ports: where it listens, and the only one that it may ask. */
  port: number
  upstreamPort: number
  /** For the program's management, where the world is operated while it runs; null where it is not. */
  managementPort?: number | null
  /** The program's working folder; it is removed after the run. */
  folder: string
  /** For the confined configuration, which stays with the run. */
  configFolder: string
}

export interface PreparedEdge {
  service: Service
  /** What confinement changed in the file. */
  changes: readonly Change[]
  /** Arguments with which the program tells its version. */
  versionArgs: string[]
  /** Its own counts since its start; null where it does not tell any. */
  counters(runtime: Runtime): Promise<CacheCounters | null>
  /** What an operator can do to it while it runs; what is missing it cannot. */
  routines?: { [K in EdgeRoutine]?: (runtime: Runtime) => Promise<RoutineOutcome> }
}

export type EdgeRoutine = 'cache-flush' | 'cache-configuration'
