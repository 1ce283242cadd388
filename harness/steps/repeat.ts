/** Repeats steps a number of times that the profile decides. */
import type { AnyStep, Interpreter, Sized } from '../step.ts'

export interface Repeat {
  kind: 'repeat'
  times: Sized
  steps: AnyStep[]
}

export function repeat(times: Sized, steps: AnyStep[]): Repeat {
  return { kind: 'repeat', times, steps }
}

export const repeatInterpreter: Interpreter<Repeat> = async (step, context) => {
  const times = context.size(step.times)
  for (let n = 0; n < times && !context.signal.aborted; n += 1) {
    context.progress(`round ${n + 1} of ${times}`)
    await context.run(step.steps)
  }
}
