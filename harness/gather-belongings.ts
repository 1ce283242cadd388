/**
 * What a run needs of this machine's files, for an engine that does not see them: the project and what the
 * user gave, each at its own path. What is found in PATH or a cache here is a program of this machine, and stays.
 */
import { readFileSync, statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { readSources } from './confine/caddyfile.ts'
import { readGivenText } from './confine/read-given-text.ts'
import { inspectDataDir } from './data-dir/inspect.ts'
import { edgeById } from './edges/edges.ts'
import { UsageError } from './errors.ts'
import type { Options } from './options.ts'
import { elfOf, processorName } from './provision/executable-format.ts'
import { cacheFolder } from './provision/cache-folder.ts'
import { serversFolder } from './provision/server-cache.ts'
import type { Belonging, Keepsake } from './runtime/elsewhere/belongings.ts'
import { cacheThere } from './runtime/elsewhere/told.ts'

/** Environment that a run asks for, beside what a Caddyfile names. */
const ownVariables = /^(DURABLE_STREAMS_(?!RUNTIME$|TOLD$|BOOTSTRAP_FD$|SERVER_BIN$)\w+|TWIN|TZ|NO_COLOR|GITHUB_ACTIONS|GITHUB_WORKSPACE|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY)$/

export interface Belongings {
  files: Belonging[]
  env: Record<string, string>
  /** The server binary that was given, by flag or environment. */
  serverBin: string | null
  /** What is downloaded there is not downloaded again. */
  keepsakes: Keepsake[]
}

export interface Gathering {
  options: Options
  /** The checkout. */
  root: string
  /** Files of the scenarios that were named, the project's own among them. */
  scenarioFiles: readonly string[]
  /** The engine's processor. */
  arch: string
  env: NodeJS.ProcessEnv
}

/** @throws UsageError for a file that cannot be read, or a program that cannot run there */
export async function gatherBelongings({ options, root, scenarioFiles, arch, env }: Gathering): Promise<Belongings> {
  const { caddyfile, tlsCaddyfile, edgeConfig, edge, dataDirFrom, replay, serverBin, serverVersion, baselineServerBin } = options
  const fromEnvironment = serverBin === undefined && serverVersion === undefined && options.origin !== 'reference' ? env['DURABLE_STREAMS_SERVER_BIN'] || undefined : undefined
  const server = serverBin ?? fromEnvironment
  const programs = [
    await program('--server-bin', serverBin, arch),
    await program('DURABLE_STREAMS_SERVER_BIN', fromEnvironment, arch),
    await program('--baseline-server-bin', baselineServerBin, arch),
  ]
  const caddyfiles = [caddyfile, tlsCaddyfile].flatMap((file) => (file === undefined ? [] : [readSources(file)]))
  const config = edgeConfig === undefined ? [] : await edgeFiles(edge, edgeConfig)
  const project = await projectFiles(root)
  const inProject = new Set(project.map((file) => file.path))
  const named = (what: string, files: readonly string[]) => files.map((file): Belonging => ({ what, path: path.resolve(file) }))
  const files = [
    ...project,
    ...programs.flat(),
    ...named('--caddyfile', caddyfiles.flatMap((one) => one.files)),
    ...named('--edge-config', config),
    ...named('--replay', replay === undefined ? [] : [replay]),
    ...named('a scenario', scenarioFiles.flatMap((file) => withImports(file, inProject))),
    ...(dataDirFrom === undefined ? [] : await dataDirFiles(path.resolve(dataDirFrom))),
  ]
  const kept = server === undefined && options.origin !== 'reference' ? await releases(env, arch, serverVersion) : null
  const variables = new Set(caddyfiles.flatMap((one) => one.variables.map(({ name }) => name)))
  const passed = Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined && (ownVariables.test(one[0]) || variables.has(one[0])))
  const own = fromEnvironment === undefined ? {} : { DURABLE_STREAMS_SERVER_BIN: path.resolve(fromEnvironment) }
  return {
    files: unique([...files, ...(kept?.files ?? [])]),
    env: { ...Object.fromEntries(passed), ...own },
    serverBin: server === undefined ? null : path.resolve(server),
    keepsakes: kept?.keepsakes ?? [],
  }
}

