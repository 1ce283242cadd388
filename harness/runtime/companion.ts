/**
 * A program of the harness's own that outlives it, to clean up after it: in a session of its own, where signals of
 * the terminal do not reach it, with a pipe from the harness as its standard input. It says something on its
 * standard output as soon as it is ready.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { HarnessError } from '../errors.ts'
import { within } from '../until.ts'

export interface Companion {
  child: ChildProcessByStdio<Writable, Readable, null>
  /** How it ended: a signal, an exit code, or why it never began. */
  ended: Promise<string>
}

export interface CompanionStart {
  /** As sentences call it: 'the supervisor'. */
  name: string
  /** The program's file and its arguments. */
  args: readonly string[]
  env: NodeJS.ProcessEnv
  readyMsMax: number
}

/** Resolves when it is ready. @throws HarnessError when it does not come up */
export async function startCompanion({ name, args, env, readyMsMax }: CompanionStart): Promise<Companion> {
  const child = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'pipe', 'ignore'], cwd: path.parse(process.cwd()).root, env })
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  child.once('error', (error) => resolve(error.message))
  child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  // One that died cannot be written to; `ended` tells.
  child.stdin.on('error', () => {})
  const ready = new Promise<void>((resolveReady) => child.stdout.once('data', () => resolveReady()))
  await within(Promise.race([ready, failed(name, ended)]), { for: name, timeoutMs: readyMsMax })
  return { child, ended }
}

async function failed(name: string, ended: Promise<string>): Promise<never> {
  const how = await ended
  throw new HarnessError(`${name[0]!.toUpperCase()}${name.slice(1)} did not start: ${how}.`)
}
