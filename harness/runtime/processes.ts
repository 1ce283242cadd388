/** The runtime of plain processes. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough, type Readable } from 'node:stream'
import { HarnessError } from '../errors.ts'
import { monotonicMs } from '../clock.ts'
import { OwnGroup, whyNoGroups } from './cgroups.ts'
import { runCommand } from './command.ts'
import { killUntilGone } from './ending.ts'
import type { EngineAddress } from './engine.ts'
import { launch, type OwnedProcess } from './owned-process.ts'
import { openPortLeases, type PortLeases } from './ports.ts'
import { loopbackBytesOf, runTag, taggedPids } from './process-table.ts'
import { createRunFolder, createTemporaryFolder, removeRunFolder } from './run-folder.ts'
import { mountDisk, whyNoDisk } from './disk.ts'
import { mountVolume, whyNoVolume } from './limited-volume.ts'
import type { Ability, CommandResult, Conversation, Disk, ImageRole, LimitedVolume, Program, Runtime, Service, StartOutcome } from './runtime.ts'
import { ServiceLog } from './service-log.ts'
import { startService } from './service-start.ts'
import { startSupervisor, type Supervision } from './supervision.ts'

export interface ProcessRuntimeOptions {
  /** Names the run in the tags of its processes and in its folder. Unique on the host. */
  runId: string
  /** Where the logs of all processes go; they outlive the run. */
  logsDir: string
  /** Temporary folders go here and stay, instead of being removed when the run ends. */
  keepIn?: string
  /**
   * When aborted, starts under way end with its reason, and what has not been stopped 2.5 s later is
   * killed. Closing the runtime is still the caller's.
   */
  signal?: AbortSignal
  /** The engine that the run's containers are in, if it has any: the supervisor removes them. */
  engine?: EngineAddress
}

/** What a runtime of containers needs of the host beside what every runtime offers. */
export interface HostRuntime extends Runtime {
  readonly runFolder: string
  /** The log of that name, or `<name>-2` while another program writes to it. */
  logOf(name: string): ServiceLog
}

const logLookEveryMs = 1_000
/** A service that does not stop, or a step that awaits its answer, shall not hold up an interrupted run. */
const killAfterAbortMs = 2_500
const stragglersMsMax = 10_000
const nameShape = /^[A-Za-z0-9][\w.-]{0,99}$/

/**
 * Opens the runtime of one run: its supervisor first, so that whatever happens from then on is
 * cleaned up. Dispose of it to end all processes and remove all temporary folders.
 * @throws UsageError when the folder for temporary data belongs to somebody else
 * @throws HarnessError when the supervisor does not come up
 */
export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<HostRuntime> {
  const runId = checkedName(options.runId)
  const logsDir = path.resolve(options.logsDir)
  for (const folder of [logsDir, options.keepIn]) if (folder !== undefined) await mkdir(folder, { recursive: true })
  const runFolder = await createRunFolder(runId)
  try {
    const logFile = path.join(logsDir, 'supervisor.log')
    const supervision = await startSupervisor({ runId, runFolder, logFile, ...(options.engine ? { engine: options.engine } : {}) })
    return new ProcessRuntime({ ...options, logsDir }, runFolder, supervision)
  } catch (error) {
    await removeRunFolder(runFolder)
    throw error
  }
}

function checkedName(name: string): string {
  if (!nameShape.test(name)) throw new HarnessError(`"${name}" cannot name a file.`)
  return name
}

class ProcessRuntime implements HostRuntime {
  readonly kind = 'processes'
  readonly fault: AbortSignal
  readonly nowMs = monotonicMs
  #runId: string
  #logsDir: string
  #signal: AbortSignal
  readonly runFolder: string
  #temporary: string
  #supervision: Supervision
  #ports: PortLeases = openPortLeases()
  #logs = new Map<string, ServiceLog>()
  #owned = new Set<OwnedProcess>()
  #lacks = new Map<Ability, Promise<string | null>>()
  #starts = 0
  #closing: Promise<void> | null = null
  #commands: Runtime['run'] = (...asked) => this.run(...asked)
  #logLooks: NodeJS.Timeout

