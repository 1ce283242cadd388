/**
 * One program started by a run, with all of its processes: a process group of its own, tagged by
 * environment variables that its children inherit, so that those that leave the group are found.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { HarnessError } from '../errors.ts'
import { settlesWithin, until } from '../until.ts'
import { monotonicMs } from '../clock.ts'
import { killUntilGone } from './ending.ts'
import { familyOf, groupPids, isStopped, runTag, serviceTag, signalQuietly, taggedPids, usageOf } from './process-table.ts'
import type { Owned } from './owned.ts'
import type { OwnGroup } from './cgroups.ts'
import type { Exit, LimitCounters, Limits, StopSignal, Usage } from './runtime.ts'

const killMsMax = 10_000
const pauseMsMax = 2_000

export interface Launch {
  runId: string
  /** Which start of which program this is; unique within the run. */
  serviceStart: string
  program: string
  args: string[]
  env: Record<string, string>
  cwd?: string | undefined
  stdio: StdioOptions
  /** For one that is to be limited. */
  group: OwnGroup | null
  /** Told of the group as soon as it exists, and when nothing is left of it. */
  onGroup(group: number): void
  onGroupEnded(group: number): void
}

/** Starts a program. @throws HarnessError when there is no such program or it may not be run */
export async function launch(options: Launch): Promise<OwnedProcess> {
  const child = spawn(options.program, options.args, {
    detached: true,
    stdio: options.stdio,
    env: { ...options.env, [runTag]: options.runId, [serviceTag]: options.serviceStart },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  if (child.pid === undefined) {
    const error = await new Promise<Error>((resolve) => child.once('error', resolve))
    throw new HarnessError(`${options.program} cannot be started: ${error.message}`)
  }
  return new OwnedProcess(child, child.pid, options)
}

export class OwnedProcess implements Owned {
  readonly child: ChildProcess
  /** The main process has ended. Its other processes may still be there. */
  readonly mainExited: Promise<Exit>
  /** The main process has ended, and nothing of it is left: no process, no listener. */
  readonly exited: Promise<Exit>
  #pid: number
  #serviceStart: string
  #group: OwnGroup | null
  #exit: Exit | null = null
  #asked: 'no' | 'stop' | 'kill' = 'no'

  constructor(child: ChildProcess, pid: number, options: Launch) {
    this.child = child
    this.#pid = pid
    this.#serviceStart = options.serviceStart
    this.#group = options.group
    // A few pages of the program were taken before; nothing of what it will have.
    options.group?.add(pid)
    options.onGroup(pid)
    // A failed write or signal; the exit tells the rest.
    child.on('error', () => {})
    this.mainExited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#exit = { code, signal, atMs: monotonicMs(), expected: this.#wasExpected(signal) }
        resolve(this.#exit)
      })
    })
    this.exited = this.mainExited.then(async (exit) => {
      await this.#endTheRest()
      options.group?.remove()
      options.onGroupEnded(pid)
      return exit
    })
    // Whoever awaits the exit hears of a failure to end the rest; nobody has to.
    this.exited.catch(() => {})
  }

  /** Dead of SIGKILL after kill(); anything else there means that it had crashed by itself before. */
  #wasExpected(signal: NodeJS.Signals | null): boolean {
    return this.#asked === 'stop' || (this.#asked === 'kill' && signal === 'SIGKILL')
  }

  get exit(): Exit | null {
    return this.#exit
  }

  /** All living processes: the main one, its descendants, and those found by their tag. */
  pids(): number[] {
    return [...new Set([...familyOf(this.#pid), ...taggedPids(serviceTag, this.#serviceStart)])]
  }

  /** Signals the main process; its exit is expected from then on. */
  askToEnd(signal: StopSignal): void {
    if (this.#exit !== null) return
    this.#asked = 'stop'
    signalQuietly(this.#pid, signal)
  }

  /** SIGKILL to all processes at once; resolves when none is left. */
  kill(): Promise<Exit> {
    if (this.#exit === null) {
      if (this.#asked === 'no') this.#asked = 'kill'
      this.#killNow()
    }
    return this.exited
  }

  #killNow(): void {
    // Descendants that cleared their environment and left the group are known only as long as their
    // parents live.
    const strays = familyOf(this.#pid).filter((pid) => pid !== this.#pid)
    signalQuietly(-this.#pid, 'SIGKILL')
    for (const pid of strays) signalQuietly(pid, 'SIGKILL')
  }

  /** Signals the main process and waits for its exit; past `graceMs` it kills. */
  async stop(signal: StopSignal, graceMs: number): Promise<{ exit: Exit; tookMs: number; killed: boolean }> {
    const askedAtMs = monotonicMs()
    this.askToEnd(signal)
    const inTime = await this.exitedWithin(graceMs)
    if (!inTime) this.#killNow()
    const exit = await this.exited
    return { exit, tookMs: exit.atMs < askedAtMs ? 0 : monotonicMs() - askedAtMs, killed: !inTime }
  }

  /** True when the main process ended within this time. */
  exitedWithin(timeoutMs: number): Promise<boolean> {
    return settlesWithin(this.mainExited, timeoutMs)
  }

  async #endTheRest(): Promise<void> {
    signalQuietly(-this.#pid, 'SIGKILL')
    const find = () => [...groupPids(this.#pid), ...taggedPids(serviceTag, this.#serviceStart)]
    await killUntilGone(find, this.#serviceStart, killMsMax)
  }

  /** Stops all processes in their tracks; resolves when the kernel has. */
  async pause(): Promise<void> {
    if (this.#exit !== null) throw new HarnessError(`${this.#serviceStart} has ended and cannot be paused.`)
    const allStopped = () => {
      const moving = this.pids().filter((pid) => !isStopped(pid))
      for (const pid of moving) signalQuietly(pid, 'SIGSTOP')
      return moving.length === 0
    }
    await until(allStopped, {
      for: `${this.#serviceStart} to be paused`,
      timeoutMs: pauseMsMax,
      everyMs: 1,
    })
  }

  async resume(): Promise<void> {
    for (const pid of this.pids()) signalQuietly(pid, 'SIGCONT')
  }

  async limit(limits: Limits): Promise<void> {
    if (this.#group === null) throw new HarnessError(`${this.#serviceStart} was not started to be limited.`)
    try {
      this.#group.limit(limits)
    } catch (error) {
      throw new HarnessError(`${this.#serviceStart} cannot be limited to ${JSON.stringify(limits)}: ${(error as Error).message}`)
    }
  }

  async limitCounters(): Promise<LimitCounters> {
    if (this.#group === null) throw new HarnessError(`${this.#serviceStart} was not started to be limited.`)
    return this.#group.counters()
  }

  usage(dataDir?: string): Promise<Usage> {
    return usageOf(this.pids(), dataDir)
  }
}
