/** What all commands' lines have in common: commander's words become one sentence of a UsageError. */
import { CommanderError, type Command } from 'commander'
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

/** Throws what is the user's to read itself: commander would put its own words around it. */
export function whole(flag: string, min: number, max: number) {
  return (text: string): number => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value
    throw new UsageError(`${flag} takes ${wholeWords({ min, max })}, not "${text}".`)
  }
}
