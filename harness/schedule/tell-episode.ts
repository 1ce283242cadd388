/** The end of an episode: what the tap saw of a stream, and that nothing more comes. */
import type { StepContext } from '../step.ts'

/** Writes it into the history; `paths` are all spellings under which the origin was asked for the stream. */
export async function tellEpisode({ recorder, world }: StepContext, stream: string, paths: Iterable<string>): Promise<void> {
  for (const path of paths) {
    const { responses, forgotten } = await world.tapResponses(path)
    for (const response of responses) recorder.record({ kind: 'upstream', stream, ...response })
    if (forgotten > 0) recorder.record({ kind: 'shortfall', what: 'responses of the origin', because: `${forgotten} were too many for the tap to keep` })
  }
  recorder.record({ kind: 'episode', stream })
}
