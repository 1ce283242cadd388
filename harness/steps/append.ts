/** Writers that append until they are stopped: the load under which faults happen. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Interpreter, StepContext } from '../step.ts'
import type { KnownStream } from '../operations.ts'
import type { Via } from '../history.ts'
import { nextProducer, recordId } from './create-streams.ts'
import { randomFor } from '../seed.ts'

export interface Append {
  kind: 'append'
  writers: number
  payloadBytes: number
  via: Via
  /** Streams whose name begins with this; all open ones by default. */
  streams: string
  /** Ends by itself after so many acknowledged appends; otherwise when `during` ends. */
  acknowledged?: number
  /** A writer begins an append so long after it began the last one; at once, where it is left out. */
  everyMs?: number
}

/**
 * `writers` writers, each on its own share of the open streams, one append in flight each. A writer
 * with a producer retries an unanswered append with the same sequence number until it is answered;
 * one without never does.
 */
export function append(options: {
  writers: number
  payloadBytes?: number
  via?: Via
  streams?: string
  acknowledged?: number
  everyMs?: number
}): Append {
  return { kind: 'append', payloadBytes: 60, via: 'origin', streams: '', ...options }
}

/** While the origin is down a writer without a pace tries again this often; each try is in the history. */
const pauseAfterFailureMs = 4
const appendsMax = 2_000_000

export const appendInterpreter: Interpreter<Append> = async (step, context) => {
  const open = [...context.streams.values()].filter(
    (stream) => stream.name.startsWith(step.streams) && !stream.closed && !stream.deleted,
  )
  if (open.length === 0) throw new Error(`append: no open stream begins with "${step.streams}"`)
  const budget = { left: step.acknowledged ?? appendsMax }
  const writers = Array.from({ length: step.writers }, (_, n) => {
    const own = open.filter((_, index) => index % step.writers === n % open.length)
    return writer(step, context, `writer-${n}`, own.length > 0 ? own : [open[n % open.length]!], budget)
  })
  await Promise.all(writers)
}

async function writer(
  step: Append,
  context: StepContext,
  actor: string,
  streams: KnownStream[],
  budget: { left: number },
): Promise<void> {
  const random = randomFor(context.seed, context.recorder.scenario, actor)
  while (budget.left > 0 && !context.stopping.aborted && !context.signal.aborted) {
    const stream = streams[random.int(streams.length)]!
    const next = step.everyMs === undefined ? undefined : delay(step.everyMs)
    if (await appendOnce(step, context, actor, stream)) budget.left -= 1
    else await delay(step.everyMs ?? pauseAfterFailureMs)
    await next
  }
}

async function appendOnce(step: Append, context: StepContext, actor: string, stream: KnownStream): Promise<boolean> {
  const record = recordId(stream)
  const producer = nextProducer(stream)
  if (stream.producer) stream.producer.lastRecord = record
  const options = producer ? { producer } : {}
  let outcome = await context.operations.append(actor, stream, step.via, record, step.payloadBytes, options)
  // Only a producer may retry: the server knows its sequence numbers and drops a second copy.
  while (producer && outcome.kind !== 'ok' && !isRefusal(outcome.status) && !context.signal.aborted) {
    if (context.stopping.aborted) break
    await delay(step.everyMs ?? pauseAfterFailureMs)
    const retry = { producer, retry: true }
    outcome = await context.operations.append(actor, stream, step.via, record, step.payloadBytes, retry)
  }
  return outcome.kind === 'ok'
}

function isRefusal(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500
}
