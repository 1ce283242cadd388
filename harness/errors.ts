/**
 * The ways a run can end without judging anything.
 *
 * A `UsageError` is the user's to mend (a flag, a file, a missing program): its message is one
 * sentence that says what was wrong, where, and what to do; the process ends with 64. A
 * `HarnessError` is ours: the process ends with 70 and never blames the subject. `Interrupted` is the
 * reason of a run's signal once it has to end before its time: by a signal from outside, or by a
 * failure of the harness that nobody caught.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export class HarnessError extends Error {
  override readonly name = 'HarnessError'
}

export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  /** What the process ends with. */
  readonly exitCode: number

  /** `because` is a sentence for the report. */
  constructor(because: string, exitCode: number, options?: ErrorOptions) {
    super(because, options)
    this.exitCode = exitCode
  }
}

/** The reason an aborted signal carries, as an `Interrupted` whatever it is; null while it is not aborted. */
export function interruptionOf(signal: AbortSignal): Interrupted | null {
  if (!signal.aborted) return null
  if (signal.reason instanceof Interrupted) return signal.reason
  return new Interrupted('The run was interrupted.', exitCodes.interrupted)
}

export const exitCodes = {
  ready: 0,
  notReady: 1,
  unknown: 2,
  usage: 64,
  harnessFault: 70,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const
