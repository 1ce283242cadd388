/** One container started by a run: what launch() is to processes. */
import { constants, totalmem } from 'node:os'
import { PassThrough, type Duplex } from 'node:stream'
import { HarnessError } from '../errors.ts'
import { monotonicMs } from '../clock.ts'
import { settlesWithin, within } from '../until.ts'
import type { ContainerClient, Docker } from './engine.ts'
import type { Owned } from './owned.ts'
import { groupCountersOf } from './cgroups.ts'
import { familyOf, usageOf } from './process-table.ts'
import type { Exit, LimitCounters, Limits, StopSignal, Usage } from './runtime.ts'
import type { ServiceLog } from './service-log.ts'

type Container = Awaited<ReturnType<ContainerClient['create']>>
export type ContainerPlan = Parameters<ContainerClient['create']>[0]

/** The engine gives out the end of a log a moment after the container's end. */
const logEndMsMax = 2_000
/** What an engine says of a container that is not running, or gone. */
const overCodes = new Set([304, 404, 409])
/** As Podman says it, with a 500. */
const overWords = /container state improper|can only kill running containers/
const periodUs = 100_000
/** A program ended by a signal is told by its number above this one, as a shell would. */
const signalBase = 128
const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

export interface ContainerLaunch {
  docker: Docker
  plan: ContainerPlan
  stopSignal: StopSignal
  /** Where its output goes. For one that is talked to, what it says on stderr. */
  log: ServiceLog
  /** With standard input and output for the harness. */
  talks?: boolean
  /** Done when it has ended, before that is told. */
  onEnded?(): Promise<void>
}

/** Creates and starts a container. @throws HarnessError in the engine's words; nothing is left then */
export async function launchContainer(options: ContainerLaunch): Promise<OwnedContainer> {
  const { docker, plan } = options
  const container = await docker.createContainer(plan).catch((error: unknown) => refused(plan, error))
  try {
    const talk = options.talks ? await attach(docker, container, options.log) : null
    const startedAtMs = monotonicMs()
    await container.start()
    const { State } = await container.inspect()
    return new OwnedContainer(container, { startedAtMs, initPid: State.Pid, talk }, options)
  } catch (error) {
    await container.remove({ force: true, v: true }).catch(unlessOver)
    return refused(plan, error)
  }
}

function refused(plan: ContainerPlan, error: unknown): never {
  throw new HarnessError(`${plan.Entrypoint?.[0] ?? plan.Image} cannot be started in a container: ${(error as Error).message.trim()}`)
}

function unlessOver(error: unknown): void {
  const { statusCode = 0, message } = error as Error & { statusCode?: number }
  if (!overCodes.has(statusCode) && !overWords.test(message)) throw error
}

interface Talk {
  stdin: Duplex
  stdout: PassThrough
  stderr: PassThrough
}

async function attach(docker: Docker, container: Container, log: ServiceLog): Promise<Talk> {
  const stdin = await hijack(docker, container)
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  docker.modem.demuxStream(stdin, stdout, stderr)
  const end = () => {
    stdout.end()
    stderr.end()
  }
  stdin.once('close', end).once('end', end).on('error', end)
  stderr.on('data', (chunk: Buffer) => log.append(chunk))
  return { stdin, stdout, stderr }
}

/** dockerode's attach, but without a body: Podman takes that for the first of what is said to the program. */
export function hijack({ modem }: Docker, { id }: Container): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
  const asked = {
    path: `/containers/${id}/attach?`,
    method: 'POST',
    isStream: true,
    hijack: true,
    file: Buffer.alloc(0),
    options: { stream: true, stdin: true, stdout: true, stderr: true },
    statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
  }
  modem.dial(asked, (error: Error | null, stream: unknown) => (error ? reject(error) : resolve(stream as Duplex)))
  return promise
}

interface Started {
  startedAtMs: number
  initPid: number
  talk: Talk | null
}

export class OwnedContainer implements Owned {
  readonly startedAtMs: number
  readonly mainExited: Promise<Exit>
  readonly exited: Promise<Exit>
  /** For one that is talked to. */
  readonly talk: Talk | null
  #container: Container
  /** The engine's small init, parent of the program and heir of its orphans. */
  #initPid: number
  #stopSignal: StopSignal
  #name: string
  #exit: Exit | null = null
  #asked: 'no' | 'stop' | 'kill' = 'no'

