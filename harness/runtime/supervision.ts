/** The harness's end of the supervisor: starts it, tells it what to watch, notices its death. */
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { HarnessError } from '../errors.ts'
import { within } from '../until.ts'
import { startCompanion, type Companion } from './companion.ts'
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
  const companion = await startCompanion({
    name: 'the supervisor',
    args: [supervisorProgram, JSON.stringify(plan)],
    env: { TMPDIR: tmpdir() },
    readyMsMax,
  })
  letHarnessEnd(companion)
  return follow(companion)
}

/** It shall not keep a harness alive that has nothing else to do. */
function letHarnessEnd({ child }: Companion): void {
  child.unref()
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref(): void }).unref()
}

function follow({ child, ended }: Companion): Supervision {
  const fault = new AbortController()
  let over = false
  void ended.then((how) => {
    if (!over) fault.abort(new HarnessError(`The supervisor of this run died (${how}).`))
  })
  return {
    fault: fault.signal,
    tell(message) {
      child.stdin.write(`${JSON.stringify(message)}\n`)
    },
    async done() {
      over = true
      child.stdin.end(`${JSON.stringify({ done: true } satisfies SupervisorMessage)}\n`)
      child.ref()
      await within(ended, { for: 'the supervisor to end', timeoutMs: endMsMax })
    },
  }
}
