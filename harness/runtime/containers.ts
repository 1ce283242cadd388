/**
 * The runtime of containers: services, tap and fleet each in one, all in the run's own network
 * namespace. Folders, leases, logs, the supervisor and short programs of the host are those of the
 * runtime of processes. A container sees the run's folder, the output folder and this checkout, each
 * at its own path, and of networks nothing but the namespace's loopback.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { HarnessError } from '../errors.ts'
import { openFilesMax, processesMax } from '../load/fleet/limits.ts'
import { within } from '../until.ts'
import { sharedVolumeOf, whyNotShared } from './elsewhere/shared-volumes.ts'
import { told } from './elsewhere/told.ts'
import { engineLacks, isRootless } from './engine-abilities.ts'
import { ownerLabel, removeContainersOf, runLabel, sweepDeadContainers } from './engine-cleanup.ts'
import type { Engine } from './engine.ts'
import type { RunImage, RunImages } from './images/provide-images.ts'
import { launchContainer, type ContainerPlan, type OwnedContainer } from './owned-container.ts'
import { openProcessRuntime, type HostRuntime, type ProcessRuntimeOptions } from './processes.ts'
import { reaperLabels } from './reaper.ts'
import { readOwner } from './run-folder.ts'
import type { Ability, CommandResult, Conversation, Disk, ImageIdentity, ImageRole, LimitedVolume, Program, Runtime, Service, StartOutcome } from './runtime.ts'
import type { ServiceLog } from './service-log.ts'
import { startService } from './service-start.ts'
import { openNamespace, type WorldNamespace } from './world-namespace.ts'

export interface ContainerRuntimeOptions extends Omit<ProcessRuntimeOptions, 'engine'> {
  engine: Engine
  /** Finds or makes the images; what it starts for that belongs to the run. */
  images(host: Runtime): Promise<RunImages>
}

const checkout = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
const killAfterAbortMs = 2_500
/** The engine keeps each container's output until it is removed. */
const engineLog = { Type: 'json-file', Config: { 'max-size': '60m', 'max-file': '1' } }
const nameMax = 120
/** With its standard streams for the harness. */
const talking = { OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true }

/**
 * Opens the runtime of one run. What dead runs left in the engine is removed first.
 * @throws UsageError when the engine cannot hold a world of this host's
 */
export async function openContainerRuntime(options: ContainerRuntimeOptions): Promise<Runtime> {
  const { engine, images: provideImages, ...rest } = options
  await using opening = new AsyncDisposableStack()
  await sweepDeadContainers(engine.address)
  const host = opening.use(await openProcessRuntime({ ...rest, engine: engine.address }))
  const images = await withDependencies(await provideImages(host), engine)
  options.signal?.throwIfAborted()
  const { docker, info } = engine
  const rootless = isRootless(info)
  const plans = new Plans({ runId: options.runId, images }, {
    user: rootless ? '0:0' : `${process.getuid!()}:${process.getgid!()}`,
    owner: JSON.stringify(await readOwner(host.runFolder)),
    mounts: mountsOf(host.runFolder, options),
    labels: await reaperLabels(engine).catch((error: Error) => {
      // The supervisor does without it.
      host.logOf('reaper').note(error.message)
      return {}
    }),
  })
  const namespace = opening.use(
    await openNamespace({
      docker,
      plan: plans.of('namespace', 'node', {}),
      node: images.node.program,
      runFolder: host.runFolder,
      log: host.logOf('namespace'),
      converse: (id, program, args) => host.converse(id, program, args),
    }),
  )
  opening.move()
  return new ContainerRuntime(options, host, plans, namespace)
}

/** Where the checkout is a volume its dependencies are those of an image, around the same Node. */
async function withDependencies(images: RunImages, { docker }: Engine): Promise<RunImages> {
  const reference = told()?.image
  if (reference === undefined) return images
  const { Id: id } = await docker.getImage(reference).inspect()
  const node = { ...images.node, reference, id }
  return { ...images, node, origin: images.origin === images.node ? node : images.origin }
}

