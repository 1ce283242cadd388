/** Closes streams, so that whoever follows them comes to an end. */
import type { Via } from '../history.ts'
import type { Interpreter } from '../step.ts'

export interface CloseStreams {
  kind: 'close-streams'
  /** Streams whose name begins with this. */
  streams: string
  via: Via
}

/** Closes every open stream whose name begins with `streams`. */
export function closeStreams(streams: string, options: { via?: Via } = {}): CloseStreams {
  return { kind: 'close-streams', streams, via: 'origin', ...options }
}

export const closeStreamsInterpreter: Interpreter<CloseStreams> = async (step, context) => {
  for (const stream of context.streams.values()) {
    if (!stream.name.startsWith(step.streams) || stream.closed || stream.deleted) continue
    const outcome = await context.operations.close('closer', stream, step.via)
    stream.closed = outcome.kind === 'ok'
  }
}
