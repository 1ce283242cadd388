/** The last words of a command that failed. */
import { exitCodes, Interrupted, UsageError } from './errors.ts'
import { neutralise } from './report/neutralise.ts'

/** Tells on stderr what ended a command, and returns the exit code that says so. */
export function explain(error: unknown): number {
  const real = causeOf(error)
  // What a compiler said, or a path, may hold anything.
  const say = (sentence: string) => process.stderr.write(`${neutralise(sentence)}\n`)
  if (real instanceof UsageError) {
    say(real.message)
    return exitCodes.usage
  }
  if (real instanceof Interrupted) {
    say(`${real.message} Nothing was judged, and nothing of it is left.`)
    return real.exitCode
  }
  process.stderr.write(`The harness failed; this says nothing of your server.\n`)
  if (isDiskFull(real)) say(`The disk filled up during the run: ${real.message}.`)
  else process.stderr.write(`${real instanceof Error ? real.stack : String(real)}\n`)
  return exitCodes.harnessFault
}

/** Where a clean-up failed as well, what had failed before it. */
function causeOf(error: unknown): unknown {
  return error instanceof SuppressedError ? causeOf(error.suppressed) : error
}

function isDiskFull(error: unknown): error is Error {
  return error instanceof Error && ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
}
