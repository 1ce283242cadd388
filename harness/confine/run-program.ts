/** Runs a program over the user's files: an adapter, a compiler. On this host unless told. */
import { execa } from 'execa'

export interface ProgramRun {
  args: string[]
  cwd: string
  /** All of it: nothing of the caller's own is passed on. */
  env: Record<string, string>
  timeoutMs: number
}

/** `exitCode` is undefined where it could not be run, or did not end in time. */
export interface ProgramEnd {
  exitCode: number | undefined
  stdout: string
  stderr: string
  timedOut: boolean
  /** Of one that could not be run: why. */
  shortMessage: string
}

export type RunProgram = (program: string, run: ProgramRun) => Promise<ProgramEnd>

const outputBytesMax = 64 * 1024 * 1024

export const onThisHost: RunProgram = async (program, { args, cwd, env, timeoutMs }) => {
  const options = { cwd, env, extendEnv: false, reject: false, stdin: 'ignore', timeout: timeoutMs, maxBuffer: outputBytesMax } as const
  const { exitCode, stdout, stderr, timedOut, shortMessage = '' } = await execa(program, args, options)
  return { exitCode, stdout, stderr, timedOut, shortMessage }
}
