/** The exit codes of harness/errors.ts, which cannot be read before a newer Node is found. */
export const exitUsage = 64
export const exitFault = 70

/** Ends the bootstrap with one sentence and no stack. */
export class Stop extends Error {
  constructor(exitCode, message) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Progress goes to stderr, so that `--json` owns stdout. */
export function say(line) {
  process.stderr.write(`${line}\n`)
}
