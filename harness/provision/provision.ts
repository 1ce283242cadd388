import { allDone } from '../all-done.ts'
import type { Edge, ProvidedEdge } from '../edges/edge.ts'
import { UsageError } from '../errors.ts'
import { cacheFolder } from './cache-folder.ts'
import { findCaddy, type ProvidedCaddy } from './caddy.ts'
import { openIdentityCache } from './identity-cache.ts'
import { installDebianPackages } from './install-packages.ts'
import {
  canInstall,
  debianPackages,
  installCommand,
  thisHost,
  type Host,
  type Missing,
} from './missing-tools.ts'
import { releasesFrom } from './release-source.ts'
import { provideServer, type ProvidedServer } from './server-binary.ts'

export interface ProvisionOptions {
  origin: 'auto' | 'caddy' | 'reference'
  /** Whose program is wanted. */
  edge: Pick<Edge, 'find'>
  /** `--server-bin`; a wrong path is a `UsageError`, never a fallback. */
  serverBin?: string | undefined
  /** `--server-version`. */
  serverVersion?: string | undefined
  /** Default: this process's. */
  env?: NodeJS.ProcessEnv
  /** Default: below XDG_CACHE_HOME. */
  cacheDir?: string
  /** A mirror of the releases; default: DURABLE_STREAMS_RELEASES, else upstream's own. */
  releaseBaseUrl?: string
  /** One line for each thing that is set up; default: nothing is shown. */
  onProgress?: (line: string) => void
  signal?: AbortSignal
  /** Default: this machine. */
  host?: Host
  /** Searched after PATH; default: where package managers put servers. */
  programFolders?: readonly string[]
}

/** The programs of the hops behind which the origin stands. */
export interface Hops {
  edge: ProvidedEdge
  caddy: ProvidedCaddy
}

export interface Provisioned extends Hops {
  server: ProvidedServer
}

/**
 * Everything a run of processes needs: the origin's server, the edge's program, and Caddy for the TLS
 * edge. What is missing is installed where that needs no question, else a `UsageError` gives the one command. A
 * second call finds everything and sets up nothing.
 */
export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const server = await provisionServer(options)
  return { server, ...(await provisionHops(server, options)) }
}

/** The origin's server alone: a run in containers has the rest in images. */
export async function provisionServer(options: Omit<ProvisionOptions, 'edge'>): Promise<ProvidedServer> {
  const { env = process.env, onProgress = () => {}, signal } = options
  const cacheDir = options.cacheDir ?? cacheFolder(env)
  return provideServer({
    origin: options.origin,
    explicitPath: options.serverBin,
    version: options.serverVersion,
    releases: releasesFrom(options.releaseBaseUrl, env),
    env,
    cacheDir,
    identities: openIdentityCache(cacheDir),
    onProgress,
    signal,
  })
}

/** The edge's program and Caddy of this host, installed where they are missing and that needs no question. */
export async function provisionHops(server: ProvidedServer, options: ProvisionOptions): Promise<Hops> {
  const { env = process.env, onProgress = () => {}, signal, host = thisHost() } = options
  const identities = openIdentityCache(options.cacheDir ?? cacheFolder(env))
  const search = { env, identities, folders: options.programFolders, signal }
  const find = () => allDone([options.edge.find(search), findCaddy({ ...search, server })] as const)
  const [edge, caddy] = await find()
  const missing = [edge, caddy].filter(isMissing)
  if (missing.length === 0) return { edge: found(edge), caddy: found(caddy) }
  await installMissing(missing, host, { env, onProgress, signal })
  const [edgeNow, caddyNow] = await find()
  return { edge: found(edgeNow), caddy: found(caddyNow) }
}

interface InstallContext {
  env: NodeJS.ProcessEnv
  onProgress: (line: string) => void
  signal: AbortSignal | undefined
}

async function installMissing(
  missing: Missing[],
  host: Host,
  context: InstallContext,
): Promise<void> {
  const tools = missing.flatMap((one) => one.tools)
  if (!canInstall(host)) throw new UsageError(missingSentence(missing, installCommand(tools, host)))
  const packages = debianPackages(tools)
  const startedAt = performance.now()
  context.onProgress(
    `Installing ${tools.map((tool) => tool.name).join(' and ')} (apt-get install ${packages.join(' ')})…`,
  )
  await installDebianPackages(packages, { ...context, services: tools.flatMap((tool) => tool.services) })
  context.onProgress(
    `Installed ${packages.join(', ')} in ${Math.ceil((performance.now() - startedAt) / 1_000)} s.`,
  )
}

function missingSentence(missing: Missing[], command: string | null): string {
  const because = missing.map((one) => one.because).join(', and ')
  const names = missing
    .flatMap((one) => one.tools)
    .map((tool) => tool.name)
    .join(' and ')
  const remedy = command ? `run: ${command}` : `install ${names} with this system's package manager`
  return `${because[0]?.toUpperCase()}${because.slice(1)}; ${remedy}`
}

function isMissing(found: object): found is Missing {
  return 'tools' in found
}

/** After an installation that apt called a success. */
function found<T extends object>(tool: T | Missing): T {
  if (!isMissing(tool)) return tool
  throw new UsageError(
    `${tool.because}, although its package was installed; mend that and try again.`,
  )
}
