/** The command line of `npm run audit`. A wrong flag is a UsageError of one sentence. */
import { Command } from 'commander'
import { configOption, notEmpty, quiet, usageOf, whole } from './command-line.ts'
import { streamsBounds } from './option-limits.ts'
import { several } from './options.ts'

export interface AuditOptions {
  /** Of the application's source. */
  globs: string[]
  caddyfile?: string
  vcl?: string
  serverBin?: string
  streams?: number
  sarif?: string
  json: boolean
  /** The configuration file, or "none". */
  config?: string
}

const exitCodes = `
Ends with 0 where nothing is certainly wrong, with 1 for at least one error, with 64 where a flag or a file
cannot be read, and with 70 where the audit itself failed. Warnings and notes do not change the code.`

/** Throws UsageError. `--help` prints and ends the process with 0. */
export function parseAuditOptions(args: string[]): AuditOptions {
  const command = quiet(new Command('npm run audit --'))
    .description("Reads an application's source, the origin's Caddyfile and the cache's VCL for what production would stumble over. Runs none of it.")
    .argument('[globs...]', "source files, in quotes: 'src/**/*.{ts,tsx}'; a folder stands for all below it; by default what the configuration file names")
    .addOption(configOption())
    .option('--app <glob>', 'the same; may be given several times', several('--app'))
    .option('--caddyfile <path>', "your origin's Caddyfile", notEmpty('--caddyfile'))
    .option('--vcl <path>', 'your VCL', notEmpty('--vcl'))
    .option('--server-bin <path>', 'the production server, to read the Caddyfile with', notEmpty('--server-bin'))
    .option('--streams <n>', 'streams you expect to be written at one time; 1,000 by default', whole('--streams', streamsBounds.min, streamsBounds.max))
    .option('--sarif <path>', 'write the findings as SARIF 2.1.0 as well', notEmpty('--sarif'))
    .option('--json', 'print the findings as JSON', false)
    .addHelpText('after', exitCodes)
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    const usage = usageOf(error, 'All flags are listed by: npm run audit -- --help')
    if (usage === null) process.exit(0)
    throw usage
  }
  const { app = [], ...given } = command.opts<Omit<AuditOptions, 'globs'> & { app?: string[] }>()
  return { globs: [...command.args, ...app], ...given }
}
