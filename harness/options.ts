/** The command line: every flag with its limits. A wrong one is a UsageError of one sentence. */
import { Command, Option } from 'commander'
import { quiet, usageOf, whole } from './command-line.ts'
import { defaultEdge, edges } from './edges/edges.ts'
import { UsageError } from './errors.ts'

export interface Options {
  ids: string[]
  profile: 'quick' | 'full' | 'soak'
  /** How long a soak lasts. */
  forMs: number
  runtime: 'auto' | 'processes' | 'containers'
  origin: 'auto' | 'caddy' | 'reference'
  serverBin?: string
  serverVersion?: string
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
  /** A capsule whose failure is to be seen again. */
  replay?: string
  out?: string
  browser?: string
  keep: boolean
  json: boolean
  list: boolean
}

const readersMax = 1_000_000
const streamsMax = 1_000_000
const forMsDefault = 600_000
const forMsMin = 20_000
const forMsMax = 14 * 24 * 3_600_000
const staleMsMax = 3_600_000
const repeatMax = 10_000

/** Throws UsageError. `--help` prints and ends the process with 0. */
export function parseOptions(args: string[]): Options {
  const command = quiet(new Command('npm run simulate --'))
    .description('Judges a Durable Streams deployment: server, cache and settings, as in production.')
    .argument('[ids...]', 'scenarios to run, by id or by file; all of them by default')
    .addOption(new Option('--profile <name>', 'how often things are repeated').choices(['quick', 'full', 'soak']).default('quick'))
    .option('--for <time>', 'how long a soak lasts: 10m, 8h, 1h30m', lasting('--for'))
    .addOption(new Option('--runtime <kind>', 'how services run').choices(['auto', 'processes', 'containers']).env('DURABLE_STREAMS_RUNTIME').default('auto'))
    .addOption(new Option('--origin <kind>', 'which server; "caddy" never falls back').choices(['auto', 'caddy', 'reference']).default('auto'))
    .option('--server-bin <path>', 'the production server to judge', notEmpty('--server-bin'))
    .option('--server-version <version>', 'the release to download', notEmpty('--server-version'))
    .option('--caddyfile <path>', "your origin's Caddyfile", notEmpty('--caddyfile'))
    .option('--tls-caddyfile <path>', 'the Caddyfile that ends TLS in front of your cache', notEmpty('--tls-caddyfile'))
    .addOption(new Option('--edge <name>', 'which cache stands in front of the origin').choices(edges.map((edge) => edge.id)).default(defaultEdge.id))
    .option('--edge-config <path>', "your cache's configuration", notEmpty('--edge-config'))
    .option('--vcl <path>', 'your VCL: --edge-config for Varnish', notEmpty('--vcl'))
    .option('--data-dir-from <folder>', 'open a copy of this data_dir and read every stream in it', notEmpty('--data-dir-from'))
    .option('--app <glob>', "your application's source, in quotes: 'src/**/*.{ts,tsx}'; may be given several times", several('--app'))
    .option('--readers <n>', 'readers in a crowd', whole('--readers', 1, readersMax), 10_000)
    .option('--streams <n>', 'streams you expect to be written at one time', whole('--streams', 1, streamsMax), 1_000)
    .option('--stale-ms <n>', 'how old an answer without a lifetime may be', whole('--stale-ms', 0, staleMsMax), 1_000)
    .option('--seed <n>', 'repeats a schedule', whole('--seed', 0, 2 ** 31 - 1))
    .option('--repeat <n>', 'run it so often, and tell how often each scenario ended how', whole('--repeat', 1, repeatMax), 1)
    .option('--last-failed', 'only the scenarios that did not pass in the latest run', false)
    .option('--replay <capsule>', 'run what a capsule holds, and tell whether its failure is still there', notEmpty('--replay'))
    .option('--out <folder>', 'where runs are kept, instead of reports/', notEmpty('--out'))
    .option('--browser <path>', 'the Chromium or Chrome for what only a browser shows, or "none"', notEmpty('--browser'))
    .option('--keep', "keep each scenario's data_dir and other temporary data in the run's folder", false)
    .option('--json', 'print result.json on stdout', false)
    .option('--list', 'list the scenarios and end', false)
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    const usage = usageOf(error, 'All flags are listed by: npm run simulate -- --help')
    if (usage === null) process.exit(0)
    throw usage
  }
  const { vcl, for: forMs = forMsDefault, ...given } = command.opts<Omit<Options, 'ids' | 'forMs'> & { vcl?: string; for?: number }>()
  const options = { ids: command.args, ...given, forMs, ...edgeConfigOf(given, vcl) }
  refuseTwoChoices(options)
  return options
}

/** What is run is named, or taken from the latest run, or from a capsule. */
function refuseTwoChoices({ ids, lastFailed, replay, caddyfile, edgeConfig }: Options): void {
  if (lastFailed && ids.length > 0) {
    throw new UsageError(`--last-failed takes the scenarios from the latest run; leave out either it or ${ids.join(' ')}.`)
  }
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

/** The flags that start such a run again, but for what they are by themselves. The seed comes first. */
export function flagsOf(options: Options, seed: number): [flag: string, value: string][] {
  const flags: [string, string | number | undefined][] = [
    ['--seed', seed],
    ['--profile', options.profile === 'quick' ? undefined : options.profile],
    ['--for', options.forMs === forMsDefault ? undefined : `${Math.round(options.forMs / 1000)}s`],
    ['--runtime', options.runtime === 'auto' ? undefined : options.runtime],
    ['--origin', options.origin === 'auto' ? undefined : options.origin],
    ['--server-bin', options.serverBin],
    ['--server-version', options.serverVersion],
    ['--caddyfile', options.caddyfile],
    ['--data-dir-from', options.dataDirFrom],
    ['--tls-caddyfile', options.tlsCaddyfile],
    ['--edge', options.edge === defaultEdge.id ? undefined : options.edge],
    ['--edge-config', options.edgeConfig],
    ['--browser', options.browser],
    ...(options.app ?? []).map((glob): [string, string] => ['--app', glob]),
    ['--readers', options.readers === 10_000 ? undefined : options.readers],
    ['--streams', options.streams === 1_000 ? undefined : options.streams],
    ['--stale-ms', options.staleMs === 1_000 ? undefined : options.staleMs],
  ]
  return flags.flatMap(([flag, value]) => (value === undefined ? [] : [[flag, String(value)]]))
}

/** Given several times it is a list. */
function several(flag: string) {
  const one = notEmpty(flag)
  return (text: string, before: string[] = []): string[] => [...before, one(text)]
}

/** A time as people write it: 90s, 10m, 8h, 1h30m. */
function lasting(flag: string) {
  return (text: string): number => {
    const parts = /^(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$/.exec(text.trim())
    const [hours = 0, minutes = 0, seconds = 0] = (parts?.slice(1) ?? []).map((part) => Number(part ?? 0))
    const ms = ((hours * 60 + minutes) * 60 + seconds) * 1_000
    if (ms >= forMsMin && ms <= forMsMax) return ms
    throw new UsageError(`${flag} takes a time from 20s to 14 days, as 90s, 10m, 8h or 1h30m, not "${text}".`)
  }
}

/** An empty path would be taken for the folder one is in: a shell's variable that was not set. */
function notEmpty(flag: string) {
  return (text: string): string => {
    if (text.trim() !== '') return text
    throw new UsageError(`${flag} was given nothing; was it a variable that is not set?`)
  }
}
