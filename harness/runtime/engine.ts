/** The container engine: found by testcontainers, refused in one sentence where it is of no use. */
import { request } from 'node:http'
import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { told } from './elsewhere/told.ts'
import type { ContainerRuntimeClient } from 'testcontainers'
import { UsageError } from '../errors.ts'
import { seesThisHost } from './elsewhere/sees-this-host.ts'
import type { EngineInfo } from './engine-abilities.ts'

export type Docker = ContainerRuntimeClient['container']['dockerode']
export type ContainerClient = ContainerRuntimeClient['container']

/** How to speak to the engine without a library; what the supervisor needs. */
export type EngineAddress = { socketPath: string } | { host: string; port: number }

export interface Engine {
  docker: Docker
  /** testcontainers' own client: exec, stop and the like. */
  client: ContainerClient
  /** All of it: what its reaper is started with. */
  whole: ContainerRuntimeClient
  address: EngineAddress
  /** It speaks as Docker does, but for what it says and does otherwise. */
  isPodman: boolean
  /** Its containers share this host's kernel and files. Else the harness has to go to it. */
  isHere: boolean
  /** Of its processor, as Node calls it. */
  arch: string
  /** What it told of itself when it was opened. */
  info: EngineInfo
  /** 'Docker Engine 20.10.24, API 1.41, at /var/run/docker.sock' */
  description: string
}

/** `network=container:` with `Init`, `wait?condition=` and sysctls are all older; 1.40 came in 2019. */
const apiOldest = [1, 40] as const
const architectures: Record<string, string> = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' }
const usualSocket = '/var/run/docker.sock'
/** Of what an engine said, in a sentence. */
const wordsMax = 300
const insteadProcesses = 'or run without containers: --runtime processes'

/**
 * Opens the engine of this host.
 * @throws UsageError when none answers, when it is too old, or when it runs somewhere else
 */
export async function openEngine(): Promise<Engine> {
  const engine = await openAnyEngine()
  if (!engine.isHere) throw engineElsewhere()
  return engine
}

/**
 * Opens the engine that DOCKER_HOST, testcontainers' own settings or the usual sockets lead to.
 * @throws UsageError when none answers, or when it is too old
 */
export async function openAnyEngine(): Promise<Engine> {
  // Its loading takes a third of a second, which a run of processes need not wait for.
  const { getContainerRuntimeClient } = await import('testcontainers')
  // Where published ports would be: there are none. It would ask for a bridge network, or start a
  // container, to find out.
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= '127.0.0.1'
  const found = await getContainerRuntimeClient().catch(async () => {
    throw new UsageError(await whyNone())
  })
  const docker = found.container.dockerode
  const address = addressOf(docker)
  // testcontainers goes on looking where DOCKER_HOST leads nowhere; another engine was not asked for.
  if (!isAsked(address)) throw new UsageError(await whyNone())
  const { Version, ApiVersion, Arch, Os, Components } = await docker.version()
  const isPodman = Components?.some(({ Name }) => Name.startsWith('Podman')) ?? false
  const info = (await docker.info()) as EngineInfo
  const isHere = await isOfThisHost(docker, address, info)
  refuse(ApiVersion, Arch, Os, isHere)
  const place = 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`
  const description = told()?.engine ?? `${isPodman ? 'Podman' : 'container engine'} ${Version}, API ${ApiVersion}, at ${place}`
  return { docker, client: found.container, whole: found, address, isPodman, isHere, arch: architectures[Arch]!, info, description }
}

/** By its kernel and its address; only one that answers on loopback has to be tried. */
async function isOfThisHost(docker: Docker, address: EngineAddress, { KernelVersion }: EngineInfo): Promise<boolean> {
  if (process.platform !== 'linux') return false
  if (KernelVersion !== undefined && KernelVersion !== release()) return false
  if ('socketPath' in address) return true
  return isLoopback(address.host) && (await seesThisHost(docker))
}

function isLoopback(host: string): boolean {
  return /^(https?:\/\/)?(localhost|127\.[\d.]+|\[?::1\]?)$/.test(host)
}

function refuse(api: string, architecture: string, system: string, isHere: boolean): void {
  const [major = 0, minor = 0] = api.split('.').map(Number)
  if (major < apiOldest[0] || (major === apiOldest[0] && minor < apiOldest[1])) {
    throw new UsageError(`The container engine speaks API ${api}, and ${apiOldest.join('.')} is needed: update it, ${insteadProcesses}.`)
  }
  if (system !== 'linux') throw new UsageError(`The container engine runs ${system} containers: switch it to Linux, ${insteadProcesses}.`)
  const arch = architectures[architecture]
  if (arch === undefined || (isHere && arch !== process.arch)) {
    throw new UsageError(`The container engine is ${architecture} and this machine's programs are ${process.arch}: use an engine of the same, ${insteadProcesses}.`)
  }
}

/** Its containers are not this host's processes: another kernel, or none of the run's folders. */
export function engineElsewhere(cause?: unknown): UsageError {
  const sentence = `The container engine's containers do not share this machine's files and processes (it is remote, or in a virtual machine): use an engine of this Linux host, ${insteadProcesses}.`
  return new UsageError(sentence, { cause })
}

/** An engine that answers, and then does not do what it is told, is the user's to mend. */
export function engineUnwilling(error: Error): UsageError {
  return new UsageError(`The container engine does not do what a run needs (${engineWords(error)}): mend it, ${insteadProcesses}.`, { cause: error })
}

/** What it said, for a place within a sentence. */
export function engineWords({ message }: Error): string {
  return message.trim().replaceAll(/\s+/g, ' ').replace(/\.$/, '').slice(0, wordsMax)
}

function addressOf(docker: Docker): EngineAddress {
  const { socketPath, host, port } = docker.modem as { socketPath?: string; host?: string; port?: number | string }
  if (socketPath !== undefined) return { socketPath }
  return { host: host ?? '127.0.0.1', port: Number(port ?? 2375) }
}

function isAsked(address: EngineAddress): boolean {
  const asked = process.env['DOCKER_HOST']
  if (asked === undefined || asked === '') return true
  if ('socketPath' in address) return asked === `unix://${address.socketPath}`
  return URL.canParse(asked) && new URL(asked).hostname === address.host.replace(/^https?:\/\//, '')
}

/** testcontainers says only that nothing works. */
async function whyNone(): Promise<string> {
  const asked = process.env['DOCKER_HOST']
  if (asked !== undefined && asked !== '' && !asked.startsWith('unix://')) {
    return `No container engine answers at DOCKER_HOST=${asked}: mend or unset it, ${insteadProcesses}.`
  }
  const socket = asked ? asked.slice('unix://'.length) : usualSocket
  if (!existsSync(socket)) {
    return `No container engine is running (there is no ${socket}): start one, for example with "dockerd" as root or Docker Desktop, ${insteadProcesses}.`
  }
  const code = await knock(socket)
  if (code === 'EACCES' || code === 'EPERM') {
    return `This user may not speak to the container engine at ${socket}: join the group that may (usually "docker"), ${insteadProcesses}.`
  }
  if (code === null) return `What answers at ${socket} does not speak as a container engine does: set DOCKER_HOST to one, ${insteadProcesses}.`
  return `No container engine answers at ${socket} (${code}): start it, ${insteadProcesses}.`
}

const knockMsMax = 5_000

/** The error's code, or null when something answers after all. */
function knock(socketPath: string): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>()
  const asked = request({ socketPath, path: '/_ping', timeout: knockMsMax }, (response) => {
    response.resume()
    resolve(null)
  })
  asked.once('timeout', () => asked.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })))
  asked.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  asked.end()
  return promise
}
