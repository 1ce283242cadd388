/** Starts a program as a plain child process: for benchmarks and tests, outside of any run. */
import { spawn } from 'node:child_process'
import type { SpawnedProgram } from '../harness/load/fleet/launch.ts'

export interface ChildProgram extends SpawnedProgram {
  readonly pid: number
}

/** The child's exit resolves with code and signal; a program that cannot be started has code 127. */
export function spawnProgram(program: string, args: string[]): ChildProgram {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: 127, signal: null }))
  })
  const { stdin, stdout, stderr } = child
  return { pid: child.pid ?? -1, stdin, stdout, stderr, exited, kill: () => child.kill('SIGKILL') }
}
