/**
 * What is to be judged: the programs, the user's files and what they say. Gathered once a run;
 * every scenario's world is made from it.
 */
import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { allDone } from './all-done.ts'
import { adaptCaddyfile, readSources, type AdaptedCaddyfile } from './confine/caddyfile.ts'
import { variablesFor } from './confine/environment.ts'
import { confineCaddyConfig, countListeners, type CaddyCapabilities } from './confine/caddy-config.ts'
import type { JsonObject } from './confine/json.ts'
import { compileVcl, confineVcl, parseVarnishdParameters } from './edges/varnish/confine.ts'
import { UsageError } from './errors.ts'
import { cacheFolder } from './provision/cache-folder.ts'
import type { ProvidedCaddy } from './provision/caddy.ts'
import { openIdentityCache } from './provision/identity-cache.ts'
import type { ProvidedServer } from './provision/server-binary.ts'
import type { ProvidedVarnish } from './edges/varnish/find.ts'
import type { Runtime } from './runtime/runtime.ts'

export interface Subject {
  server: ProvidedServer
  varnish: ProvidedVarnish
  caddy: ProvidedCaddy
  /** Null for the reference server, which has no Caddyfile. */
  caddyfile: (AdaptedCaddyfile & { file: string; isDefault: boolean }) | null
  capabilities: CaddyCapabilities | null
  /** Names the file serves streams under, as a client would ask for them; empty where it serves any. */
  names: string[]
  vcl: { file: string; source: string; isDefault: boolean; parameters: { name: string; value: string }[] }
  /** The TLS edge's own Caddyfile, adapted by the Caddy that runs it. */
  tlsEdge: JsonObject
}

export interface GatherOptions {
  server: ProvidedServer
  varnish: ProvidedVarnish
  caddy: ProvidedCaddy
  caddyfile?: string
  vcl?: string
  /** Of the run: what adapters and compilers write goes into its temporary folders. */
  runtime: Runtime
}

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const defaultCaddyfile = path.join(root, 'caddy', 'Caddyfile')
const defaultTlsCaddyfile = path.join(root, 'caddy', 'tls-edge.Caddyfile')
const defaultVcl = path.join(root, 'varnish', 'recommended.vcl')

/** Reads and adapts the user's files, or the project's own. Throws UsageError for a file that is wrong. */
export async function gather(options: GatherOptions): Promise<Subject> {
  const { server, varnish, caddy } = options
  if (server.kind === 'reference' && options.caddyfile !== undefined) {
    throw new UsageError(
      `--caddyfile ${options.caddyfile} needs the production server, which could not be had (${server.because}); give --server-bin PATH.`,
    )
  }
  const files = await readFiles(options)
  if (files.capabilities?.streamHandlers === 0) {
    throw new UsageError(`${files.caddyfile!.file} has no durable_streams directive: it serves no stream; give the file that does.`)
  }
  return { server, varnish, caddy, ...files }
}

/** A name that a wildcard stands for. */
function concreteName(host: string): string {
  return host.replaceAll('*', 'simulation')
}

/** The user's files in the programs' own words; the TLS edge answers to the names the first one serves. */
async function readFiles({ server, varnish, caddy, runtime, ...given }: GatherOptions) {
  const workDir = await runtime.temporaryFolder('gather')
  try {
    const [caddyfile, vcl] = await allDone([
      server.kind === 'production' ? gatherCaddyfile(server.path, given.caddyfile, workDir) : null,
      gatherVcl(varnish, given.vcl, workDir),
    ] as const)
    const capabilities = caddyfile ? capabilitiesOf(caddyfile.json) : null
    const names = (capabilities?.streamHosts ?? []).map(concreteName).filter((name) => isIP(name) === 0)
    const environment = names.length > 0 ? { TLS_EDGE_NAMES: names.join(', ') } : {}
    const tlsEdge = await adaptCaddyfile({ caddyPath: caddy.path, file: defaultTlsCaddyfile, workDir, environment })
    return { caddyfile, capabilities, names, vcl, tlsEdge: tlsEdge.json }
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

async function gatherVcl(varnish: ProvidedVarnish, given: string | undefined, workDir: string): Promise<Subject['vcl']> {
  const file = path.resolve(given ?? defaultVcl)
  let source: string
  try {
    source = await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`The VCL ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); give the path of a readable file.`)
  }
  await compileOnce(varnish, file, source, workDir)
  return { file, source, isDefault: given === undefined, parameters: parseVarnishdParameters(source, file) }
}

/**
 * A VCL that does not compile, or a compiler that does not work, is told before anything is started,
 * in the compiler's own words. What this Varnish and this compiler took once is not asked again: it
 * costs a second.
 */
async function compileOnce(varnish: ProvidedVarnish, file: string, source: string, workDir: string): Promise<void> {
  const { vcl, lines } = confineVcl({ source, file, backends: () => ({ host: '127.0.0.1', port: 1 }) })
  // An empty file has none, and is named all the same.
  if (lines.length === 0) lines.push({ file, line: 1 })
  const confined = path.join(workDir, 'confined.vcl')
  const compiles = async () => {
    await writeFile(confined, vcl)
    await compileVcl({ varnishdPath: varnish.varnishd, file: confined, workDir: path.join(workDir, 'vcl'), lines })
    return true
  }
  const identities = openIdentityCache(cacheFolder(process.env))
  await identities.of(`vcl ${sha256(`${varnish.sha256} ${vcl}`)}`, varnish.compiler, compiles)
}

/** What the file itself says, before it is confined to any world's ports and folders. */
function capabilitiesOf(json: JsonObject): CaddyCapabilities {
  const nowhere = { dataDir: '/', storageDir: '/', logDir: '/', adminSocket: null }
  countListeners(json)
  return confineCaddyConfig(json, { ...nowhere, listen: (n) => `127.0.0.1:${n + 1}` }).capabilities
}

export function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex')
}
