/** Runs steps while a load goes on in the background. */
import type { AnyStep, Interpreter } from '../step.ts'

export interface During {
  kind: 'during'
  load: AnyStep[]
  steps: AnyStep[]
}

/** `load` begins first and ends when `steps` are done; both see the same world. */
export function during(load: AnyStep | AnyStep[], steps: AnyStep[]): During {
  return { kind: 'during', load: Array.isArray(load) ? load : [load], steps }
}

export const duringInterpreter: Interpreter<During> = async (step, context) => {
  const stop = new AbortController()
  const loads = step.load.map((load) => context.until(stop.signal).run([load]))
  // A load that fails must not leave the steps waiting for events that will not come.
  const loadFailed = new Promise<never>((_, reject) => {
    for (const load of loads) load.catch(reject)
  })
  try {
    await Promise.race([context.run(step.steps), loadFailed])
  } finally {
    stop.abort()
    await Promise.allSettled(loads)
  }
}
