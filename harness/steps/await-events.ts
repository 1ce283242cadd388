/** Waits while the load around it goes on. */
import type { Interpreter } from '../step.ts'

export interface AwaitEvents {
  kind: 'await-events'
  event: string
  n: number
}

/** Waits for so many further events of this name: `awaitEvents('append.ok', 100)`. */
export function awaitEvents(event: string, n: number): AwaitEvents {
  return { kind: 'await-events', event, n }
}

const awaitMs = 30_000

export const awaitEventsInterpreter: Interpreter<AwaitEvents> = async (step, context) => {
  await context.recorder.waitFor(step.event, step.n, awaitMs)
}
