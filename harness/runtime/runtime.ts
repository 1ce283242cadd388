/**
 * What every runtime (plain processes, containers) can do. Scenarios, checks and faults never see
 * more than this: no pid, no signal number, no container id.
 */
import type { Readable, Writable } from 'node:stream'

/** A signal a service can be stopped with; a value, so that it can stand in a scenario. */
export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGUSR1' | 'SIGABRT'

/** How a service shows that it is ready. A value, judged by the runtime, always against a deadline. */
export type ReadyProbe =
  /** An HTTP/1.1 request to the service's own port is answered with one of `statuses`. */
  | { kind: 'http'; port: number; path: string; method: 'GET' | 'HEAD' | 'OPTIONS'; statuses: number[]; host?: string }
  /** The port accepts a connection. */
  | { kind: 'tcp'; port: number }
  /** What it wrote since this start, on stdout or stderr, contains `text`. */
  | { kind: 'line'; text: string }

/** What a program is, where it has to be put into a container: which image holds it. */
export type ImageRole = 'origin' | 'edge' | 'caddy' | 'node'

/** What a hop's program came in, for the report. */
export interface ImageIdentity {
  reference: string
  /** 'sha256:…' of the image's content. */
  id: string
  /** Of the program it was made around; null where it came with a program of its own. */
  programSha256: string | null
}

/** A service as a value: what to run, where it listens, when it is ready, how it stops. */
export interface Service {
  /** Unique within a run: the name of its log. */
  id: string
  /** Name of its log; the id where it is not given. Worlds that run side by side need one each. */
  logName?: string
  program: string
  /** Where it runs in a container, the image; a runtime of processes takes `program` as it is. */
  image: ImageRole
  /** It runs on this host in every runtime: no hop, but a client of the hops (the browser). */
  onHost?: true
  args: string[]
  /** The whole environment: nothing is inherited but what stands here. */
  env: Record<string, string>
  cwd: string
  /**
   * Loopback TCP ports this service listens on. The runtime verifies, where the host can tell, that
   * the listening socket belongs to this very service and to it alone: with SO_REUSEPORT a
   * forgotten server would silently share the port.
   */
  ports: number[]
  ready: ReadyProbe
  readyWithinMs: number
  stopSignal: StopSignal
  /** After this long without exit the stop becomes a kill, and says so. */
  stopGraceMs: number
  /** Sent before a kill of a start that hangs, so that the log holds the process's stacks (Go: SIGABRT,
   * since Caddy itself takes SIGQUIT for a quick end). */
  stackSignal?: StopSignal
  /** Its memory and processors will be limited while it runs: what it takes is counted from its start. */
  limitable?: boolean
}

/** How a service ended. */
export interface Exit {
  code: number | null
  signal: string | null
  atMs: number
  /** Asked for by stop() or kill(); everything else is a crash. */
  expected: boolean
}

/** What a service costs at one moment, summed over its processes. */
export interface Usage {
  rssBytes: number
  /** Of that, what is neither of a file nor shared: what a leak makes grow. */
  ownBytes: number
  openFiles: number
  /** Descriptors that are regular files below the service's data folder, if it was given one. */
  openDataFiles: number
  threads: number
  /** Of processor time, since they were started, with that of children which have ended; to 10 ms. */
  cpuMs: number
  processes: number
  /** From and to disks, since they were started, as the kernel charges it to them. */
  diskReadBytes: number
  diskWrittenBytes: number
  /** By all their read and write calls since then: network, files and pipes together. No kernel tells the network's part by process. */
  readBytes: number
  writtenBytes: number
  /** The limit on open files of its most constrained process. */
  openFilesMax: number
}

export type StartOutcome =
  | { ready: true; readyMs: number; running: Running }
  | {
      ready: false
      /** One sentence: it exited (with what), its port was taken (by what), or the deadline passed. */
      because: string
      reason: 'exited' | 'port-taken' | 'deadline' | 'not-started'
      waitedMs: number
      exit: Exit | null
      /** The last lines it logged, with the stacks where they could be had. */
      lastLogLines: string[]
    }

export interface Running {
  readonly id: string
  readonly exited: Promise<Exit>
  isRunning(): boolean
  /** Asks it to stop and waits; a stop that outlasts its grace becomes a kill, and `killed` says so. */
  stop(options?: { signal?: StopSignal; graceMs?: number }): Promise<{ exit: Exit; tookMs: number; killed: boolean }>
  /** SIGKILL to all of its processes. */
  kill(): Promise<Exit>
  pause(): Promise<void>
  resume(): Promise<void>
  /** From now on. Throws HarnessError for a service that was not started with `limitable`, or where limits are lacking. */
  limit(limits: Limits): Promise<void>
  limitCounters(): Promise<LimitCounters>
  /** Descriptors and memory now; `dataDir` names the folder whose open files are counted apart. */
  usage(dataDir?: string): Promise<Usage>
  lastLogLines(linesMax: number): Promise<string[]>
  readonly logFile: string
}

/** A short program that runs to its end, for counters and compilers. */
export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
}

/** A program the harness talks to over its standard streams (the fleet). */
export interface Program {
  readonly stdin: Writable
  readonly stdout: Readable
  /** Kept in the run's logs as well, whether it is read or not. */
  readonly stderr: Readable
  readonly exited: Promise<Exit>
  kill(): Promise<Exit>
  usage(): Promise<Usage>
}

