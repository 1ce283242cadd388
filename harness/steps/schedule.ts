/**
 * Writers and readers of every mode on the same paths, by a schedule: given as moves, or drawn from the
 * seed. As a load of `during` it goes on with further paths until the steps are done.
 */
import type { Interpreter, Sized, StepContext } from '../step.ts'
import { number } from '../report/figures.ts'
import { movesOfPath } from '../schedule/generate.ts'
import { pathsOf, type Move } from '../schedule/moves.ts'
import { PathPlayer } from '../schedule/player.ts'
import { Readers } from '../schedule/reader.ts'

export interface Schedule {
  kind: 'schedule'
  /** The schedule itself; without it, `paths` of them are drawn from the seed. */
  moves?: Move[]
  paths: Sized
  /** So many paths are played at a time. */
  atOnce: number
  /** Goes on, with new paths, until the steps of its `during` are done. */
  endless: boolean
  /** Beginning of the paths' names, so that several schedules do not collide. */
  prefix: string
}

/** Plays `moves`, or draws as many `paths` as that from the seed. */
export function schedule(options: { moves?: Move[]; paths?: Sized; atOnce?: number; endless?: boolean; prefix?: string }): Schedule {
  return { kind: 'schedule', paths: 0, atOnce: 16, endless: false, prefix: 'scheduled', ...options }
}

export const scheduleInterpreter: Interpreter<Schedule> = async (step, context) => {
  await using readers = new Readers((via) => context.world.endpoint(via))
  const paths = step.moves ? pathsOf(step.moves) : null
  const count = paths?.length ?? context.size(step.paths)
  context.progress(`${number(count)} paths are written and read by schedule`)
  let next = 0
  const player = async () => {
    while ((step.endless || next < count) && !context.stopping.aborted && !context.signal.aborted) {
      const index = next
      next += 1
      const [name, moves] = paths ? paths[index % count]! : [`path-${index}`, movesOfPath(context.seed, index)]
      await play(context, readers, `${step.prefix}-${name}${step.endless && paths ? `-${index}` : ''}`, moves)
    }
  }
  await Promise.all(Array.from({ length: Math.min(step.atOnce, count) }, player))
}

async function play(context: StepContext, readers: Readers, name: string, moves: Move[]): Promise<void> {
  const isJson = moves.some((move) => move.do !== 'read' && move.do !== 'wait' && move.json === true)
  await new PathPlayer(context, readers, name, isJson).play(moves)
}
