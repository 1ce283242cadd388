/**
 * `simulate.config.ts`: the user's settings, and the rows that they waive. It is found, run and held against
 * what there is; what is wrong is one sentence with the place. Paths in it are relative to the file.
 */
import path from 'node:path'
import type { SimulateConfig } from '../define-config.mjs'
import type { Waiver } from './conclude.ts'
import { findConfig } from './config/find-config.ts'
import { importConfig } from './config/import-config.ts'
import { placeOfSetting, type SettingPath } from './config/place-of-setting.ts'
import { configSchema, problemOf } from './config/schema.ts'
import { defaultEdge, edges } from './edges/edges.ts'
import { UsageError } from './errors.ts'
import { timeMs } from './option-limits.ts'

/** Settings as the flags of the same meaning have them; paths are relative to the working directory. */
export interface Settings extends Pick<SimulateConfig, 'origin' | 'caddyfile' | 'tlsCaddyfile' | 'streams' | 'readers' | 'profile' | 'runtime' | 'seed' | 'browser' | 'out'> {
  serverBin?: string | undefined
  serverVersion?: string | undefined
  edge?: string | undefined
  edgeConfig?: string | undefined
  app?: string[] | undefined
  staleMs?: number | undefined
  forMs?: number | undefined
}

export interface Config {
  /** As it was given, or found: relative to the working directory, or absolute. */
  file: string
  settings: Settings
  waivers: Waiver[]
}

/** Where and when it is read, and for how long. */
export interface Reading {
  cwd: string
  /** YYYY-MM-DD, in UTC. */
  today: string
  /** How long a file may run. */
  loadMsMax: number
}

export function readingNow(): Reading {
  return { cwd: process.cwd(), today: new Date().toISOString().slice(0, 10), loadMsMax: 10_000 }
}

/**
 * The file that was given with `--config`, or the one in the working directory; null where there is none, and for
 * "none". Throws UsageError for a file that cannot be run, or that holds what is none of its settings.
 */
export async function readConfig(given: string | undefined, reading = readingNow()): Promise<Config | null> {
  const file = findConfig(given, reading.cwd)
  if (file === null) return null
  const absolute = path.resolve(reading.cwd, file)
  const exported = await importConfig(absolute, file, reading.loadMsMax)
  const parsed = configSchema(edges.map(({ id }) => id), reading.today).safeParse(exported)
  const wrong = parsed.success ? contradictionIn(parsed.data) : problemOf(parsed.error, exported)
  if (wrong) throw await refused(absolute, file, wrong.setting, wrong.sentence)
  const config = parsed.data!
  return { file, settings: settingsOf(config, path.dirname(absolute), reading.cwd), waivers: waiversOf(config, reading.today) }
}

/** An error whose sentence begins with the place of the setting. */
async function refused(absolute: string, shown: string, setting: SettingPath, sentence: string): Promise<UsageError> {
  return new UsageError(`${shown}${await placeOfSetting(absolute, setting)}: ${sentence}`)
}

/** Settings of which each is right, and that cannot both be. */
function contradictionIn({ origin, server, caddyfile, vcl, edge, waivers = [] }: SimulateConfig): { setting: SettingPath; sentence: string } | null {
  if (origin === 'reference' && (server !== undefined || caddyfile !== undefined)) {
    return { setting: ['origin'], sentence: `origin "reference" takes no ${server === undefined ? 'caddyfile' : 'server'} of yours; leave out one of the two.` }
  }
  if (server?.bin !== undefined && server.version !== undefined) {
    return { setting: ['server', 'version'], sentence: 'server.bin and server.version both name the server; give one of them.' }
  }
  if (vcl !== undefined && edge !== undefined) {
    return { setting: ['vcl'], sentence: 'vcl and edge both name the cache; give one of them.' }
  }
  const twice = waivers.findIndex(({ row }, n) => waivers.findIndex((one) => one.row === row) < n)
  if (twice < 0) return null
  return { setting: ['waivers', twice, 'row'], sentence: `waivers[${twice}] waives ${waivers[twice]!.row} a second time; keep one of the two.` }
}

function settingsOf(config: SimulateConfig, folder: string, cwd: string): Settings {
  const { server, edge, vcl, bounds, browser, app } = config
  const at = (file: string | undefined) => (file === undefined ? undefined : path.relative(cwd, path.resolve(folder, file)) || '.')
  const globAt = (glob: string) => (path.isAbsolute(glob) ? glob : path.posix.join(path.relative(cwd, folder).split(path.sep).join('/'), glob))
  const cache = vcl === undefined ? { kind: edge?.kind, config: edge?.config } : { kind: defaultEdge.id, config: vcl }
  return {
    origin: config.origin,
    profile: config.profile,
    runtime: config.runtime,
    streams: config.streams,
    readers: config.readers,
    seed: config.seed,
    serverBin: at(server?.bin),
    serverVersion: server?.version,
    caddyfile: at(config.caddyfile),
    tlsCaddyfile: at(config.tlsCaddyfile),
    edge: cache.kind,
    edgeConfig: at(cache.config),
    app: app === undefined ? undefined : [app].flat().map(globAt),
    staleMs: bounds?.staleMs,
    forMs: config.for === undefined ? undefined : timeMs(config.for)!,
    browser: browser === 'none' ? browser : at(browser),
    out: at(config.out),
  }
}

function waiversOf({ waivers = [] }: SimulateConfig, today: string): Waiver[] {
  return waivers.map(({ row, reason, until }) => ({ row, reason: reason.trim().replace(/\s+/g, ' '), until, expired: until < today }))
}
