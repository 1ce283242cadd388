/** A hop may have only a share of one processor, as in a container with a CPU limit. */
import type { HopId } from '../history.ts'
import { hopWords } from '../hop-words.ts'
import type { FaultKind } from './fault.ts'

export interface CpuLimit {
  fault: 'cpu-limit'
  hop: HopId
  /** 0.1 is a tenth of one processor. */
  cpus: number
}

/** Needs a world with `limited` hops. */
export function cpuLimit(hop: HopId, cpus: number): CpuLimit {
  return { fault: 'cpu-limit', hop, cpus }
}

export const cpuLimitKind: FaultKind<CpuLimit> = {
  needs: () => ['cpu-limit'],
  hop: ({ hop }) => hop,
  words: ({ hop, cpus }) => `the ${hopWords[hop]} has ${cpus} of a processor`,
  async inject({ hop, cpus }, world) {
    const limits = world.limits(hop)
    const before = await limits.counters()
    await limits.set({ cpus })
    return {
      async proof() {
        const { cpuThrottled } = await limits.counters()
        const throttled = cpuThrottled - before.cpuThrottled
        return { proven: throttled > 0, proof: `it was throttled in ${throttled} periods` }
      },
      heal: () => limits.set({ cpus: null }),
    }
  },
}
