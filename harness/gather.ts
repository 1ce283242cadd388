/**
 * What is to be judged: the programs, the user's files and what they say. Gathered once a run;
 * every scenario's world is made from it.
 */
import { rm } from 'node:fs/promises'
import { isIP } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { allDone } from './all-done.ts'
import { adaptCaddyfile, readSources, type AdaptedCaddyfile } from './confine/caddyfile.ts'
import { variablesFor } from './confine/environment.ts'
import { confineCaddyConfig, countListeners, type CaddyCapabilities } from './confine/caddy-config.ts'
import type { JsonObject } from './confine/json.ts'
import type { Edge, EdgeConfig, EdgeConfigRead, ProvidedEdge } from './edges/edge.ts'
import { inspectDataDir, type DataDir } from './data-dir/inspect.ts'
import { UsageError } from './errors.ts'
import type { BrowserOrNone } from './provision/browser.ts'
import type { ProvidedCaddy } from './provision/caddy.ts'
import type { ProvidedServer } from './provision/server-binary.ts'
import type { Runtime } from './runtime/runtime.ts'

export interface Subject {
  server: ProvidedServer
  caddy: ProvidedCaddy
  /** Null for the reference server, which has no Caddyfile. */
  caddyfile: (AdaptedCaddyfile & { file: string; isDefault: boolean }) | null
  capabilities: CaddyCapabilities | null
  /** Names the file serves streams under, as a client would ask for them; empty where it serves any. */
  names: string[]
  /** The cache: which program, and the configuration that is judged. */
  edge: { kind: Edge; program: ProvidedEdge; config: EdgeConfigRead & { isDefault: boolean }; stock: EdgeConfig }
  /** The TLS edge's own Caddyfile, adapted by the Caddy that runs it. */
  tlsEdge: { json: JsonObject; file: string; files: readonly string[]; isDefault: boolean }
  /** What the data_dir holds of which a copy is opened; null where none was given. */
  dataDir: DataDir | null
  /** For scenarios with a browser; why there is none, where there is none. */
  browser: BrowserOrNone
}

export interface GatherOptions {
  server: ProvidedServer
  caddy: ProvidedCaddy
  edge: { kind: Edge; program: ProvidedEdge }
  caddyfile?: string
  /** A data_dir to open a copy of. */
  dataDirFrom?: string
  tlsCaddyfile?: string
  /** Of the edge. */
  edgeConfig?: string
  /** Of the run: what adapters and compilers write goes into its temporary folders. */
  runtime: Runtime
  browser: BrowserOrNone
}

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const defaultCaddyfile = path.join(root, 'caddy', 'Caddyfile')
const defaultTlsCaddyfile = path.join(root, 'caddy', 'tls-edge.Caddyfile')

/** Reads and adapts the user's files, or the project's own. Throws UsageError for a file that is wrong. */
export async function gather(options: GatherOptions): Promise<Subject> {
  const { server, caddy } = options
  if (server.kind === 'reference' && options.caddyfile !== undefined) {
    throw new UsageError(
      `--caddyfile ${options.caddyfile} needs the production server, which could not be had (${server.because}); give --server-bin PATH.`,
    )
  }
  const files = await readFiles(options)
  if (files.capabilities?.streamHandlers === 0) {
    throw new UsageError(`${files.caddyfile!.file} has no durable_streams directive: it serves no stream; give the file that does.`)
  }
  const dataDir = options.dataDirFrom === undefined ? null : await gatherDataDir(options.dataDirFrom, server, files.capabilities)
  return { server, caddy, ...files, dataDir, browser: options.browser }
}

/** Only looks at it. Throws UsageError where no copy of it could be opened by this subject. */
async function gatherDataDir(folder: string, server: ProvidedServer, capabilities: CaddyCapabilities | null): Promise<DataDir> {
  if (server.kind === 'reference') {
    throw new UsageError(`--data-dir-from ${folder} needs the production server, which could not be had (${server.because}); give --server-bin PATH.`)
  }
  const dataDir = await inspectDataDir(folder)
  if (dataDir.streams.length === 0) throw new UsageError(`The data_dir ${folder} holds no stream; is it the one that the Caddyfile's data_dir names?`)
  const bases = (capabilities?.streamRoutes ?? []).map((route) => route.replace(/\*+$/, ''))
  const unserved = dataDir.streams.find((stream) => !bases.some((base) => stream.path.startsWith(base)))
  if (unserved) {
    throw new UsageError(`The data_dir ${folder} holds the stream ${unserved.path}, and the Caddyfile serves streams at ${bases.join(', ')} only; give its own one with --caddyfile.`)
  }
  return dataDir
}

/** A name that a wildcard stands for. */
function concreteName(host: string): string {
  return host.replaceAll('*', 'simulation')
}

/** The user's files in the programs' own words; the TLS edge answers to the names the first one serves. */
async function readFiles({ server, edge, caddy, runtime, ...given }: GatherOptions) {
  const workDir = await runtime.temporaryFolder('gather')
  try {
    const [caddyfile, gatheredEdge] = await allDone([
      server.kind === 'production' ? gatherCaddyfile(server.path, given.caddyfile, workDir) : null,
      gatherEdge(edge.kind, edge.program, given.edgeConfig, workDir),
    ] as const)
    const capabilities = caddyfile ? capabilitiesOf(caddyfile.json) : null
    const names = (capabilities?.streamHosts ?? []).map(concreteName).filter((name) => isIP(name) === 0)
    const environment = names.length > 0 ? { TLS_EDGE_NAMES: names.join(', ') } : {}
    const tlsFile = path.resolve(given.tlsCaddyfile ?? defaultTlsCaddyfile)
    const variables = variablesFor(readSources(tlsFile).variables.map((variable) => variable.name), process.env)
    const { json, files } = await adaptCaddyfile({ caddyPath: caddy.path, file: tlsFile, workDir, environment: { ...variables, ...environment }, run: caddy.run })
    const tlsEdge = { json, file: tlsFile, files, isDefault: given.tlsCaddyfile === undefined }
    return { caddyfile, capabilities, names, edge: gatheredEdge, tlsEdge }
  } finally {
    await rm(workDir, { recursive: true, force: true })
  }
}

async function gatherCaddyfile(program: string, given: string | undefined, workDir: string) {
  const file = path.resolve(given ?? defaultCaddyfile)
  // `{$DOMAIN}` and its like: what the user's shell has, but for names that sound like secrets.
  const names = readSources(file).variables.map((variable) => variable.name)
  const adapted = await adaptCaddyfile({ caddyPath: program, file, environment: variablesFor(names, process.env), workDir })
  return { ...adapted, file, isDefault: given === undefined }
}

/** The user's configuration, or the project's own; and the control beside it. */
async function gatherEdge(kind: Edge, program: ProvidedEdge, given: string | undefined, workDir: string): Promise<Subject['edge']> {
  const read = (file: string) => kind.readConfig(program, file, workDir)
  const config = await read(path.resolve(given ?? path.join(root, kind.config.recommended)))
  const stock = await read(path.join(root, kind.config.stock))
  return { kind, program, config: { ...config, isDefault: given === undefined }, stock }
}

/** What the file itself says, before it is confined to any world's ports and folders. */
function capabilitiesOf(json: JsonObject): CaddyCapabilities {
  const nowhere = { dataDir: '/', storageDir: '/', logDir: '/', adminSocket: null }
  countListeners(json)
  return confineCaddyConfig(json, { ...nowhere, listen: (n) => `127.0.0.1:${n + 1}` }).capabilities
}