/** A program the harness talks to line by line (the tap). What it says on stderr is in its log. */
export interface Conversation {
  write(line: string): void
  /** Ends its standard input, which asks such a program to end. */
  end(): void
  /** For one reader. A line longer than 64 MiB is a HarnessError. */
  readonly lines: AsyncIterable<string>
  readonly exited: Promise<Exit>
  kill(): Promise<Exit>
  usage(): Promise<Usage>
  lastLogLines(linesMax: number): Promise<string[]>
}

/** What a fault may need. A runtime lacks some; a scenario whose fault needs one of them is `unknown`. */
export type Ability =
  | 'kill'
  | 'pause'
  | 'usage'
  /** A folder on a file system of its own, of a size of its own. */
  | 'limited-volume'
  /** A folder on a disk of its own, whose power can be cut. */
  | 'disk'
  /** Of a service that was started with `limitable`. */
  | 'memory-limit'
  | 'cpu-limit'

/** What a running service may use; null for no limit of the run's own. */
export interface Limits {
  memoryBytes?: number | null
  /** Processors, in parts: 0.5 is half of one. */
  cpus?: number | null
}

/** What the kernel counted of a service's limits, all since its start. */
export interface LimitCounters {
  memoryBytes: number
  memoryPeakBytes: number
  /** Times that it ran into its memory limit. */
  memoryHits: number
  /** Periods in which it had used up its share of the processors. */
  cpuThrottled: number
}

/** A folder on a file system of its own: it can be full while everything else has room. */
export interface LimitedVolume {
  readonly path: string
  /** What a program may still write. */
  freeBytes(): Promise<number>
  /** Writes until nothing fits any more. */
  fill(): Promise<void>
  /** Takes away what fill() wrote. */
  drain(): Promise<void>
}

/** A folder on a disk of its own: what was written and not forced to it (fsync(2)) is lost when its power is cut. */
export interface Disk extends AsyncDisposable {
  readonly path: string
  /** From now on it holds what had reached it. Nothing may run on it meanwhile; what is opened anew is on the disk. */
  cutPower(): Promise<PowerCut>
}

/** Of two files of the harness's own on a disk, after its power was cut. */
export interface PowerCut {
  /** The one that was forced to it is there. */
  kept: boolean
  /** The one that was not is gone. */
  lost: boolean
  /** Of either. */
  canaryBytes: number
}

export interface Runtime extends AsyncDisposable {
  readonly kind: 'processes' | 'containers'
  /** Why it does not offer this here, as a clause; null when it does. Tried once, when it is first asked. */
  lacks(ability: Ability): Promise<string | null>
  /**
   * Aborted, with a HarnessError as its reason, when the run can no longer be cleaned up for certain
   * (its supervisor died). The run has to end then.
   */
  readonly fault: AbortSignal
  /** What holds the programs of this role; null where they are the host's own. */
  image(role: ImageRole): ImageIdentity | null
  /** Monotonic milliseconds on the clock all of the run's times are told in (CLOCK_MONOTONIC). */
  nowMs(): number
  /** A loopback TCP port that is free and leased to this run until it ends. */
  leasePort(): Promise<number>
  /** A folder for a world's temporary data; removed when the run ends, however it ends. */
  temporaryFolder(name: string): Promise<string>
  /**
   * A folder for Unix sockets, with a short path whatever the world is called and wherever its data is kept: that
   * of a socket may have 107 bytes (unix(7)). Removed when the run ends.
   */
  socketFolder(): Promise<string>
  /** As temporaryFolder, but of this size and on its own. Throws HarnessError where that is lacking. */
  limitedVolume(name: string, bytes: number): Promise<LimitedVolume>
  /** As temporaryFolder, but on a disk of its own, of this size. Throws HarnessError where that is lacking. */
  disk(name: string, bytes: number): Promise<Disk>
  /** Makes loopback ports of a program that was spawned reachable for the harness, for the rest of the run. */
  reach(ports: number[]): Promise<void>
  /**
   * Bytes that passed the loopback device the run's services meet on, since it came up. Of containers it is the
   * run's own; that of processes is the host's, and counts what else runs there. Null where it cannot be read.
   */
  loopbackBytes(): Promise<number | null>
  /** Starts a service and waits until it is ready, has exited, or its deadline passed. Never throws for the service's faults. */
  start(service: Service): Promise<StartOutcome>
  /**
   * Runs a short program to its end. Throws HarnessError past `timeoutMs`. `beside` names a running
   * service whose surroundings it needs: in containers, the program of that name in its container.
   */
  run(program: string, args: string[], options: { timeoutMs: number; env?: Record<string, string>; cwd?: string; beside?: string }): Promise<CommandResult>
  /**
   * Runs the program of an image to its end, with nothing of a world around it: a compiler, an adapter.
   * Throws HarnessError past `timeoutMs`, and where `image(role)` is null: there the host's own is to be run.
   */
  runIn(role: ImageRole, args: string[], options: { timeoutMs: number; env?: Record<string, string>; cwd?: string }): Promise<CommandResult>
  /** Starts a program the harness talks to over its standard streams. Throws HarnessError when there is none. */
  spawn(id: string, program: string, args: string[], env?: Record<string, string>): Promise<Program>
  /** Starts a program the harness talks to line by line. Throws HarnessError when there is none. */
  converse(id: string, program: string, args: string[], env?: Record<string, string>): Promise<Conversation>
}
