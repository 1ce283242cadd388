/** Closes streams, so that whoever follows them comes to an end. */
import type { Via } from '../history.ts'
import type { Interpreter } from '../step.ts'
import { recordId } from './create-streams.ts'

export interface CloseStreams {
  kind: 'close-streams'
  /** Streams whose name begins with this. */
  streams: string
  via: Via
  /** The request that closes a stream appends a last record to it. */
  lastRecord: boolean
}

/** Closes every open stream whose name begins with `streams`. */
export function closeStreams(streams: string, options: { via?: Via; lastRecord?: boolean } = {}): CloseStreams {
  return { kind: 'close-streams', streams, via: 'origin', lastRecord: false, ...options }
}

const lastRecordBytes = 60

export const closeStreamsInterpreter: Interpreter<CloseStreams> = async (step, context) => {
  for (const stream of context.streams.values()) {
    if (!stream.name.startsWith(step.streams) || stream.closed || stream.deleted) continue
    const outcome = step.lastRecord
      ? await context.operations.append('closer', stream, step.via, recordId(stream), lastRecordBytes, { closes: true })
      : await context.operations.close('closer', stream, step.via)
    stream.closed = outcome.kind === 'ok'
  }
}
