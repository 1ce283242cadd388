/**
 * Adapts a Caddyfile of the production server with a plain Caddy, which does not know `durable_streams`: in a
 * copy of the file and of what it imports, Caddy's own `vars` stands in for it and takes the same settings.
 * What only the production server itself would refuse (an unknown setting, say) is not noticed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { durationMs } from './caddy-capabilities.ts'
import { adaptCaddyfile, readSources, type AdaptedCaddyfile, type AdaptOptions } from './caddyfile.ts'
import { linesOfTokens } from './caddyfile-tokens.ts'
import { EditedSource } from './edited-source.ts'
import { isObject, type Json, type JsonObject } from './json.ts'

const directive = 'durable_streams'
const marker = 'durable_streams_stand_in'

/** @throws UsageError with the adapter's own words, and the places of the user's own files */
export async function adaptWithStandIn(options: AdaptOptions): Promise<AdaptedCaddyfile> {
  const file = resolve(options.file)
  const sources = readSources(file)
  const folder = mkdtempSync(join(options.workDir ?? tmpdir(), 'caddy-stand-in-'))
  const adapted = (prepare: (source: string) => string) => {
    for (const one of sources.files) copyOf(one, folder, prepare)
    return adaptCaddyfile({ ...options, file: mirrored(folder, file), workDir: folder })
  }
  try {
    const first = await adapted((source) => source)
    const { json, warnings } = JSON.stringify(first.json).includes('{args[') ? await adapted(withOldArguments) : first
    return { ...sources, json: withHandlers(json) as JsonObject, warnings }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(error.message.replaceAll(join(folder, 'files'), ''))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same path below a folder: imports by relative paths lead to the copies. */
function mirrored(folder: string, file: string): string {
  return join(folder, 'files', relative('/', file))
}

function copyOf(file: string, folder: string, prepare: (source: string) => string): void {
  const to = mirrored(folder, file)
  mkdirSync(dirname(to), { recursive: true })
  writeFileSync(to, prepare(withStandIns(readFileSync(file, 'utf8'), (imported) => mirrored(folder, imported))))
}

/** Caddy before 2.7 knows the arguments of a snippet by another spelling only. */
function withOldArguments(source: string): string {
  return source.replaceAll(/\{args\[(\d+)\]\}/g, '{args.$1}')
}

/** `durable_streams` becomes `vars`, marked; lines keep their numbers. */
export function withStandIns(source: string, moved: (imported: string) => string = (name) => name): string {
  const edited = new EditedSource(source, [], [])
  for (const line of linesOfTokens(source)) {
    const [first, second] = line
    if (!first || first.quoted) continue
    if (first.value === 'import' && second && isAbsolute(second.value)) edited.edit(second.start, second.end, `"${moved(second.value)}"`)
    if (first.value === 'order') for (const { start, end } of line.filter(({ value }) => value === directive)) edited.edit(start, end, 'vars')
    if (first.value !== directive) continue
    const last = line.at(-1)!.value === '{' && !line.at(-1)!.quoted ? line.at(-2)! : line.at(-1)!
    edited.edit(last.end, last.end, ` ${marker} yes`)
    edited.edit(first.start, first.end, 'vars')
  }
  return edited.result()
}

/** The handler as the production server's own adapter prints it. */
function withHandlers(value: Json): Json {
  if (Array.isArray(value)) return value.map(withHandlers)
  if (!isObject(value)) return value
  if (value.handler !== 'vars' || value[marker] === undefined) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withHandlers(item)]))
  const { [marker]: _marker, ...settings } = value
  return Object.fromEntries(Object.entries(settings).map(([key, item]) => [key, key === 'handler' ? directive : settingOf(key, item)]))
}

function settingOf(key: string, value: Json): Json {
  if (key === 'max_file_handles') return Number.parseInt(String(value), 10) || 0
  if (/_(timeout|interval)$/.test(key)) return durationMs([value], 0) * 1e6
  return String(value)
}
