/** A second origin, started by mistake on the same data_dir or on the same port. */
import { duration } from '../report/figures.ts'
import type { Interpreter } from '../step.ts'

export interface SecondServer {
  kind: 'second-server'
  on: 'data-dir' | 'port'
}

/** Starts it while the first one runs, notes what it said, and stops it again. */
export function secondServer(on: SecondServer['on']): SecondServer {
  return { kind: 'second-server', on }
}

export const secondServerInterpreter: Interpreter<SecondServer> = async (step, context) => {
  context.recorder.record({ kind: 'fault', fault: `second-server-on-${step.on}`, phase: 'injected' })
  const { outcome, logLines } = await context.world.startSecond(step.on)
  const tookMs = outcome.ready ? outcome.readyMs : outcome.waitedMs
  context.recorder.record({
    kind: 'lifecycle',
    hop: 'origin',
    what: 'refused',
    label: step.on,
    because: outcome.ready ? 'ready' : outcome.reason,
    tookMs,
    logLines: logLines.slice(-12),
  })
  context.recorder.record({
    kind: 'fault',
    fault: `second-server-on-${step.on}`,
    phase: 'healed',
    proof: `it ran beside the first for ${duration(tookMs)} and ${whatBecameOfIt[outcome.ready ? 'ready' : outcome.reason]}`,
    proven: true,
  })
}

const whatBecameOfIt = {
  ready: 'became ready',
  deadline: 'was then ended',
  exited: 'then ended by itself',
  'port-taken': 'found its own port taken',
  'not-started': 'could not be started',
}
