/** The command line of `npm run mutants`. */
import { Command, Option } from 'commander'
import { quiet, usageOf, whole } from '../command-line.ts'
import { defaultEdge, edges } from '../edges/edges.ts'

export interface MutantsOptions {
  /** Of the ids: all that begin so. */
  only: string[]
  target: 'all' | 'edge' | 'caddyfile' | 'tls'
  edge: string
  edgeConfig?: string
  origin: 'auto' | 'caddy' | 'reference'
  serverBin?: string
  readers: number
  streams: number
  minutes: number
  baseRuns: number
  all: boolean
  /** Only these are asked; all where there are none. */
  scenarios: string[]
  atOnce: number
  resume?: string
  out?: string
  json: boolean
  list: boolean
}

/** Throws UsageError. `--help` prints and ends the process with 0. */
export function parseMutantsOptions(args: string[]): MutantsOptions {
  const command = quiet(new Command('npm run mutants --'))
    .description('Changes each line of the configurations in turn, and says which check of which row notices it.')
    .addOption(new Option('--only <id...>', 'only mutants whose id begins so').default([]))
    .addOption(new Option('--target <which>', 'which configuration').choices(['all', 'edge', 'caddyfile', 'tls']).default('all'))
    .addOption(new Option('--edge <name>', 'which cache').choices(edges.map((edge) => edge.id)).default(defaultEdge.id))
    .option('--edge-config <path>', 'its configuration, instead of the recommended one')
    .addOption(new Option('--origin <kind>', 'which server').choices(['auto', 'caddy', 'reference']).default('auto'))
    .option('--server-bin <path>', 'the production server')
    .option('--readers <n>', 'readers in a crowd', whole('--readers', 2, 1_000_000), 100)
    .option('--streams <n>', 'streams', whole('--streams', 1, 1_000_000), 100)
    .option('--minutes <n>', 'no mutant is begun after this time', whole('--minutes', 1, 10_000), 30)
    .option('--base-runs <n>', 'how often the unmutated base must be green', whole('--base-runs', 1, 100), 2)
    .option('--all', 'every scenario for every mutant: the whole matrix', false)
    .addOption(new Option('--scenarios <id...>', 'asks only these scenarios').default([]))
    .option('--at-once <n>', 'so many mutants side by side: where scenarios wait more than they work', whole('--at-once', 1, 16), 1)
    .option('--resume <folder>', 'go on with the mutants of this folder that were not run')
    .option('--out <folder>', 'where the folder of the run is made, instead of reports/')
    .option('--json', 'print the result on stdout', false)
    .option('--list', 'list the mutants and end', false)
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    const usage = usageOf(error, 'All flags are listed by: npm run mutants -- --help')
    if (usage === null) process.exit(0)
    throw usage
  }
  return command.opts<MutantsOptions>()
}
