/** The command line of `npm run audit`. A wrong flag is a UsageError of one sentence. */
import { Command, CommanderError } from 'commander'
import { UsageError } from './errors.ts'

export interface AuditOptions {
  globs: string[]
  json: boolean
}

/** Throws UsageError. `--help` prints and ends the process with 0. */
export function parseAuditOptions(args: string[]): AuditOptions {
  const command = new Command('npm run audit --')
    .description("Reads an application's source for what production would stumble over. Runs none of it.")
    .argument('[globs...]', "source files, in quotes: 'src/**/*.{ts,tsx}'; a folder stands for all below it")
    .option('--json', 'print the findings as JSON', false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.help') process.exit(0)
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
    throw new UsageError(`${message}${/[.)?]$/.test(message) ? '' : '.'} All flags are listed by: npm run audit -- --help`)
  }
  return { globs: command.args, ...command.opts<Omit<AuditOptions, 'globs'>>() }
}