/** The releases that the engine's machine can run, of this machine's cache: a folder for each, by system and processor. */
async function releases(env: NodeJS.ProcessEnv, arch: string, version: string | undefined): Promise<{ files: Belonging[]; keepsakes: Keepsake[] }> {
  const here = serversFolder(cacheFolder(env))
  const there = serversFolder(cacheFolder({ XDG_CACHE_HOME: cacheThere }))
  const own = (await readdir(here).catch(() => [])).filter((name) => name.endsWith(`_linux_${arch}`))
  const files = await Promise.all(own.map((name) => filesBelow('the cache of servers', path.join(here, name))))
  // Where there is one that will do none is downloaded.
  const suffices = version === undefined ? own.length > 0 : own.includes(`${version}_linux_${arch}`)
  return { files: files.flat().map((one) => ({ ...one, to: path.join(there, path.relative(here, one.path)) })), keepsakes: suffices ? [] : [{ there, here }] }
}

function unique(files: readonly Belonging[]): Belonging[] {
  return [...new Map(files.map((one) => [one.path, one])).values()]
}

/** What git has or would take; of a package that is no checkout, everything but what is made here. */
async function projectFiles(root: string): Promise<Belonging[]> {
  const { exitCode, stdout } = await execa('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, reject: false, timeout: 10_000 })
  const names = exitCode === 0 ? stdout.split('\0').filter(Boolean) : await packaged(root)
  const existing = await Promise.all([...new Set(names)].map(async (name) => ({ name, found: await stat(path.join(root, name)).catch(() => null) })))
  return existing.flatMap(({ name, found }) => (found?.isFile() ? [{ what: 'the project', path: path.join(root, name) }] : []))
}

const madeHere = new Set(['node_modules', 'reports', '.git', 'coverage'])

async function packaged(root: string): Promise<string[]> {
  const top = (await readdir(root)).filter((name) => !madeHere.has(name))
  const below = await Promise.all(top.map(async (name) => ((await stat(path.join(root, name))).isDirectory() ? (await readdir(path.join(root, name), { recursive: true })).map((inner) => path.join(name, inner)) : [name])))
  return below.flat()
}

/** Looked at here as well: whether a server has it open is seen by its own machine only. */
async function dataDirFiles(folder: string): Promise<Belonging[]> {
  await inspectDataDir(folder)
  return filesBelow('--data-dir-from', folder)
}

async function filesBelow(what: string, folder: string): Promise<Belonging[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(`${folder} (${what}) cannot be read (${code}).`)
  })
  return entries.filter((entry) => entry.isFile()).map((entry) => ({ what, path: path.join(entry.parentPath, entry.name) }))
}

async function edgeFiles(id: string, file: string): Promise<string[]> {
  const { config, files } = edgeById(id)
  return files({ file: path.resolve(file), source: await readGivenText(config.word, file) })
}

/** What the engine's processor cannot run is told before anything is put anywhere. */
async function program(what: string, file: string | undefined, arch: string): Promise<Belonging[]> {
  if (file === undefined) return []
  const elf = await elfOf(file).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(`${what}: ${file} cannot be read (${code}); give the path of a durable-streams-server executable.`)
  })
  const wanted = `the container engine is elsewhere and needs a Linux program for ${processorName(arch)}: give that one, or leave it out and it is downloaded there.`
  if (elf === null) throw new UsageError(`${what}: ${file} is no Linux program, and ${wanted}`)
  if (elf.arch !== arch) throw new UsageError(`${what}: ${file} is built for ${elf.name}, and ${wanted}`)
  return [{ what, path: path.resolve(file) }]
}

const importsMax = 200

/** A scenario of one's own and the files beside it that it is made of, wherever they lie; what it has of the project is there. */
function withImports(file: string, inProject: ReadonlySet<string>, found: string[] = []): string[] {
  if (inProject.has(file) || found.includes(file) || found.length >= importsMax) return found
  found.push(file)
  const source = readFileSync(file, 'utf8')
  for (const [, name = ''] of source.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g)) {
    const imported = path.resolve(path.dirname(file), name)
    if (isFile(imported)) withImports(imported, inProject, found)
  }
  return found
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false
}
