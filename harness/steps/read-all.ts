/** Reads streams back from their start, by one or several ways. */
import type { Via } from '../history.ts'
import type { Interpreter, StepContext } from '../step.ts'
import type { KnownStream } from '../operations.ts'
import { inParallel } from './create-streams.ts'

export interface ReadAllFromStart {
  kind: 'read-all'
  via: Via[]
  /** Only streams whose name begins with this. */
  streams: string
  group?: string
}

/**
 * Reads every stream of this scenario from its start to its tail, and asks its state with HEAD at
 * the origin. A read that got no answer is tried anew, as a client would; each try is in the history.
 */
export function readAllFromStart(options: { via: Via[]; streams?: string; group?: string }): ReadAllFromStart {
  return { kind: 'read-all', streams: '', ...options }
}

const triesMax = 3
const readersMax = 16

export const readAllInterpreter: Interpreter<ReadAllFromStart> = async (step, context) => {
  const streams = [...context.streams.values()].filter((stream) => stream.name.startsWith(step.streams))
  context.progress(`reading ${streams.length} streams back through ${step.via.join(' and ')}`)
  const jobs = streams.flatMap((stream) => [
    () => context.operations.head('reader', stream, 'origin', step.group),
    ...step.via.map((via) => () => readWithRetries(context, stream, via, step.group)),
  ])
  await inParallel(jobs, readersMax, context.signal)
}

async function readWithRetries(context: StepContext, stream: KnownStream, via: Via, group?: string): Promise<void> {
  for (let attempt = 1; attempt <= triesMax; attempt += 1) {
    const outcome = await context.operations.readAll('reader', stream, via, group)
    if (outcome.kind !== 'info') return
  }
}
