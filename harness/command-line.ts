/** What all commands' lines have in common: commander's words become one sentence of a UsageError. */
import { CommanderError, Option, type Command } from 'commander'
import { UsageError } from './errors.ts'
import { wholeWords } from './option-limits.ts'

/** It writes nothing of its own but help, and leaves the process's end to `usageOf`. */
export function quiet(command: Command): Command {
  return command.exitOverride().configureOutput({ writeErr: () => {} })
}

/**
 * What a `quiet` command threw, as the user is to read it, with the sentence that says where all flags are
 * listed; null where help was asked for, and was shown. Anything else is thrown on.
 */
export function usageOf(error: unknown, listedBy: string): UsageError | null {
  if (!(error instanceof CommanderError)) throw error
  if (error.exitCode === 0 || error.code === 'commander.help') return null
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  return new UsageError(`${message}${/[.)?]$/.test(message) ? '' : '.'} ${listedBy}`)
}

/** Does what the line asks of a `quiet` command that has commands of its own; throws a UsageError where it is wrong. */
export async function runCommand(command: Command, args: string[], listedBy: string): Promise<void> {
  try {
    await command.parseAsync(args, { from: 'user' })
  } catch (error) {
    const usage = usageOf(error, listedBy)
    if (usage !== null) throw usage
  }
}

/** Throws what is the user's to read itself: commander would put its own words around it. */
export function whole(flag: string, min: number, max: number) {
  return (text: string): number => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value
    throw new UsageError(`${flag} takes ${wholeWords({ min, max })}, not "${text}".`)
  }
}

/** An empty path would be taken for the folder one is in: a shell's variable that was not set. */
export function notEmpty(flag: string) {
  return (text: string): string => {
    if (text.trim() !== '') return text
    throw new UsageError(`${flag} was given nothing; was it a variable that is not set?`)
  }
}

/** `--config`, of every command that reads the configuration file. */
export function configOption(): Option {
  const once = (file: string, before?: string) => {
    if (before === undefined) return notEmpty('--config')(file)
    throw new UsageError(`--config was given twice, ${before} and ${file}; give one of them.`)
  }
  return new Option('--config <path>', 'the configuration file, or "none"; ./simulate.config.ts by default').env('DURABLE_STREAMS_CONFIG').argParser(once)
}
