/** The command line of `npm run audit`. A wrong flag is a UsageError of one sentence. */
import { Command } from 'commander'
import { configOption, quiet, usageOf } from './command-line.ts'

export interface AuditOptions {
  globs: string[]
  json: boolean
  /** The configuration file, or "none". */
  config?: string
}

/** Throws UsageError. `--help` prints and ends the process with 0. */
export function parseAuditOptions(args: string[]): AuditOptions {
  const command = quiet(new Command('npm run audit --'))
    .description("Reads an application's source for what production would stumble over. Runs none of it.")
    .argument('[globs...]', "source files, in quotes: 'src/**/*.{ts,tsx}'; a folder stands for all below it; by default those of the configuration file")
    .addOption(configOption())
    .option('--json', 'print the findings as JSON', false)
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    const usage = usageOf(error, 'All flags are listed by: npm run audit -- --help')
    if (usage === null) process.exit(0)
    throw usage
  }
  return { globs: command.args, ...command.opts<Omit<AuditOptions, 'globs'>>() }
}
