/**
 * The command line: every flag with its limits, and the configuration file where no flag speaks. What is wrong
 * is a UsageError of one sentence.
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { Command, Option } from 'commander'
import { configOption, notEmpty, quiet, usageOf, whole } from './command-line.ts'
import type { Waiver } from './conclude.ts'
import { readConfig, readingNow, type Config, type Settings } from './config.ts'
import { defaultEdge, edges } from './edges/edges.ts'
import { UsageError } from './errors.ts'
import { forMsDefault, readersBounds, seedBounds, staleMsBounds, streamsBounds, timeMs, timeWords } from './option-limits.ts'

export interface Options {
  ids: string[]
  profile: 'quick' | 'full' | 'soak'
  /** How long a soak lasts, and how long --shrink looks. */
  forMs: number
  /** `engine`: containers, and the harness itself in one, where it is root, also where the engine is of this machine. */
  runtime: 'auto' | 'processes' | 'containers' | 'engine'
  origin: 'auto' | 'caddy' | 'reference'
  serverBin?: string
  serverVersion?: string
  /** The current release, judged beside the candidate. */
  baselineServerBin?: string
  caddyfile?: string
  /** Of the TLS edge. */
  tlsCaddyfile?: string
  /** The id of one of `edges`. */
  edge: string
  /** Its configuration, by --edge-config or --vcl. */
  edgeConfig?: string
  readers: number
  streams: number
  staleMs: number
  dataDirFrom?: string
  /** Globs of the application's source. */
  app?: string[]
  seed?: number
  /** Runs in a row, each with a seed of its own unless one is given. */
  repeat: number
  lastFailed: boolean
  /** Runs what is named again when one of its files has changed. */
  watch: boolean
  /** A capsule whose failure is to be seen again. */
  replay?: string
  /** Makes the replayed scenario as short as it still fails, for as long as --for says. */
  shrink: boolean
  out?: string
  browser?: string
  /** Where findings are written as SARIF. */
  sarif?: string
  keep: boolean
  json: boolean
  list: boolean
  /** As a flag said: the configuration file, or "none". */
  config?: string
  /** The file that was read, and which of its settings are in effect. */
  settings?: { file: string; taken: (keyof Settings)[]; overruled: (keyof Settings)[] }
  /** Of the configuration file. */
  waivers?: Waiver[]
}

const repeatMax = 10_000
/** Of candidate and baseline: fewer tell no figure from noise. */
const roundsDefault = 3

/** By the flags, then by the configuration file. Throws UsageError. `--help` prints and ends the process with 0. */
export async function readOptions(args: string[], reading = readingNow()): Promise<Options> {
  const { options, given, configFile } = parseCommandLine(args)
  const config = await readConfig(configFile, reading)
  if (config === null) return options
  const merged = withSettings(options, given, config)
  await refuseMissingFiles(merged, reading.cwd)
  return merged
}

/** By the flags alone. Throws UsageError. `--help` prints and ends the process with 0. */
export function parseOptions(args: string[]): Options {
  return parseCommandLine(args).options
}

interface CommandLine {
  options: Options
  /** What flags say, as far as the configuration file might. */
  given: ReadonlySet<string>
  /** By flag or by environment; "none" for none. */
  configFile: string | undefined
}

