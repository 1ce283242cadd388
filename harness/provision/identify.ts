import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { askProgram } from './ask-program.ts'
import { formatProblem } from './executable-format.ts'

/** The module that makes a Caddy a Durable Streams server. */
export const handlerModule = 'http.handlers.durable_streams'

/** What a Caddy build says about itself. */
export interface CaddyIdentity {
  path: string
  sha256: string
  /** The build's own number, such as 0.3.1; null where it only knows the version of its Caddy. */
  ownVersion: string | null
  caddyVersion: string
  modules: string[]
}

export type Identified = { ok: true; identity: CaddyIdentity } | Refused

/** `because` continues the sentence "the file … ": "is a directory", "did not answer …". */
export interface Refused {
  ok: false
  because: string
}

/** Asks a program whether it is a Durable Streams server; never throws for what the file is. */
export async function identifyServer(file: string, signal?: AbortSignal): Promise<Identified> {
  const found = await identifyCaddy(file, signal)
  if (!found.ok || found.identity.modules.includes(handlerModule)) return found
  return refuse(`is Caddy ${found.identity.caddyVersion} without the module ${handlerModule}`)
}

/** Asks a program whether it is any Caddy, what version, and which modules it has. */
export async function identifyCaddy(file: string, signal?: AbortSignal): Promise<Identified> {
  const problem = await fileProblem(file)
  if (problem !== null) return refuse(problem)
  const listed = await askProgram(file, ['list-modules'], signal)
  if (listed.said === null) return refuse(listed.because)
  const modules = parseModules(listed.said)
  if (listed.code !== 0 || modules.length === 0)
    return refuse(anotherProgram('list-modules', listed.said))
  const asked = await askProgram(file, ['version'], signal)
  if (asked.said === null) return refuse(asked.because)
  const version = /^v?\d[\w.+-]*/.exec(asked.said.trim())?.[0]
  if (asked.code !== 0 || version === undefined)
    return refuse(anotherProgram('version', asked.said))
  const info = await askProgram(file, ['build-info'], signal)
  const versions = readVersions(asked.said, version, info.said ?? '')
  return { ok: true, identity: { path: file, sha256: await sha256Of(file), ...versions, modules } }
}

/** The sha256 of a file, in hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}

function refuse(because: string): Refused {
  return { ok: false, because }
}

async function fileProblem(file: string): Promise<string | null> {
  try {
    const found = await stat(file)
    if (found.isDirectory()) return 'is a directory, not a program'
    if (!found.isFile()) return 'is not a regular file'
    await access(file, constants.R_OK)
    const problem = await formatProblem(file, found.size)
    if (problem !== null) return problem
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
  }
  return access(file, constants.X_OK).then(
    () => null,
    () => 'is not executable',
  )
}

/** `list-modules` prints a module a line, and totals that are not modules. */
function parseModules(said: string): string[] {
  return said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^[a-z][\w]*(\.[\w]+)+$/.test(line))
}

function anotherProgram(question: string, said: string): string {
  const firstLine = said.trim().split('\n')[0]?.slice(0, 80) ?? ''
  const quoted = firstLine === '' ? 'nothing' : JSON.stringify(firstLine)
  return `is another program: asked "${question}", it answered ${quoted}`
}

/**
 * `version` prints a release's number alone, and Caddy's own with the checksum of its module;
 * `build-info` lists the modules that were built in. An unnumbered build of a module is "(devel)".
 */
function readVersions(said: string, version: string, buildInfo: string) {
  const versionOf = (module: RegExp) => module.exec(buildInfo)?.[1] ?? null
  const caddyInside = versionOf(/github\.com\/caddyserver\/caddy\/v2\s+(v\S+)/)
  if (!/\bh1:/.test(said)) return { ownVersion: version, caddyVersion: caddyInside ?? version }
  const plugin = versionOf(/durable-streams\/packages\/caddy-plugin\s+v(\S+)/)
  return { ownVersion: plugin, caddyVersion: version }
}