  constructor(options: ProcessRuntimeOptions, runFolder: string, supervision: Supervision) {
    this.#runId = options.runId
    this.#logsDir = options.logsDir
    this.runFolder = runFolder
    this.#temporary = options.keepIn ?? runFolder
    this.#supervision = supervision
    this.fault = supervision.fault
    this.#signal = AbortSignal.any([this.fault, ...(options.signal ? [options.signal] : [])])
    this.#signal.addEventListener('abort', () => void setTimeout(() => void this.#killAll(), killAfterAbortMs).unref(), { once: true })
    this.#logLooks = setInterval(() => {
      for (const log of this.#logs.values()) log.keepBounded()
    }, logLookEveryMs).unref()
  }

  image(): null {
    return null
  }

  lacks(ability: Ability): Promise<string | null> {
    const known = this.#lacks.get(ability) ?? this.#tryAbility(ability)
    this.#lacks.set(ability, known)
    return known
  }

  async #tryAbility(ability: Ability): Promise<string | null> {
    if (ability === 'memory-limit' || ability === 'cpu-limit') return whyNoGroups()
    if (ability === 'disk') return whyNoDisk(this.#commands, await this.#ownFolder('trial-disk'))
    if (ability === 'limited-volume') return whyNoVolume(this.#commands, await this.#ownFolder('trial-volume'))
    return null
  }

  async limitedVolume(name: string, bytes: number): Promise<LimitedVolume> {
    return mountVolume(this.#commands, await this.#ownFolder(name), bytes)
  }

  async disk(name: string, bytes: number): Promise<Disk> {
    return mountDisk(this.#commands, await this.#ownFolder(name), bytes)
  }

  /** For what is mounted: below the run's folder, where the supervisor looks for it, also where data is kept elsewhere. */
  #ownFolder(name: string): Promise<string> {
    this.#checkOpen()
    return createTemporaryFolder(this.runFolder, name)
  }

  /** They listen on this host. */
  async reach(): Promise<void> {}

  async loopbackBytes(): Promise<number | null> {
    return loopbackBytesOf('self')
  }

  leasePort(): Promise<number> {
    this.#checkOpen()
    return this.#ports.lease()
  }

  temporaryFolder(name: string): Promise<string> {
    this.#checkOpen()
    return createTemporaryFolder(this.#temporary, name)
  }

  socketFolder(): Promise<string> {
    this.#checkOpen()
    return createTemporaryFolder(this.runFolder, 's')
  }

  async start(service: Service): Promise<StartOutcome> {
    this.#checkOpen()
    this.#signal.throwIfAborted()
    const log = this.logOf(service.logName ?? service.id)
    return startService(service, {
      log,
      signal: this.#signal,
      launch: () => this.#launch(service.id, service, ['ignore', log.descriptor, log.descriptor], log),
    })
  }

  async run(program: string, args: string[], options: Parameters<Runtime['run']>[2]): Promise<CommandResult> {
    this.#checkOpen()
    const { timeoutMs, env = commandEnvironment(), cwd } = options
    const owned = await this.#launch(path.basename(program), { program, args, env, cwd }, ['ignore', 'pipe', 'pipe'])
    return runCommand(owned, [program, ...args].join(' '), timeoutMs)
  }

  async runIn(role: ImageRole): Promise<CommandResult> {
    throw new HarnessError(`Processes have no image for ${role}.`)
  }

  async spawn(id: string, program: string, args: string[], env = commandEnvironment()): Promise<Program> {
    const { owned, log } = await this.#launchTalking(id, program, args, env)
    return { ...handles(owned), stdin: owned.child.stdin!, stdout: owned.child.stdout!, stderr: tee(owned.child.stderr!, log) }
  }

  async converse(id: string, program: string, args: string[], env = commandEnvironment()): Promise<Conversation> {
    const { owned, log } = await this.#launchTalking(id, program, args, env)
    const from = log.position()
    owned.child.stderr!.on('data', (chunk: Buffer) => log.append(chunk))
    const stdin = owned.child.stdin!
    return {
      ...handles(owned),
      write: (line) => void stdin.write(`${line}\n`),
      end: () => void stdin.end(),
      lines: createInterface({ input: owned.child.stdout! }),
      lastLogLines: async (linesMax) => log.linesBetween(from, log.position(), linesMax),
    }
  }

  async #launchTalking(id: string, program: string, args: string[], env: Record<string, string>) {
    this.#checkOpen()
    const log = this.logOf(id)
    log.note(`start of ${program}`)
    const owned = await this.#launch(id, { program, args, env }, ['pipe', 'pipe', 'pipe'], log)
    // A program that died cannot be written to; its exit tells.
    owned.child.stdin!.on('error', () => {})
    return { owned, log }
  }

  async #launch(
    name: string,
    what: { program: string; args: string[]; env: Record<string, string>; cwd?: string | undefined; limitable?: boolean },
    stdio: ('ignore' | 'pipe' | number)[],
    log?: ServiceLog,
  ): Promise<OwnedProcess> {
    if (what.cwd !== undefined && !existsSync(what.cwd)) {
      throw new HarnessError(`${name} cannot be started in ${what.cwd}: there is no such folder.`)
    }
    this.#starts += 1
    const owned = await launch({
      program: what.program,
      args: what.args,
      env: what.env,
      cwd: what.cwd,
      stdio,
      runId: this.#runId,
      serviceStart: `${this.#runId}/${name}/${this.#starts}`,
      group: what.limitable === true && (await this.lacks('memory-limit')) === null ? new OwnGroup(this.#runId, `${this.#starts}`) : null,
      onGroup: (group) => this.#supervision.tell({ group }),
      onGroupEnded: (ended) => this.#supervision.tell({ ended }),
    })
    this.#owned.add(owned)
    if (log) log.writers += 1
    const forget = () => {
      this.#owned.delete(owned)
      if (log) log.writers -= 1
    }
    owned.exited.then(forget, forget)
    return owned
  }

  logOf(name: string): ServiceLog {
    checkedName(name)
    for (let n = 1; ; n += 1) {
      const file = n === 1 ? name : `${name}-${n}`
      const log = this.#logs.get(file) ?? new ServiceLog(path.join(this.#logsDir, `${file}.log`))
      this.#logs.set(file, log)
      if (log.writers === 0) return log
    }
  }

  #checkOpen(): void {
    if (this.#closing) throw new HarnessError('This run is over: its runtime was closed.')
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await using ending = new AsyncDisposableStack()
    // Last registered, first done.
    ending.defer(() => this.#supervision.done())
    ending.defer(() => removeRunFolder(this.runFolder))
    ending.defer(() => this.#ports.release())
    ending.defer(() => this.#closeLogs())
    ending.defer(() => killUntilGone(() => taggedPids(runTag, this.#runId), `run ${this.#runId}`, stragglersMsMax))
    await this.#killAll()
  }

  async #killAll(): Promise<void> {
    await Promise.all([...this.#owned].map((owned) => owned.kill()))
  }

  #closeLogs(): void {
    clearInterval(this.#logLooks)
    for (const log of this.#logs.values()) log.close()
  }
}

/** What a small program of the harness's own needs; nothing of the caller's secrets. */
function commandEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/bin', LANG: 'C.UTF-8' }
}

function handles(owned: OwnedProcess): Pick<Program, 'exited' | 'kill' | 'usage'> {
  return { exited: owned.exited, kill: () => owned.kill(), usage: () => owned.usage() }
}

/** The same bytes for the caller; in the log they are even when the caller does not read. */
function tee(stream: Readable, log: ServiceLog): Readable {
  const copy = new PassThrough({ highWaterMark: 1024 ** 2 })
  stream.on('data', (chunk: Buffer) => {
    log.append(chunk)
    if (copy.writableLength < 1024 ** 2) copy.write(chunk)
  })
  stream.once('close', () => copy.end())
  return copy
}
