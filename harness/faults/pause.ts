/** A hop is paused: it keeps its connections and does nothing, as on a machine that swaps or is migrated. */
import type { HopId } from '../history.ts'
import { hopWords } from '../hop-words.ts'
import type { FaultKind } from './fault.ts'

export interface Pause {
  fault: 'pause'
  hop: HopId
}

export function pause(hop: HopId): Pause {
  return { fault: 'pause', hop }
}

export const pauseKind: FaultKind<Pause> = {
  needs: () => ['pause'],
  hop: ({ hop }) => hop,
  words: ({ hop }) => `the ${hopWords[hop]} is paused`,
  async inject({ hop }, world) {
    const paused = await world.pause(hop)
    return {
      async proof() {
        const usedMs = await paused.cpuMs()
        return { proven: usedMs === 0, proof: `its processes used ${usedMs} ms of processor time meanwhile` }
      },
      heal: () => paused.resume(),
    }
  },
}
