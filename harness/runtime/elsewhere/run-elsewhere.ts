/**
 * A run where the container engine is not of this machine: the harness itself goes into the engine, and what it
 * starts there shares volumes with it in place of this machine's folders, each at the folder's own path. This
 * machine's part: what is put in, the terminal, signals, the reports that come back, and that nothing is left.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { programs } from '../../bootstrap/programs.mjs'
import { exitCodes, HarnessError, interruptionOf, UsageError } from '../../errors.ts'
import { within } from '../../until.ts'
import { startCompanion } from '../companion.ts'
import { engineUnwilling, engineWords, type Engine } from '../engine.ts'
import { hijack } from '../owned-container.ts'
import { pack, putArchive, weigh, type Belonging, type Keepsake } from './belongings.ts'
import { fetchFile, fetchFolder, fetchNew } from './bring-back.ts'
import { modulesInImage } from './harness-image.ts'
import { harnessName, labelsOf, processOf, releasedBy, removeAll, sweepDead, thisMachine } from './leftovers.ts'
import { cacheThere, dataFolder, toldFile, toldVariable, type SharedVolume, type Told } from './told.ts'

export interface ElsewhereRun {
  engine: Engine
  /** The checkout. */
  root: string
  /** Where runs are kept on this machine, and a folder in it that is this run's and goes with it. */
  out: string
  staging: string
  cwd: string
  files: readonly Belonging[]
  env: Record<string, string>
  /** Files that the command writes beside its reports. */
  written: readonly string[]
  keepsakes: readonly Keepsake[]
  told: Pick<Told, 'terminal' | 'harness' | 'given'>
  /** Finds or makes the image; `labels` are for what it starts. */
  image(labels: Record<string, string>): Promise<string>
  onProgress(line: string): void
  signal: AbortSignal
}

const readyMsMax = 15_000
const removedMsMax = 15_000
const outputMsMax = 5_000
const guardProgram = fileURLToPath(new URL('./guard.ts', import.meta.url))
const insideProgram = fileURLToPath(new URL('./inside.ts', import.meta.url))
const cliProgram = fileURLToPath(new URL('../../cli.ts', import.meta.url))
const signalOf: Record<number, string> = { [exitCodes.interrupted]: 'SIGINT', [exitCodes.terminated]: 'SIGTERM', [exitCodes.hungUp]: 'SIGHUP' }

/** Resolves with the command's exit code. @throws UsageError where the engine does not allow it */
export async function runElsewhere(run: ElsewhereRun): Promise<number> {
  try {
    return await goThere(run)
  } catch (error) {
    // What the engine itself said.
    if (run.signal.aborted || !(error instanceof Error) || !('statusCode' in error || 'syscall' in error)) throw error
    throw engineUnwilling(error)
  }
}

async function goThere(run: ElsewhereRun): Promise<number> {
  const { engine: { docker }, signal } = run
  const bytes = await weigh(run.files)
  await sweepDead(docker)
  const id = randomBytes(6).toString('hex')
  await using guard = await startGuard(id, run)
  const labels = labelsOf(id, { machine: thisMachine(), harness: processOf(process.pid)!, guard: guard.process, staging: run.staging })
  await using _removal = { [Symbol.asyncDispose]: () => removeAll(docker, id) }
  const image = await run.image(labels)
  signal.throwIfAborted()
  const harness = await putIn(run, { id, image, labels, bytes })
  signal.throwIfAborted()
  const code = await follow(harness, run)
  await fetchFolder(harness.container, run.out, path.join(run.staging, 'back'))
  for (const file of run.written) await fetchFile(harness.container, file)
  for (const keepsake of run.keepsakes) await fetchNew(harness.container, keepsake)
  return code
}

interface Guard extends AsyncDisposable {
  process: NonNullable<ReturnType<typeof processOf>>
}

/** Ends when it is told that everything is removed, or removes it when this process is gone. */
async function startGuard(id: string, { out, staging }: ElsewhereRun): Promise<Guard> {
  const { child, ended } = await startCompanion({ name: 'the guard of this run', args: [guardProgram, id, out, staging], env: process.env, readyMsMax })
  return {
    process: processOf(child.pid!)!,
    async [Symbol.asyncDispose]() {
      child.stdin.end('done\n')
      await within(ended, { for: 'the guard to end', timeoutMs: removedMsMax })
    },
  }
}

