/**
 * The server ends in the middle of an append to each of some streams: the data is written, wholly or to its
 * half, the metadata is not, and no writer has an answer. A kill at that very moment cannot be had at will;
 * what it leaves on the disk can.
 */
import { encodeRecord } from '../record.ts'
import { recordSeries } from '../record-id.ts'
import { WorldBroken, type Interpreter, type StepContext } from '../step.ts'
import type { KnownStream } from '../operations.ts'
import { nextProducer, recordId } from './create-streams.ts'
import { kill } from './start-stop.ts'

export interface CrashInAppend {
  kind: 'crash-in-append'
  /** Streams of bytes whose name begins with this, each with a record in it. */
  streams: string
  written: 'half' | 'whole'
}

/** Kills the origin in the middle of an append to each of these streams. */
export function crashInAppend(streams: string, options: { written: 'half' | 'whole' }): CrashInAppend {
  return { kind: 'crash-in-append', streams, ...options }
}

const payloadBytes = 120

export const crashInAppendInterpreter: Interpreter<CrashInAppend> = async (step, context) => {
  const streams = [...context.streams.values()].filter(({ name, closed, deleted }) => name.startsWith(step.streams) && !closed && !deleted)
  if (streams.length === 0) throw new Error(`crashInAppend: no open stream begins with "${step.streams}"`)
  const appends = streams.map((stream) => begin(context, stream))
  await context.run([kill('origin')])
  const left: string[] = []
  const missing: string[] = []
  for (const { stream, data, id } of appends) {
    const { bytes, because } = await leave(context, stream, data, step.written)
    context.recorder.settle(id, 'info', { error: 'the server was killed before it answered' })
    if (because === undefined) left.push(`the data of ${stream.name} went from ${bytes.join(' to ')} bytes`)
    else missing.push(`the data of ${stream.name} ${because}`)
  }
  const proven = missing.length === 0
  const proof = (proven ? left : missing).join(', ')
  context.recorder.record({ kind: 'fault', fault: 'crash-in-append', phase: 'injected', proof, proven })
  if (!proven) throw new WorldBroken(`a crash in the middle of an append could not be left behind: ${proof}`)
}

/** The size of the stream's file before and after; or why it could not be written to. */
async function leave({ world }: StepContext, { name, incarnation }: KnownStream, data: Buffer, written: CrashInAppend['written']): Promise<{ bytes: number[]; because?: string }> {
  try {
    const left = await world.leaveACrash(`@r ${recordSeries(name, incarnation)}`, data, written)
    return left === null ? { bytes: [], because: 'was not found below data_dir' } : { bytes: [left.bytesBefore, left.bytesAfter] }
  } catch (error) {
    // In a container they may be another user's.
    return { bytes: [], because: `cannot be written to (${(error as NodeJS.ErrnoException).code ?? String(error)})` }
  }
}

/** As its writer sees it: sent, by the producer's next sequence number where the stream has one. */
function begin({ recorder, seed }: StepContext, stream: KnownStream) {
  const record = recordId(stream)
  const producer = nextProducer(stream)
  if (stream.producer) stream.producer.lastRecord = record
  const data = encodeRecord(seed, record, stream.contentType, payloadBytes)
  const append = { record, bytes: data.length, ...(producer ? { producer } : {}) }
  const id = recorder.invoke({ op: 'append', actor: 'writer', stream: stream.name, incarnation: stream.incarnation, via: 'origin', append })
  return { stream, data, id }
}
