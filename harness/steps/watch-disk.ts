/** Fills disk with streams that expire, and watches whether the space comes back. */
import type { Interpreter, Sized, StepContext } from '../step.ts'
import { monotonicMs } from '../clock.ts'
import type { StreamKind } from '../streams.ts'
import { AwaitedTooLong, until } from '../until.ts'
import { createOne, inParallel } from './create-streams.ts'

export interface WatchDisk {
  kind: 'watch-disk'
  streams: number
  streamBytes: number
  ttlSeconds: number
  /** How long after the last expiry the space may take to come back. */
  boundMs: Sized
}

/** Samples the bytes below data_dir before, full, and until the space is back or the bound passed. */
export function watchDisk(options: Omit<WatchDisk, 'kind'>): WatchDisk {
  return { kind: 'watch-disk', ...options }
}

const sampleEveryMs = 500

export const watchDiskInterpreter: Interpreter<WatchDisk> = async (step, context) => {
  const before = await sample(context, 'before')
  if (before === null) return
  const kind: StreamKind = {
    id: 'short-lived',
    contentType: 'application/octet-stream',
    records: 1,
    payloadBytes: step.streamBytes,
    ttlSeconds: step.ttlSeconds,
  }
  const jobs = Array.from({ length: step.streams }, (_, n) => () => createOne(context, kind, `short-lived-${n}`))
  await inParallel(jobs, 16, context.signal)
  const full = (await sample(context, 'full'))!
  const expiredAtMs = monotonicMs() + step.ttlSeconds * 1000
  const boundMs = context.size(step.boundMs)
  context.recorder.record({ kind: 'sample', name: 'disk-bound-ms', value: boundMs })
  context.recorder.record({ kind: 'sample', name: 'disk-expires-in-ms', value: expiredAtMs - monotonicMs() })
  context.progress('waiting for the disk space of expired streams')
  const isBack = async () => {
    const now = (await sample(context, 'waiting'))!
    return monotonicMs() > expiredAtMs && now - before < (full - before) * 0.1
  }
  try {
    const timeoutMs = step.ttlSeconds * 1000 + boundMs
    await until(isBack, { for: 'disk space', timeoutMs, everyMs: sampleEveryMs, signal: context.signal })
  } catch (error) {
    // Not coming back is an observation, not a failure of this step.
    if (!(error instanceof AwaitedTooLong)) throw error
  }
  await sample(context, 'after')
}

async function sample(context: StepContext, label: string): Promise<number | null> {
  const value = await context.world.dataDirBytes()
  if (value !== null) context.recorder.record({ kind: 'sample', name: 'data-dir-bytes', value, label })
  return value
}
