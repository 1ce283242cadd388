/** Starts a program as a plain child process: for benchmarks and tests, outside of any run. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { FleetProgram } from '../harness/load/fleet/launch.ts'

export interface ChildProgram extends FleetProgram {
  readonly pid: number
  readonly stdin: Writable
  readonly stderr: Readable
}

/** Exit code 127 stands for a program that could not be started. */
export function spawnProgram(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProgram {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: 127, signal: null }))
  })
  // A program that died cannot be written to; `exited` tells.
  child.stdin.on('error', () => {})
  child.stderr.resume()
  return {
    pid: child.pid ?? -1,
    stdin: child.stdin,
    stderr: child.stderr,
    lines: createInterface({ input: child.stdout }),
    exited,
    write: (line) => child.stdin.write(`${line}\n`),
    kill: () => (child.kill('SIGKILL'), exited),
  }
}
