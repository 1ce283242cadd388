/**
 * The two ways a run can end without judging anything.
 *
 * A `UsageError` is the user's to mend (a flag, a file, a missing program): its message is one
 * sentence that says what was wrong, where, and what to do; the process ends with 64. A
 * `HarnessError` is ours: the process ends with 70 and never blames the subject.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export class HarnessError extends Error {
  override readonly name = 'HarnessError'
}

export const exitCodes = {
  ready: 0,
  notReady: 1,
  unknown: 2,
  usage: 64,
  harnessFault: 70,
  interrupted: 130,
  terminated: 143,
} as const
