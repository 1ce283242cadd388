/** Mixed reads and writes over far more streams than the server may keep open. */
import type { Interpreter, Sized, StepContext } from '../step.ts'
import { monotonicMs } from '../clock.ts'
import type { KnownStream } from '../operations.ts'
import { randomFor } from '../seed.ts'
import { createStreams, createStreamsInterpreter, inParallel, recordId } from './create-streams.ts'

export interface Churn {
  kind: 'churn'
  streams: Sized
  /** Operations a stream, two appends for each read. */
  operationsEach: number
  concurrency: number
  /** In the report: 'at 8', 'at 100', 'at the subject's own'. */
  label: string
}

/** Touches every stream in turn, so that a pool of open files never holds the one asked for. */
export function churn(options: Omit<Churn, 'kind'>): Churn {
  return { kind: 'churn', ...options }
}

const sampleEvery = 50

export const churnInterpreter: Interpreter<Churn> = async (step, context) => {
  const prefix = `churn-${step.label}`
  const create = createStreams({ kinds: ['no-expiry'], each: step.streams, prefix, records: 1 })
  context.recorder.record({ kind: 'sample', name: 'churn-streams', value: context.size(step.streams), label: step.label })
  await sampleFiles(context, `before ${step.label}`)
  await createStreamsInterpreter(create, context)
  const streams = [...context.streams.values()].filter((stream) => stream.name.startsWith(`${prefix}-`))
  const jobs = Array.from({ length: step.operationsEach }, (_, round) =>
    streams.map((stream) => () => operate(context, stream, round)),
  ).flat()
  context.progress(`${jobs.length} operations on ${streams.length} streams, ${step.label}`)
  await runSampled(step, context, jobs)
}

async function runSampled(step: Churn, context: StepContext, jobs: (() => Promise<unknown>)[]): Promise<void> {
  let done = 0
  const sampled = jobs.map((job) => async () => {
    const beginMs = monotonicMs()
    const outcome = (await job()) as { op: string; kind: string }
    done += 1
    context.recorder.record({
      kind: 'sample',
      name: `churn-${outcome.op}-${outcome.kind}-ms`,
      value: monotonicMs() - beginMs,
      label: step.label,
    })
    if (done % sampleEvery === 0) await sampleFiles(context, step.label)
  })
  await inParallel(sampled, step.concurrency, context.signal)
  await sampleFiles(context, step.label)
}

function operate(context: StepContext, stream: KnownStream, round: number) {
  const random = randomFor(context.seed, 'churn', stream.name, round)
  const actor = `churn-${random.int(16)}`
  if (round % 3 === 2) return context.operations.readAll(actor, stream, 'origin', 'churn')
  return context.operations.append(actor, stream, 'origin', recordId(stream), 60)
}

async function sampleFiles(context: StepContext, label: string): Promise<void> {
  const usage = await context.world.usage('origin')
  if (!usage) return
  context.recorder.record({ kind: 'sample', name: 'open-data-files', value: usage.openDataFiles, label })
  context.recorder.record({ kind: 'sample', name: 'open-files', value: usage.openFiles, label })
}