/** Read and write where the run keeps its data; the checkout to read. */
function mountsOf(runFolder: string, { logsDir, keepIn }: ContainerRuntimeOptions): Mount[] {
  const written = [runFolder, path.dirname(path.resolve(logsDir)), ...(keepIn === undefined ? [] : [path.resolve(keepIn)])]
  const mounts = written.map((folder) => mount(folder, false))
  // Several of them may lie in one volume.
  return [...new Map(mounts.map((one) => [one.Target, one])).values()]
}

type Mount = NonNullable<NonNullable<ContainerPlan['HostConfig']>['Mounts']>[number]

/**
 * At its own path: by a bind mount, or by the volume that holds it where the engine does not see this machine's
 * files. Not in the short form `a:b`, which a path with a colon breaks.
 */
function mount(folder: string, readOnly: boolean): Mount {
  const shared = sharedVolumeOf(folder)
  if (shared !== null) return { Type: 'volume', Source: shared.volume, Target: shared.target, ReadOnly: readOnly }
  return { Type: 'bind', Source: folder, Target: folder, ReadOnly: readOnly }
}

interface Surroundings {
  user: string
  owner: string
  mounts: Mount[]
  labels: Record<string, string>
}

/** What all containers of a run have in common. */
class Plans {
  readonly images: RunImages
  #runId: string
  #around: Surroundings
  #count = 0

  constructor({ runId, images }: { runId: string; images: RunImages }, around: Surroundings) {
    this.images = images
    this.#runId = runId
    this.#around = around
  }

  of(id: string, image: ImageRole, plan: Partial<ContainerPlan>): ContainerPlan {
    const { user, owner, mounts, labels } = this.#around
    this.#count += 1
    return {
      name: `durable-streams-${this.#runId}-${this.#count}-${id}`.slice(0, nameMax),
      Image: this.images[image].id,
      User: user,
      Labels: { ...labels, ...told()?.labels, [runLabel]: this.#runId, [ownerLabel]: owner },
      ...plan,
      HostConfig: {
        // An init of the engine's: the program is not process 1, so signals mean what they mean elsewhere.
        Init: true,
        Mounts: [...mounts, ...(image === 'node' ? [mount(checkout, true)] : [])],
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': '' },
        Ulimits: ulimits(),
        LogConfig: engineLog,
        ...plan.HostConfig,
      },
    }
  }
}

/** As processes have them here. Others stay the engine's, which may not be allowed to lift them; Podman tries to lift these where they are not given. */
function ulimits(): { Name: string; Soft: number; Hard: number }[] {
  const limits: [string, number][] = [['nofile', openFilesMax('self', 'hard') ?? 1_024], ['nproc', processesMax('hard')]]
  return limits.filter(([, limit]) => Number.isFinite(limit)).map(([Name, limit]) => ({ Name, Soft: limit, Hard: limit }))
}

class ContainerRuntime implements Runtime {
  readonly kind = 'containers'
  readonly fault: AbortSignal
  #options: ContainerRuntimeOptions
  #host: HostRuntime
  #plans: Plans
  #namespace: WorldNamespace
  #signal: AbortSignal
  #owned = new Map<OwnedContainer, string>()
  #closing: Promise<void> | null = null

  constructor(options: ContainerRuntimeOptions, host: HostRuntime, plans: Plans, namespace: WorldNamespace) {
    this.#options = options
    this.#host = host
    this.#plans = plans
    this.#namespace = namespace
    this.fault = host.fault
    this.#signal = AbortSignal.any([host.fault, ...(options.signal ? [options.signal] : [])])
    this.#signal.addEventListener('abort', () => void setTimeout(() => void this.#killAll(), killAfterAbortMs).unref(), { once: true })
  }

  nowMs(): number {
    return this.#host.nowMs()
  }

  image(role: ImageRole): ImageIdentity {
    return this.#plans.images[role]
  }

