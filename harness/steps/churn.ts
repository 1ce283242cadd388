/** Mixed reads and writes over far more streams than the server may keep open. */
import type { Interpreter, StepContext } from '../step.ts'
import { monotonicMs } from '../clock.ts'
import type { KnownStream } from '../operations.ts'
import { number, plural } from '../report/figures.ts'
import { randomFor } from '../seed.ts'
import { inParallel, recordId } from './create-streams.ts'

export interface Churn {
  kind: 'churn'
  /** Those whose name begins with this. */
  streams: string
  /** Operations a stream, two appends for each read. */
  operationsEach: number
  concurrency: number
  /** Tells this round from others, in the report: 'at-8', 'at-100', 'own'. */
  label: string
}

/** Touches each of the scenario's streams in turn, so that a pool of open files never holds the one asked for. */
export function churn(options: Omit<Churn, 'kind'>): Churn {
  return { kind: 'churn', ...options }
}

/** Looking at a thousand open files takes milliseconds, which the operations in flight would be charged with. */
const sampleEvery = 500

export const churnInterpreter: Interpreter<Churn> = async (step, context) => {
  const streams = [...context.streams.values()].filter((stream) => stream.name.startsWith(step.streams))
  context.recorder.record({ kind: 'sample', name: 'churn-streams', value: streams.length, label: step.label })
  await sampleFiles(context, `before ${step.label}`)
  const jobs = Array.from({ length: step.operationsEach }, (_, round) =>
    streams.map((stream) => () => operate(context, stream, step.label, round)),
  ).flat()
  context.progress(`${number(jobs.length)} reads and appends on ${plural(streams.length, 'stream')}, ${step.label}`)
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

function operate(context: StepContext, stream: KnownStream, label: string, round: number) {
  const random = randomFor(context.seed, 'churn', label, stream.name, round)
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
