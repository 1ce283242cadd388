import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'

export type Answer =
  | { said: string; code: number }
  /** `because` continues the sentence "it …". */
  | { said: null; because: string }

const timeLimitMs = 5_000
const outputMaxCharacters = 1_000_000

/**
 * Runs a program that may be anything with one argument and returns what it said. It gets an empty
 * folder as its place and home, no input, `timeLimitMs`, and its whole process group is stopped
 * afterwards.
 */
export async function askProgram(
  program: string,
  args: string[],
  signal?: AbortSignal,
): Promise<Answer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'durable-streams-ask-'))
  try {
    return await ask(program, args, folder, signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function ask(
  program: string,
  args: string[],
  folder: string,
  signal?: AbortSignal,
): Promise<Answer> {
  const asked = execa(program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, LANG: 'C' },
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    maxBuffer: outputMaxCharacters,
    detached: true,
  })
  const stop = () => stopGroup(asked.pid)
  const limit = setTimeout(stop, timeLimitMs)
  signal?.addEventListener('abort', stop, { once: true })
  const startedAt = performance.now()
  const result = await asked
  clearTimeout(limit)
  signal?.removeEventListener('abort', stop)
  signal?.throwIfAborted()
  stop()
  if (result.isMaxBuffer)
    return { said: null, because: `talks without end when asked "${args.join(' ')}"` }
  if (result.signal !== undefined && performance.now() - startedAt >= timeLimitMs) {
    const seconds = timeLimitMs / 1_000
    return { said: null, because: `did not answer "${args.join(' ')}" within ${seconds} s` }
  }
  if (result.signal !== undefined) return { said: null, because: `crashed (${result.signal})` }
  if (result.exitCode === undefined) return { said: null, because: startFailure(result.code) }
  return { said: result.all ?? '', code: result.exitCode }
}

/** The group, since a script's own children would hold its output open. */
function stopGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

function startFailure(code: string | undefined): string {
  if (code === 'ENOENT')
    return 'cannot start: the interpreter or loader that it names is not on this machine'
  return `cannot start (${code ?? 'for an unknown reason'})`
}