  async loopbackBytes(): Promise<number | null> {
    return this.#namespace.loopbackBytes()
  }

  leasePort(): Promise<number> {
    return this.#host.leasePort()
  }

  temporaryFolder(name: string): Promise<string> {
    return this.#host.temporaryFolder(name)
  }

  socketFolder(): Promise<string> {
    return this.#host.socketFolder()
  }

  async lacks(ability: Ability): Promise<string | null> {
    const { info, isPodman } = this.#options.engine
    const lacking = engineLacks(ability, info, isPodman) ?? (ability === 'limited-volume' || ability === 'disk' ? whyNotShared(this.#host.runFolder) : null)
    // Limits are the engine's alone; all else is done by this host, too.
    return lacking ?? (ability === 'memory-limit' || ability === 'cpu-limit' ? null : this.#host.lacks(ability))
  }

  /** Mounted before the containers that see it are made. */
  limitedVolume(name: string, bytes: number): Promise<LimitedVolume> {
    return this.#host.limitedVolume(name, bytes)
  }

  disk(name: string, bytes: number): Promise<Disk> {
    return this.#host.disk(name, bytes)
  }

  async reach(ports: number[]): Promise<void> {
    const taken = await this.#namespace.open(ports)
    if (taken !== null) throw new HarnessError(`Port ${taken} of this host is listened on by another program.`)
  }

  async start(service: Service): Promise<StartOutcome> {
    this.#checkOpen()
    this.#signal.throwIfAborted()
    if (service.onHost) return this.#host.start(service)
    const log = this.#host.logOf(service.logName ?? service.id)
    return startService(service, {
      log,
      signal: this.#signal,
      listeners: () => this.#namespace.listeners(),
      reach: (ports) => this.#namespace.open(ports),
      launch: () => this.#startContainer(service, log),
    })
  }

  async #startContainer(service: Service, log: ServiceLog): Promise<OwnedContainer> {
    if (!existsSync(service.cwd)) throw new HarnessError(`${service.id} cannot be started in ${service.cwd}: there is no such folder.`)
    const image = this.#plans.images[service.image]
    const plan = this.#plans.of(service.id, service.image, {
      Entrypoint: [programIn(image, service)],
      Cmd: service.args,
      Env: environmentOf(service.env),
      WorkingDir: service.cwd,
      StopSignal: service.stopSignal,
      HostConfig: { NetworkMode: this.#namespace.networkMode },
    })
    const onEnded = () => this.#namespace.close(service.ports)
    return this.#own(service.id, log, { plan, stopSignal: service.stopSignal, onEnded })
  }

  async #own(id: string, log: ServiceLog, launch: Omit<Parameters<typeof launchContainer>[0], 'docker' | 'log'>): Promise<OwnedContainer> {
    log.writers += 1
    const forget = () => (log.writers -= 1)
    const owned = await launchContainer({ docker: this.#options.engine.docker, log, ...launch }).catch((error: unknown) => {
      forget()
      throw error
    })
    this.#owned.set(owned, id)
    const ended = () => {
      forget()
      this.#owned.delete(owned)
    }
    owned.exited.then(ended, ended)
    return owned
  }