function parseCommandLine(args: string[]): CommandLine {
  const command = quiet(new Command('npm run simulate --'))
    .description('Judges a Durable Streams deployment: server, cache and settings, as in production.')
    .argument('[ids...]', 'scenarios to run, by id or by file; all of them by default')
    .addOption(configOption())
    .addOption(new Option('--profile <name>', 'how often things are repeated').choices(['quick', 'full', 'soak']).default('quick'))
    .option('--for <time>', 'how long a soak lasts, or --shrink looks: 10m, 8h, 1h30m', lasting('--for'))
    .addOption(new Option('--runtime <kind>', 'how services run; "engine" is containers, and the simulator in one, where it is root').choices(['auto', 'processes', 'containers', 'engine']).env('DURABLE_STREAMS_RUNTIME').default('auto'))
    .addOption(new Option('--origin <kind>', 'which server; "caddy" never falls back').choices(['auto', 'caddy', 'reference']).default('auto'))
    .option('--server-bin <path>', 'the production server to judge', notEmpty('--server-bin'))
    .option('--server-version <version>', 'the release to download', notEmpty('--server-version'))
    .option('--baseline-server-bin <path>', 'the current release: run in turn with the candidate, and compared', notEmpty('--baseline-server-bin'))
    .option('--caddyfile <path>', "your origin's Caddyfile", notEmpty('--caddyfile'))
    .option('--tls-caddyfile <path>', 'the Caddyfile that ends TLS in front of your cache', notEmpty('--tls-caddyfile'))
    .addOption(new Option('--edge <name>', 'which cache stands in front of the origin').choices(edges.map((edge) => edge.id)).default(defaultEdge.id))
    .option('--edge-config <path>', "your cache's configuration", notEmpty('--edge-config'))
    .option('--vcl <path>', 'your VCL: --edge-config for Varnish', notEmpty('--vcl'))
    .option('--data-dir-from <folder>', 'open a copy of this data_dir and read every stream in it', notEmpty('--data-dir-from'))
    .option('--app <glob>', "your application's source, in quotes: 'src/**/*.{ts,tsx}'; may be given several times", several('--app'))
    .option('--readers <n>', 'readers in a crowd', whole('--readers', readersBounds.min, readersBounds.max), 10_000)
    .option('--streams <n>', 'streams you expect to be written at one time', whole('--streams', streamsBounds.min, streamsBounds.max), 1_000)
    .option('--stale-ms <n>', 'how old an answer without a lifetime may be', whole('--stale-ms', staleMsBounds.min, staleMsBounds.max), 1_000)
    .option('--seed <n>', 'repeats a schedule', whole('--seed', seedBounds.min, seedBounds.max))
    .option('--repeat <n>', 'run it so often, and tell how often each scenario ended how', whole('--repeat', 1, repeatMax))
    .option('--last-failed', 'only the scenarios that did not pass in the latest run', false)
    .option('--watch', 'run the named scenarios again when their files, or the configurations given, have changed', false)
    .option('--replay <capsule>', 'run what a capsule holds, and tell whether its failure is still there', notEmpty('--replay'))
    .option('--shrink', 'with --replay: look for the shortest scenario that still fails so, for as long as --for says', false)
    .option('--out <folder>', 'where runs are kept, instead of reports/', notEmpty('--out'))
    .option('--browser <path>', 'the Chromium or Chrome for what only a browser shows, or "none"', notEmpty('--browser'))
    .option('--keep', 'leave the world of the one scenario that is named running; of several keep the data_dir and other temporary data', false)
    .option('--sarif <path>', 'write what reading your files found as SARIF 2.1.0', notEmpty('--sarif'))
    .option('--json', 'print result.json on stdout', false)
    .option('--list', 'list the scenarios and end', false)
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    const usage = usageOf(error, 'All flags are listed by: npm run simulate -- --help')
    if (usage === null) process.exit(0)
    throw usage
  }
  const { vcl, for: forMs = forMsDefault, config: configFile, ...given } = command.opts<Omit<Options, 'ids' | 'forMs' | 'repeat'> & { vcl?: string; for?: number; repeat?: number }>()
  const config = configFile !== undefined && isFlag(command, 'config') ? { config: configFile } : {}
  const repeat = given.repeat ?? (given.baselineServerBin === undefined ? 1 : roundsDefault)
  const options = { ids: command.args, ...given, repeat, forMs, ...config, ...edgeConfigOf(given, vcl) }
  refuseTwoChoices(options)
  return { options, given: new Set(Object.keys(options).filter((name) => isFlag(command, name))), configFile }
}

