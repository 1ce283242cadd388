/**
 * The power of the origin's disk is cut: the server is gone at once, and with it all that it wrote and had not
 * forced to its disk. A file that the harness wrote and did not force has to be gone as well.
 */
import { number } from '../report/figures.ts'
import { WorldBroken, type Interpreter } from '../step.ts'
import { kill } from './start-stop.ts'

export interface CutPower {
  kind: 'cut-power'
}

/** Ends the origin as a power cut does, in a world with `dataDiskBytes`. */
export function cutPower(): CutPower {
  return { kind: 'cut-power' }
}

export const cutPowerInterpreter: Interpreter<CutPower> = async (_, { run, world, recorder }) => {
  await run([kill('origin')])
  const { kept, lost, canaryBytes } = await world.dataDisk().cutPower()
  const bytes = number(canaryBytes)
  const proof = `${bytes} bytes that were not forced to the disk were ${lost ? 'gone' : 'still there'} afterwards, ${bytes} that had been were ${kept ? 'there' : 'gone'}`
  const proven = kept && lost
  recorder.record({ kind: 'fault', fault: 'power-cut', phase: 'injected', hop: 'origin', proof, proven })
  if (!proven) throw new WorldBroken(`the power of the origin's disk could not be cut: ${proof}`)
}
