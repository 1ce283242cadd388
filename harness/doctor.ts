/** `npm run doctor`: what this machine can prove and what it cannot, each with the remedy. Changes nothing. */
import { statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { monotonicMs } from './clock.ts'
import { edges } from './edges/edges.ts'
import { exitCodes, UsageError } from './errors.ts'
import { explain } from './explain.ts'
import { hostCanHold, openFilesMax } from './load/fleet/limits.ts'
import { cacheFolder } from './provision/cache-folder.ts'
import { findCaddy } from './provision/caddy.ts'
import { openIdentityCache } from './provision/identity-cache.ts'
import { canInstall, installCommand, thisHost, type Missing } from './provision/missing-tools.ts'
import { provisionServer } from './provision/provision.ts'
import type { ProvidedServer } from './provision/server-binary.ts'
import { examinationLines, type Finding } from './report/examination.ts'
import { bytes, number } from './report/figures.ts'
import { whyNotAsRoot } from './runtime/as-root.ts'
import { openAnyEngine } from './runtime/engine.ts'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const readersWanted = 10_000
/** 10,000 event streams through Varnish: 1 GB there, the rest for fleet, TLS edge and server. */
const memoryWantedBytes = 4 * 1024 ** 3
const diskWantedBytes = 1024 ** 3
const clockWatchedMs = 300
const clockDriftMaxMs = 20

async function main(args: string[]): Promise<number> {
  const json = jsonAsked(args)
  const findings = await examine()
  const width = Math.min(process.stdout.columns ?? 80, 100)
  process.stdout.write(json ? `${JSON.stringify({ findings }, null, 2)}\n` : `${examinationLines(findings, width).join('\n')}\n`)
  const states = findings.map(({ state }) => state)
  return states.includes('missing') ? exitCodes.usage : states.includes('less') ? exitCodes.unknown : exitCodes.ready
}

function jsonAsked(args: string[]): boolean {
  try {
    return parseArgs({ args, options: { json: { type: 'boolean', default: false } } }).values.json
  } catch (error) {
    throw new UsageError(`${(error as Error).message} Usage: npm run doctor -- [--json]`)
  }
}

/** All findings, in the order in which they matter. */
export async function examine(env: NodeJS.ProcessEnv = process.env): Promise<Finding[]> {
  const { server, finding } = await theServer(env)
  const search = { env, identities: openIdentityCache(cacheFolder(env)), folders: undefined, signal: undefined }
  const caches = edges.map(async (edge): Promise<Finding> => {
    const found = await edge.find(search)
    // Only one of them stands in front of the server.
    const optional = edge !== edges[0]
    return 'tools' in found ? missing(edge.name, found, optional) : fine(edge.name, `${found.version}, ${found.path}`)
  })
  const caddy = async (): Promise<Finding> => {
    const found = await findCaddy({ ...search, server })
    return 'tools' in found ? missing('Caddy for the TLS edge', found, false) : fine('Caddy for the TLS edge', `${found.version}, ${found.path}`)
  }
  const programs = await Promise.all([...caches, caddy(), theEngine()])
  return [finding, ...programs, readers(), memory(), ...(await disks()), await clock(), await privileges()]
}

function fine(what: string, because: string): Finding {
  return { what, state: 'fine', because: because.endsWith('.') ? because : `${because}.`, remedy: '' }
}

function missing(what: string, { tools, because }: Missing, optional: boolean): Finding {
  const host = thisHost()
  const command = installCommand(tools, host)
  const remedy = command === null ? `Install ${tools.map(({ name }) => name).join(' and ')} with this system's package manager.` : `Run: ${command}`
  const byItself = canInstall(host)
  return { what, state: optional || byItself ? 'less' : 'missing', because: `${because}.`, remedy: byItself ? `A run that needs it installs it by itself. ${remedy}` : remedy }
}

/** What is here already; a run would also ask upstream's releases. */
async function theServer(env: NodeJS.ProcessEnv): Promise<{ server: ProvidedServer; finding: Finding }> {
  const what = 'the production server'
  try {
    const server = await provisionServer({ origin: 'auto', env: { ...env, DURABLE_STREAMS_SERVER_DOWNLOAD: 'off' } })
    if (server.kind === 'production') return { server, finding: fine(what, `${server.version}, ${server.label}, ${server.path} (from the ${server.source})`) }
    const remedy = 'A run downloads the release from upstream, if it can reach it; or give --server-bin PATH, or set DURABLE_STREAMS_SERVER_BIN. Without it the reference server stands in, and nothing is ever "ready".'
    return { server, finding: { what, state: 'less', because: 'none is here yet.', remedy } }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const server = await provisionServer({ origin: 'reference', env })
    return { server, finding: { what, state: 'missing', because: error.message, remedy: '' } }
  }
}

async function theEngine(): Promise<Finding> {
  const what = 'a container engine'
  try {
    const { description, isHere } = await openAnyEngine()
    return fine(what, isHere ? description : `${description}; it does not see this machine's files, so a run puts the harness into it, too`)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { what, state: 'less', because: error.message.replace(/: .*$/s, '.'), remedy: 'A run then has plain processes instead of containers, and judges the same.' }
  }
}

/** Each hop has the same hard limit: services inherit it. */
function readers(): Finding {
  const max = openFilesMax('self', 'hard') ?? Number.POSITIVE_INFINITY
  const hop = (id: string, descriptorsPerReader: number) => ({ id, openFiles: 100, openFilesMax: max, descriptorsPerReader })
  const { readersMax, because, connectsInFlightMax } = hostCanHold([hop('cache', 1), hop('TLS edge', 1.01), hop('origin', 1)])
  const holds = `this machine holds ${Number.isFinite(readersMax) ? number(readersMax) : 'any number of'} readers at once`
  if (readersMax >= readersWanted) return fine('a crowd of 10,000', `${holds}; ${because} At most ${number(connectsInFlightMax)} connect at the same time`)
  return { what: 'a crowd of 10,000', state: 'less', because: `${holds}: ${because}`, remedy: `Raise it above ${number(readersWanted + 500)}; until then crowds are as large as can be, and the report says so.` }
}

function memory(): Finding {
  const what = 'memory'
  const total = os.totalmem()
  if (total >= memoryWantedBytes) return fine(what, `${bytes(total)}, ${number(os.availableParallelism())} cores`)
  return { what, state: 'less', because: `${bytes(total)}; a crowd of 10,000 event streams needs ${bytes(memoryWantedBytes)} for all hops together.`, remedy: 'Run with fewer: --readers 2000.' }
}

async function disks(): Promise<Finding[]> {
  const places: [string, string, string][] = [
    ['disk for reports', root, 'Free some, or give another folder with --out.'],
    ['disk for temporary data', os.tmpdir(), 'Free some, or set TMPDIR to another one.'],
  ]
  return Promise.all(places.map(async ([what, folder, remedy]): Promise<Finding> => {
    const { bavail, bsize } = await statfs(folder)
    const free = `${bytes(bavail * bsize)} are free where ${folder} lies`
    if (bavail * bsize >= diskWantedBytes) return fine(what, free)
    return { what, state: 'missing', because: `${free}; a run needs ${bytes(diskWantedBytes)}.`, remedy }
  }))
}

/** Lifetimes are judged by the one clock and told by the other. */
async function clock(): Promise<Finding> {
  const [wallMs, steadyMs] = [Date.now(), monotonicMs()]
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, clockWatchedMs)
  await promise
  const drift = Math.abs(Date.now() - wallMs - (monotonicMs() - steadyMs))
  const told = `wall clock and steady clock differed by ${Math.round(drift)} ms in ${clockWatchedMs} ms`
  if (drift <= clockDriftMaxMs) return fine('the clock', told)
  return { what: 'the clock', state: 'less', because: `${told}: something sets it.`, remedy: 'Let the time be synchronised before a run, or its lifetimes are judged wrongly.' }
}

async function privileges(): Promise<Finding> {
  const what = 'privileges'
  // Elsewhere the simulation is root in a container.
  if (process.platform !== 'linux') return fine(what, 'none are needed')
  if (process.getuid!() === 0) return fine(what, 'root: what is missing is installed by itself')
  if ((await whyNotAsRoot()) === null) return fine(what, 'sudo asks for no password: it mounts what scenarios of full disks and power cuts need. What is missing is not installed by itself')
  return {
    what,
    state: 'less',
    because: 'Not root, and sudo is not there or asks for a password: no disk can be filled, and no power cut, so that durability-disk stays unknown, and no run is READY.',
    remedy: 'Run the simulation as root, or where there is a container engine with --runtime engine, or waive that row with a reason in simulate.config.ts.',
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2)).catch(explain)