/** `--vcl` gives both. */
function isFlag(command: Command, name: string): boolean {
  const spoken = (flag: string) => command.getOptionValueSource(flag) === 'cli'
  if (name === 'edge' || name === 'edgeConfig') return spoken(name) || spoken('vcl')
  return spoken(name === 'forMs' ? 'for' : name)
}

/** What a capsule is replayed with: it brings the rest itself. */
const forReplay: readonly string[] = ['origin', 'serverBin', 'serverVersion', 'runtime', 'browser', 'out']

/** Flags overrule the file, and with a setting what would make no sense without it. */
function withSettings(options: Options, given: ReadonlySet<string>, { file, settings, waivers }: Config): Options {
  const isReplay = options.replay !== undefined
  const names = (Object.keys(settings) as (keyof Settings)[]).filter((name) => settings[name] !== undefined && (!isReplay || forReplay.includes(name)))
  const overruled = names.filter((name) => given.has(name) || isPointless(name, options, given, settings))
  const taken = names.filter((name) => !overruled.includes(name))
  const own = Object.fromEntries(taken.map((name) => [name, settings[name]]))
  return { ...options, ...own, settings: { file, taken, overruled }, ...(isReplay ? {} : { waivers }) }
}

function isPointless(name: keyof Settings, options: Options, given: ReadonlySet<string>, settings: Settings): boolean {
  const otherServer = given.has('serverBin') || given.has('serverVersion')
  const noServer = given.has('origin') && options.origin === 'reference'
  if (name === 'serverBin' || name === 'serverVersion') return otherServer || noServer
  if (name === 'origin') return otherServer && settings.origin === 'reference'
  if (name === 'caddyfile') return noServer
  return name === 'edgeConfig' && given.has('edge') && options.edge !== (settings.edge ?? defaultEdge.id)
}

const fileSettings = { serverBin: 'server.bin', caddyfile: 'caddyfile', tlsCaddyfile: 'tlsCaddyfile', edgeConfig: 'vcl or edge.config' } as const

/** Told of the file that names them: who gave no flag looks for none. */
async function refuseMissingFiles(options: Options, cwd: string): Promise<void> {
  const { file, taken } = options.settings!
  for (const [name, setting] of Object.entries(fileSettings) as [keyof typeof fileSettings, string][]) {
    if (!taken.includes(name)) continue
    await stat(path.resolve(cwd, options[name]!)).catch(({ code }: NodeJS.ErrnoException) => {
      throw new UsageError(`${file}: ${setting} names ${options[name]}, which cannot be read (${code}); paths are relative to the file.`)
    })
  }
}

/** What is run is named, or taken from the latest run, or from a capsule. */
function refuseTwoChoices({ ids, lastFailed, watch, replay, shrink, repeat, baselineServerBin, caddyfile, edgeConfig }: Options): void {
  if (lastFailed && ids.length > 0) {
    throw new UsageError(`--last-failed takes the scenarios from the latest run; leave out either it or ${ids.join(' ')}.`)
  }
  if (baselineServerBin !== undefined && (watch || replay !== undefined)) throw new UsageError(`--baseline-server-bin compares whole runs; leave out ${watch ? '--watch' : '--replay'}.`)
  if (watch && ids.length === 0) throw new UsageError('--watch runs named scenarios again; name one, or several: npm run simulate -- --list')
  if (watch && (repeat > 1 || replay !== undefined)) throw new UsageError(`--watch makes one run after each change; leave out ${repeat > 1 ? '--repeat' : '--replay'}.`)
  if (shrink && replay === undefined) throw new UsageError('--shrink makes the scenario of a capsule shorter; name that with --replay.')
  if (shrink && repeat > 1) throw new UsageError('--shrink repeats each trial as often as it takes; leave out --repeat.')
  if (replay === undefined) return
  const other = [...ids, ...(lastFailed ? ['--last-failed'] : []), ...(caddyfile === undefined ? [] : ['--caddyfile']), ...(edgeConfig === undefined ? [] : ['--edge-config'])]
  if (other.length > 0) throw new UsageError(`--replay takes the scenario and its configurations from the capsule; leave out either it or ${other.join(' ')}.`)
}