type Container = Awaited<ReturnType<Engine['docker']['createContainer']>>
type Plan = Parameters<Engine['docker']['createContainer']>[0]

interface Harness {
  docker: Engine['docker']
  container: Container
}

interface Places {
  id: string
  image: string
  labels: Record<string, string>
  bytes: number
}

interface Inside extends Omit<Places, 'bytes'> {
  volumes: SharedVolume[]
}

/** The container with everything in it, not yet started. */
async function putIn(run: ElsewhereRun, { id, image, labels, bytes }: Places): Promise<Harness> {
  const { engine: { docker, description }, root, out, cwd, onProgress } = run
  const volumes: SharedVolume[] = [[root, 'project'], [out, 'reports'], [dataFolder, 'data']].map(([target, name]) => ({ target: target!, volume: `durable-streams-${id}-${name}` }))
  for (const { volume } of volumes) {
    await docker.createVolume({ Name: volume, Labels: { ...labels, ...releasedBy(image) } }).catch((error: Error) => {
      throw new UsageError(`The container engine makes no volume (${engineWords(error)}), and one that is elsewhere needs some: mend that, or run without containers: --runtime processes.`)
    })
  }
  const container = await create(run, { image, labels, volumes, id })
  onProgress(`Putting ${run.files.length.toLocaleString('en-US')} files (${(bytes / 1e6).toFixed(1)} MB) into the container engine…`)
  const { terminal, harness, given } = run.told
  const modules = { target: path.join(root, 'node_modules'), to: modulesInImage }
  const told: Told = { volumes, image, labels, engine: `${description}, ${run.engine.isHere ? 'in which the harness ran, too' : "which does not see this machine's files, so that the harness ran in it, too"}`, terminal, harness, given }
  const archive = pack(run.files, { content: { target: toldFile, text: JSON.stringify(told) }, link: modules, folder: cwd })
  await putArchive(container, archive).catch((error: Error) => {
    const full = /no space left on device/i.test(error.message)
    throw new UsageError(`${full ? "The container engine's disk filled up while the run was put into it: free some (docker system df)" : `The container engine did not take what a run needs (${engineWords(error)}): mend that`}, or run without containers: --runtime processes.`)
  })
  return { docker, container }
}

/**
 * What the run mounts while it goes on is seen by its containers where the engine shares it. Some engines do not,
 * and some give a container nothing of their own machine's folders: then some faults are lacking.
 */
async function create(run: ElsewhereRun, places: Inside): Promise<Container> {
  const { docker } = run.engine
  const data = places.volumes.at(-1)!
  const { Mountpoint } = await docker.getVolume(data.volume).inspect()
  const socket = socketOn(run.engine)
  const shared: Mount = { Type: 'bind', Source: Mountpoint, Target: data.target, BindOptions: { Propagation: 'rshared' } }
  const plain: Mount = { Type: 'volume', Source: data.volume, Target: data.target }
  const groups: Mount = { Type: 'bind', Source: '/sys/fs/cgroup', Target: '/sys/fs/cgroup', ReadOnly: true }
  let problem: unknown
  for (const mounts of [[shared, groups], [plain, groups], [plain]]) {
    try {
      return await startable(run, planOf(run, places, [...mounts, { Type: 'bind', Source: socket, Target: '/var/run/docker.sock' }]))
    } catch (error) {
      problem = error
      if (!/mount|propagation|shared|bind source/i.test((error as Error).message) || namesSocket(error, socket)) break
    }
  }
  throw refused(problem, socket)
}

/** The engine's, on its own machine. */
function socketOn({ isHere, address }: Engine): string {
  const own = isHere && 'socketPath' in address ? address.socketPath : '/var/run/docker.sock'
  return process.env['TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE'] || own
}

