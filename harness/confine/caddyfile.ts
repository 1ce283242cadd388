/** Reads a user's Caddyfile: which files and variables it wants, and what Caddy makes of it. */
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { confinedEnvironment } from './environment.ts'
import { isObject, objectAt, type Json, type JsonObject } from './json.ts'
import { redactText } from './redact.ts'
import { onThisHost, type RunProgram } from './run-program.ts'

export interface CaddyfileVariable {
  readonly name: string
  readonly hasDefault: boolean
  readonly file: string
  readonly line: number
}

export interface CaddyfileSources {
  /** The file and everything it imports, absolute, each once. */
  readonly files: string[]
  /** `{$NAME}` (put in while reading) and `{env.NAME}` (read while running). */
  readonly variables: CaddyfileVariable[]
}

export interface AdaptOptions {
  readonly caddyPath: string
  readonly file: string
  /** Values for the variables the file names; nothing else of the environment is passed on. */
  readonly environment?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  /** Below it the adapter gets a home folder, removed afterwards; the system's temporary one unless told. */
  readonly workDir?: string
  /** How the adapter is run; on this host unless told. */
  readonly run?: RunProgram | undefined
}

export interface AdaptWarning {
  readonly message: string
  readonly file?: string
  readonly line?: number
}

export interface AdaptedCaddyfile extends CaddyfileSources {
  readonly json: JsonObject
  readonly warnings: AdaptWarning[]
}

const fileBytesMax = 4 * 1024 * 1024
const filesMax = 500

/**
 * Turns a Caddyfile into JSON with the binary's own adapter, which starts nothing. It runs with an
 * empty environment and a home folder of its own.
 *
 * @throws UsageError with the adapter's own words, file and line.
 */