/** `--vcl` is another word for `--edge-config`, and says by itself which cache is meant. */
function edgeConfigOf({ edge, edgeConfig }: Pick<Options, 'edge' | 'edgeConfig'>, vcl: string | undefined) {
  if (vcl === undefined) return {}
  if (edgeConfig !== undefined) throw new UsageError('--vcl and --edge-config both name the configuration of the cache; give one of them.')
  if (edge !== defaultEdge.id) throw new UsageError(`--vcl is for Varnish, and --edge asks for ${edge}; give its configuration with --edge-config.`)
  return { edgeConfig: vcl }
}

/** The flags that start such a run again without a configuration file, but for what they are by themselves. The seed comes first. */
export function flagsOf(options: Options, seed: number): Flag[] {
  return wordsOf(options, seed, (_, isDefault) => !isDefault)
}

/**
 * The flags that start such a run again with the configuration file that it had. What a capsule brought is no
 * setting of the file: there all is said by flags.
 */
export function flagsToRepeat(options: Options, seed: number): Flag[] {
  const { settings, config, replay } = options
  if (!settings || replay !== undefined) return [...flagsOf(options, seed), ...(settings || config === 'none' ? [['--config', 'none'] as Flag] : [])]
  const { file, taken, overruled } = settings
  const own = wordsOf(options, seed, (name, isDefault) => name === 'seed' || overruled.includes(name as keyof Settings) || (!isDefault && !taken.includes(name as keyof Settings)))
  return [['--config', file], ...own]
}

type Flag = [flag: string, value: string]

function wordsOf(options: Options, seed: number, said: (name: keyof Options, isDefault: boolean) => boolean): Flag[] {
  const flags: [name: keyof Options, flag: string, value: string | number | undefined, isDefault?: boolean][] = [
    ['seed', '--seed', seed],
    ['profile', '--profile', options.profile, options.profile === 'quick'],
    ['forMs', '--for', `${Math.round(options.forMs / 1000)}s`, options.forMs === forMsDefault],
    ['runtime', '--runtime', options.runtime, options.runtime === 'auto'],
    ['origin', '--origin', options.origin, options.origin === 'auto'],
    ['serverBin', '--server-bin', options.serverBin],
    ['serverVersion', '--server-version', options.serverVersion],
    ['caddyfile', '--caddyfile', options.caddyfile],
    ['dataDirFrom', '--data-dir-from', options.dataDirFrom],
    ['tlsCaddyfile', '--tls-caddyfile', options.tlsCaddyfile],
    ['edge', '--edge', options.edge, options.edge === defaultEdge.id],
    ['edgeConfig', '--edge-config', options.edgeConfig],
    ['browser', '--browser', options.browser],
    ...(options.app ?? []).map((glob): ['app', string, string] => ['app', '--app', glob]),
    ['readers', '--readers', options.readers, options.readers === 10_000],
    ['streams', '--streams', options.streams, options.streams === 1_000],
    ['staleMs', '--stale-ms', options.staleMs, options.staleMs === 1_000],
  ]
  return flags.flatMap(([name, flag, value, isDefault = false]) => (value !== undefined && said(name, isDefault) ? [[flag, String(value)]] : []))
}

/** Given several times it is a list. */
export function several(flag: string) {
  const one = notEmpty(flag)
  return (text: string, before: string[] = []): string[] => [...before, one(text)]
}

function lasting(flag: string) {
  return (text: string): number => {
    const ms = timeMs(text)
    if (ms !== null) return ms
    throw new UsageError(`${flag} takes ${timeWords}, not "${text}".`)
  }
}