/** Docker tells of a missing mount when a container is made, and of one that is not shared when it is started. */
async function startable({ engine: { docker } }: ElsewhereRun, plan: Plan): Promise<Container> {
  const trial = await docker.createContainer({ ...plan, Entrypoint: ['node'], Cmd: ['--version'], WorkingDir: '/', OpenStdin: false, AttachStdin: false })
  try {
    await trial.start()
    await trial.wait()
  } finally {
    await trial.remove({ force: true, v: true })
  }
  return docker.createContainer(plan)
}

function namesSocket(error: unknown, socket: string): boolean {
  return (error as Error).message.includes(socket)
}

function refused(error: unknown, socket: string): Error {
  if (!namesSocket(error, socket)) return new UsageError(`The container engine does not hold the harness (${engineWords(error as Error)}): mend that, or run without containers: --runtime processes.`)
  return new UsageError(`The container engine is elsewhere and has no socket at ${socket} on its own machine: set TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE to its path there, or run without containers: --runtime processes.`)
}

function planOf({ engine, root, cwd, env }: ElsewhereRun, { image, labels, volumes, id }: Inside, mounts: Mount[]): Plan {
  const [project, reports] = volumes
  const own = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    TMPDIR: `${dataFolder}/tmp`,
    XDG_CACHE_HOME: cacheThere,
    DOCKER_HOST: 'unix:///var/run/docker.sock',
    // It would be asked through a port of the engine's, which is not this container's.
    TESTCONTAINERS_RYUK_DISABLED: 'true',
    [toldVariable]: toldFile,
  }
  return {
    name: harnessName(id),
    Image: image,
    User: '0:0',
    Entrypoint: ['node'],
    Cmd: [insideProgram, ...(programs.simulate.flags ?? []), cliProgram],
    Env: Object.entries({ ...env, ...own }).map(([name, value]) => `${name}=${value}`),
    WorkingDir: cwd,
    Labels: labels,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      Init: true,
      // It looks at its containers' processes, limits and counters as it does at home.
      PidMode: 'host',
      CapAdd: ['SYS_ADMIN', 'SYS_PTRACE', 'DAC_READ_SEARCH'],
      // Loop devices, for disks whose power is cut: major 7, and the one by which they are had (loop(4)).
      DeviceCgroupRules: ['b 7:* rmw', 'c 10:237 rmw'],
      // Their own rules forbid to mount, and to look at processes of other containers.
      SecurityOpt: ['apparmor=unconfined', 'label=disable'],
      ...(engine.info.CgroupVersion === '2' ? { CgroupnsMode: 'host' as const } : {}),
      Mounts: [
        { Type: 'volume', Source: project!.volume, Target: root },
        { Type: 'volume', Source: reports!.volume, Target: reports!.target },
        ...mounts,
      ],
    },
  }
}

type Mount = NonNullable<NonNullable<Plan['HostConfig']>['Mounts']>[number]

/** The terminal and the signals, until it has ended. */
async function follow({ docker, container }: Harness, { signal }: ElsewhereRun): Promise<number> {
  const said = await hijack(docker, container)
  const over = showAll(docker, said)
  const pass = () => void said.write(`${signalOf[interruptionOf(signal)!.exitCode] ?? 'SIGTERM'}\n`)
  await container.start()
  if (signal.aborted) pass()
  signal.addEventListener('abort', pass, { once: true })
  const { StatusCode } = (await container.wait().catch(() => ({ StatusCode: null }))) as { StatusCode: number | null }
  await within(over, { for: 'the end of its output', timeoutMs: outputMsMax }).catch(() => {})
  signal.removeEventListener('abort', pass)
  if (StatusCode === null) throw new HarnessError('The container engine lost the harness, or the way to it broke.')
  if (StatusCode === 128 + constants.signals.SIGKILL) throw new HarnessError('The harness was killed in the container engine (its memory may be too small).')
  return StatusCode
}

/** Resolves when everything is shown. */
async function showAll(docker: Engine['docker'], said: Duplex): Promise<void> {
  docker.modem.demuxStream(said, process.stdout, process.stderr)
  const { promise, resolve } = Promise.withResolvers<void>()
  said.once('end', resolve).once('close', resolve).once('error', () => resolve())
  await promise
}