export async function adaptCaddyfile(options: AdaptOptions): Promise<AdaptedCaddyfile> {
  const file = resolve(options.file)
  const sources = readSources(file)
  const home = mkdtempSync(join(options.workDir ?? tmpdir(), 'caddy-adapt-'))
  try {
    const { stdout, stderr } = await runAdapter(file, home, sources, options)
    return { ...sources, json: parseConfig(stdout, file), warnings: parseWarnings(stderr) }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function runAdapter(
  file: string,
  home: string,
  sources: CaddyfileSources,
  { caddyPath, environment = {}, timeoutMs = 20_000, run = onThisHost }: AdaptOptions,
): Promise<{ stdout: string; stderr: string }> {
  const result = await run(caddyPath, {
    args: ['adapt', '--config', file, '--adapter', 'caddyfile'],
    cwd: dirname(file),
    env: confinedEnvironment(home, environment),
    timeoutMs,
  })
  if (result.exitCode === 0) return result
  if (result.timedOut) {
    throw new UsageError(`${caddyPath} did not read ${file} within ${timeoutMs} ms.`)
  }
  if (result.exitCode === undefined) {
    throw new UsageError(`${caddyPath} could not be run: ${result.shortMessage}.`)
  }
  throw new UsageError(adapterError(result.stderr, file) + unsetHint(sources, environment))
}

/** One sentence from what the adapter wrote, with the place in front as `file:line`. */
function adapterError(stderr: string, file: string): string {
  const lines = stderr.trim().split('\n')
  const said = lines.filter((line) => line.startsWith('Error:')).at(-1) ?? lines.at(-1) ?? ''
  const words = said
    .replace(/^Error:\s*/, '')
    .replace(/^adapting config using caddyfile:\s*/, '')
    .replace(/ import chain:? \[''\]$/, '')
  const at = /(\/[^\s:'"]+):(\d+)/.exec(words)
  const place = at ? `${at[1]}:${at[2]}` : file
  // The innermost place comes first; those of the blocks around it say nothing more.
  const rest = words
    .replaceAll(/,? at \/[^\s:'"]+:\d+( import chain:? \[[^\]]*\])?/g, '')
    .replace(`${place}`, '')
    .replace(/^[\s:,-]+|[\s:,-]+$/g, '')
    .replace(/:\s+-\s/, ': ')
  return `${place}: ${redactText(rest)} (said by Caddy's adapter).`
}

function unsetHint(
  sources: CaddyfileSources,
  environment: Readonly<Record<string, string>>,
): string {
  const unset = sources.variables.filter(
    ({ name, hasDefault }) => !hasDefault && environment[name] === undefined,
  )
  if (unset.length === 0) return ''
  const names = [...new Set(unset.map(({ name }) => name))].join(', ')
  return ` The file uses variables that are not set: ${names}.`
}

function parseConfig(stdout: string, file: string): JsonObject {
  const json = JSON.parse(stdout) as Json
  if (isObject(json) && Object.keys(objectAt(json, 'apps', 'http', 'servers')).length > 0)
    return json
  throw new UsageError(`${file}: the Caddyfile configures no server; give the file that does.`)
}

/** Warnings come as JSON lines from Caddy's own log, among others that are no warning. */
function parseWarnings(stderr: string): AdaptWarning[] {
  return stderr.split('\n').flatMap((line) => {
    const entry = parseLine(line)
    if (entry === null || entry.level !== 'warn' || typeof entry.msg !== 'string') return []
    return [
      {
        message: redactText(entry.msg),
        ...(typeof entry.file === 'string' && { file: entry.file }),
        ...(typeof entry.line === 'number' && { line: entry.line }),
      },
    ]
  })
}

function parseLine(line: string): JsonObject | null {
  try {
    const entry = JSON.parse(line) as Json
    return isObject(entry) ? entry : null
  } catch {
    return null
  }
}

/**
 * Lists the files a Caddyfile is made of and the variables it wants, without running anything.
 *
 * @throws UsageError when the file can not be read.
 */
export function readSources(file: string): CaddyfileSources {
  const found = { files: [] as string[], variables: [] as CaddyfileVariable[] }
  visit(resolve(file), found, true)
  return found
}

function visit(
  file: string,
  found: { files: string[]; variables: CaddyfileVariable[] },
  isFirst: boolean,
): void {
  if (found.files.includes(file) || found.files.length >= filesMax) return
  const text = readText(file, isFirst)
  if (text === null) return
  found.files.push(file)
  for (const [index, line] of text.split('\n').entries()) {
    found.variables.push(...variablesIn(line, file, index + 1))
    for (const imported of importsIn(line, file)) visit(imported, found, false)
  }
}

function readText(file: string, isFirst: boolean): string | null {
  try {
    const size = statSync(file).size
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes, more than ${fileBytesMax}`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    // What an import can not read the adapter reports itself, with the importing line.
    if (!isFirst) return null
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`The Caddyfile ${file} can not be read: ${reason}.`)
  }
}

function variablesIn(line: string, file: string, number: number): CaddyfileVariable[] {
  const code = line.replace(/(^|\s)#.*$/, '')
  const matches = [...code.matchAll(/\{\$([^}:\s]+)(:[^}]*)?\}|\{env\.([^}\s]+)\}/g)]
  return matches.map(([, given, fallback, running]) => ({
    name: given ?? running ?? '',
    hasDefault: fallback !== undefined,
    file,
    line: number,
  }))
}

/** Files named by `import`; a name that is a snippet matches no file and gives none. */
function importsIn(line: string, file: string): string[] {
  const pattern = /^\s*import\s+(?:"([^"]+)"|`([^`]+)`|(\S+))/.exec(line)?.slice(1).find(Boolean)
  return pattern === undefined || pattern.includes('{$') ? [] : importedFiles(pattern, file)
}

/** What an `import` in `file` names, absolute; a pattern may name none. */
export function importedFiles(pattern: string, file: string): string[] {
  const absolute = resolve(dirname(file), pattern)
  return /[*?[]/.test(pattern) ? globSync(absolute).toSorted() : [absolute]
}