  constructor(container: Container, { startedAtMs, initPid, talk }: Started, options: ContainerLaunch) {
    this.#container = container
    this.startedAtMs = startedAtMs
    this.#initPid = initPid
    this.#stopSignal = options.stopSignal
    this.#name = options.plan.name ?? container.id
    this.talk = talk
    const logged = talk === null ? followLog(options.docker, container, options.log) : Promise.resolve()
    this.mainExited = this.#awaitExit(logged)
    this.exited = this.mainExited.then(async (exit) => {
      await options.onEnded?.()
      await container.remove({ force: true, v: true }).catch(unlessOver)
      return exit
    })
    // Whoever awaits the exit hears of a failure to tidy up; nobody has to.
    this.exited.catch(() => {})
  }

  get id(): string {
    return this.#container.id
  }

  async #awaitExit(logged: Promise<void>): Promise<Exit> {
    // Removed by somebody else: it has ended, and nobody knows how.
    const { StatusCode } = (await this.#container.wait().catch(() => ({ StatusCode: null }))) as { StatusCode: number | null }
    const atMs = monotonicMs()
    const signal = StatusCode !== null && StatusCode > signalBase ? (signalNames.get(StatusCode - signalBase) ?? null) : null
    const code = signal === null ? StatusCode : null
    const expected = this.#asked === 'stop' || (this.#asked === 'kill' && signal === 'SIGKILL')
    await within(logged, { for: `the end of the log of ${this.#name}`, timeoutMs: logEndMsMax }).catch(() => {})
    this.#exit = { code, signal, atMs, expected }
    return this.#exit
  }

  get exit(): Exit | null {
    return this.#exit
  }

  pids(): number[] {
    return familyOf(this.#initPid).filter((pid) => pid !== this.#initPid)
  }

  askToEnd(signal: StopSignal): void {
    if (this.#exit !== null) return
    this.#asked = 'stop'
    void this.#signal(signal)
  }

  kill(): Promise<Exit> {
    if (this.#exit === null) {
      if (this.#asked === 'no') this.#asked = 'kill'
      void this.#signal('SIGKILL')
    }
    return this.exited
  }

  /** One that has just ended cannot be signalled; its exit tells. */
  async #signal(signal: string): Promise<void> {
    await this.#container.kill({ signal }).catch(unlessOver)
  }

  /** By the engine's own stop, whose grace is whole seconds; another signal than its own is timed here. */
  async stop(signal: StopSignal, graceMs: number): Promise<{ exit: Exit; tookMs: number; killed: boolean }> {
    if (this.#exit !== null) return { exit: await this.exited, tookMs: 0, killed: false }
    const askedAtMs = monotonicMs()
    this.#asked = 'stop'
    if (signal === this.#stopSignal) {
      await this.#container.stop({ t: Math.ceil(graceMs / 1_000) }).catch(unlessOver)
    } else {
      await this.#signal(signal)
      if (!(await this.exitedWithin(graceMs))) await this.#signal('SIGKILL')
    }
    const exit = await this.exited
    return { exit, tookMs: Math.max(0, exit.atMs - askedAtMs), killed: exit.signal === 'SIGKILL' }
  }

  exitedWithin(timeoutMs: number): Promise<boolean> {
    return settlesWithin(this.mainExited, timeoutMs)
  }

  async pause(): Promise<void> {
    if (this.#exit !== null) throw new HarnessError(`${this.#name} has ended and cannot be paused.`)
    await this.#container.pause()
  }

  async resume(): Promise<void> {
    if (this.#exit === null) await this.#container.unpause().catch(unlessOver)
  }

  /** No limit is one that this machine cannot reach: an engine takes none back. */
  async limit({ memoryBytes, cpus }: Limits): Promise<void> {
    const memory = memoryBytes === undefined ? {} : { Memory: memoryBytes ?? totalmem(), MemorySwap: memoryBytes ?? totalmem() }
    const processors = cpus === undefined ? {} : { CpuPeriod: periodUs, CpuQuota: cpus === null ? -1 : Math.round(cpus * periodUs) }
    await this.#container.update({ ...memory, ...processors }).catch((error: Error) => {
      throw new HarnessError(`${this.#name} cannot be limited: ${error.message.trim()}`)
    })
  }

  async limitCounters(): Promise<LimitCounters> {
    return groupCountersOf(this.#initPid)
  }

  usage(dataDir?: string): Promise<Usage> {
    return usageOf(this.pids(), dataDir)
  }
}

/** From the engine's own file: a busy harness never holds the service up. Resolves at its end. */
async function followLog(docker: Docker, container: Container, log: ServiceLog): Promise<void> {
  const said = await container.logs({ follow: true, stdout: true, stderr: true })
  const lines = new PassThrough()
  lines.on('data', (chunk: Buffer) => log.append(chunk))
  docker.modem.demuxStream(said, lines, lines)
  const { promise, resolve } = Promise.withResolvers<void>()
  said.once('end', resolve).once('close', resolve).once('error', () => resolve())
  await promise
}
