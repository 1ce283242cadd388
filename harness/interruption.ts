/** What ends a run before its time: signals from outside, and failures of the harness that nobody caught. */
import { exitCodes, Interrupted } from './errors.ts'

const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated, SIGHUP: exitCodes.hungUp } as const

/** With the supervisor's time to end what is left, everything is gone within 10 s of the first signal. */
const endWithinMsDefault = 6_000

/**
 * Aborted, with an `Interrupted` as its reason, at the first SIGINT, SIGTERM, SIGHUP or uncaught
 * error; the run then ends in order and writes its report. At the second, or when the run has not
 * ended by itself in time, the process ends at once, and the supervisor ends and removes what is
 * left of the run.
 */
export function openInterruption(endWithinMs = endWithinMsDefault): AbortSignal {
  const controller = new AbortController()
  const interrupt = (reason: Interrupted) => {
    if (controller.signal.aborted) process.exit((controller.signal.reason as Interrupted).exitCode)
    controller.abort(reason)
    setTimeout(() => process.exit(reason.exitCode), endWithinMs).unref()
  }
  for (const [signal, code] of Object.entries(codes)) {
    process.on(signal, () => interrupt(new Interrupted('The run was interrupted.', code)))
  }
  process.on('uncaughtException', (error) => {
    process.stderr.write(`The harness failed; this says nothing of your server.\n${error?.stack ?? String(error)}\n`)
    interrupt(new Interrupted(`The harness failed: ${messageOf(error)}`, exitCodes.harnessFault, { cause: error }))
  })
  survivedByItsReader()
  return controller.signal
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return /[.!?]$/.test(message) ? message : `${message}.`
}

/** A terminal that was closed, or a `| head` that has seen enough, does not end a run: its report is a file. */
function survivedByItsReader(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}