  /** Beside a service: in its container. Else on this host, as with processes. */
  async run(program: string, args: string[], options: Parameters<Runtime['run']>[2]): Promise<CommandResult> {
    this.#checkOpen()
    if (options.beside === undefined) return this.#host.run(program, args, options)
    const owned = [...this.#owned].find(([, id]) => id === options.beside)?.[0]
    if (owned === undefined) throw new HarnessError(`${options.beside} is not running; ${path.basename(program)} cannot be run beside it.`)
    const { client } = this.#options.engine
    const asked = client.exec(client.getById(owned.id), [path.basename(program), ...args], {})
    const what = `${path.basename(program)} beside ${options.beside} to end`
    const { exitCode, stdout, stderr } = await within(asked, { for: what, timeoutMs: options.timeoutMs }).catch((error: Error) => {
      throw new HarnessError(error.message)
    })
    return { code: exitCode, stdout, stderr }
  }

  async runIn(role: ImageRole, args: string[], { timeoutMs, env = {}, cwd = '/' }: Parameters<Runtime['runIn']>[2]): Promise<CommandResult> {
    this.#checkOpen()
    const image = this.#plans.images[role]
    const id = `${role}-alone`
    const common = this.#plans.of(id, role, { ...talking, Entrypoint: [image.program], Cmd: args, Env: environmentOf(env), WorkingDir: cwd })
    // What it reads may be the project's own.
    const mounts = [...common.HostConfig!.Mounts!.filter(({ Target }) => Target !== checkout), mount(checkout, true)]
    const plan = { ...common, HostConfig: { ...common.HostConfig, Mounts: mounts, NetworkMode: 'none' } }
    const log = this.#host.logOf(id)
    const from = log.position()
    const owned = await this.#own(id, log, { plan, stopSignal: 'SIGTERM', talks: true })
    owned.talk!.stdin.end()
    const said = Promise.all([text(owned.talk!.stdout), owned.exited])
    const what = `${path.basename(image.program)} ${args[0] ?? ''} in ${image.reference} to end`
    try {
      const [stdout, { code }] = await within(said, { for: what, timeoutMs })
      return { code, stdout, stderr: log.textBetween(from, log.position()) }
    } catch (error) {
      await owned.kill()
      throw new HarnessError((error as Error).message)
    }
  }

  async spawn(id: string, program: string, args: string[], env: Record<string, string> = {}): Promise<Program> {
    const { owned, talk } = await this.#talkingContainer(id, program, args, env)
    return { ...handles(owned), stdin: talk.stdin, stdout: talk.stdout, stderr: talk.stderr }
  }

  async converse(id: string, program: string, args: string[], env: Record<string, string> = {}): Promise<Conversation> {
    const { owned, talk, log } = await this.#talkingContainer(id, program, args, env)
    const from = log.position()
    return {
      ...handles(owned),
      write: (line) => void talk.stdin.write(`${line}\n`),
      end: () => void talk.stdin.end(),
      lines: createInterface({ input: talk.stdout }),
      lastLogLines: async (linesMax) => log.linesBetween(from, log.position(), linesMax),
    }
  }

  /** The harness's own programs, all of them Node's. */
  async #talkingContainer(id: string, program: string, args: string[], env: Record<string, string>) {
    this.#checkOpen()
    if (program !== process.execPath) throw new HarnessError(`No image holds ${program}.`)
    const log = this.#host.logOf(id)
    log.note(`start of ${program}`)
    const plan = this.#plans.of(id, 'node', {
      Entrypoint: [this.#plans.images.node.program],
      Cmd: args,
      Env: environmentOf(env),
      WorkingDir: '/',
      ...talking,
      HostConfig: { NetworkMode: this.#namespace.networkMode },
    })
    const owned = await this.#own(id, log, { plan, stopSignal: 'SIGTERM', talks: true })
    return { owned, talk: owned.talk!, log }
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
    ending.use(this.#host)
    ending.defer(async () => void (await removeContainersOf(this.#options.runId, this.#options.engine.address)))
    ending.use(this.#namespace)
    await this.#killAll()
  }

  async #killAll(): Promise<void> {
    await Promise.all([...this.#owned.keys()].map((owned) => owned.kill()))
  }
}

/** A service that stands in for another one is a program of Node's, whatever it stands in for. */
function programIn(image: RunImage, service: Service): string {
  if (service.image === 'node' && service.program !== process.execPath) throw new HarnessError(`No image holds ${service.program}.`)
  return image.program
}

function environmentOf(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}

function handles(owned: OwnedContainer): Pick<Program, 'exited' | 'kill' | 'usage'> {
  return { exited: owned.exited, kill: () => owned.kill(), usage: () => owned.usage() }
}
