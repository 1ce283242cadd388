/** The harness's end of the supervisor: starts it, tells it what to watch, notices its death. */
import { spawn, type ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { HarnessError } from '../errors.ts'
import { within } from '../until.ts'
import type { SupervisorMessage, SupervisorPlan } from './supervisor.ts'

const supervisorProgram = fileURLToPath(new URL('./supervisor.ts', import.meta.url))
const readyMsMax = 10_000
const endMsMax = 15_000

export interface Supervision {
  tell(message: SupervisorMessage): void
  /** Aborted, with a HarnessError as its reason, when the supervisor died: nothing is guarded any more. */
  readonly fault: AbortSignal
  /** To be called when everything is cleaned up; waits until the supervisor has ended. */
  done(): Promise<void>
}

/** Starts the supervisor of a run. @throws HarnessError when it does not come up */
export async function startSupervisor(plan: SupervisorPlan): Promise<Supervision> {
  const child = spawn(process.execPath, [supervisorProgram, JSON.stringify(plan)], {
    // A session of its own: signals of the terminal do not reach it.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    cwd: path.parse(process.cwd()).root,
    env: { TMPDIR: tmpdir() },
  })
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  child.once('error', (error) => resolve(error.message))
  child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  // A supervisor that died cannot be written to; `ended` tells.
  child.stdin!.on('error', () => {})
  await within(Promise.race([saysReady(child), failed(ended)]), { for: 'the supervisor', timeoutMs: readyMsMax })
  letHarnessEnd(child)
  return follow(child, ended)
}

function saysReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.stdout!.once('data', () => resolve()))
}

async function failed(ended: Promise<string>): Promise<never> {
  throw new HarnessError(`The supervisor did not start: ${await ended}.`)
}

/** It shall not keep a harness alive that has nothing else to do. */
function letHarnessEnd(child: ChildProcess): void {
  child.unref()
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref(): void }).unref()
}

function follow(child: ChildProcess, ended: Promise<string>): Supervision {
  const fault = new AbortController()
  let over = false
  void ended.then((how) => {
    if (!over) fault.abort(new HarnessError(`The supervisor of this run died (${how}).`))
  })
  return {
    fault: fault.signal,
    tell(message) {
      child.stdin!.write(`${JSON.stringify(message)}\n`)
    },
    async done() {
      over = true
      child.stdin!.end(`${JSON.stringify({ done: true } satisfies SupervisorMessage)}\n`)
      child.ref()
      await within(ended, { for: 'the supervisor to end', timeoutMs: endMsMax })
    },
  }
}
