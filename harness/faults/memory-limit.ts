/** A hop may have only so much memory more than it has now; the kernel takes back what it can, and ends it where that is not enough. */
import type { HopId } from '../history.ts'
import { hopWords } from '../hop-words.ts'
import type { FaultKind } from './fault.ts'

export interface MemoryLimit {
  fault: 'memory-limit'
  hop: HopId
  /** Above what it uses when the limit is set. */
  headroomBytes: number
}

/** Needs a world with `limited` hops. */
export function memoryLimit(hop: HopId, limit: { headroomBytes: number }): MemoryLimit {
  return { fault: 'memory-limit', hop, ...limit }
}

export const memoryLimitKind: FaultKind<MemoryLimit> = {
  needs: () => ['memory-limit'],
  hop: ({ hop }) => hop,
  words: ({ hop }) => `the memory of the ${hopWords[hop]} is limited`,
  async inject({ hop, headroomBytes }, world) {
    const limits = world.limits(hop)
    const before = await limits.counters()
    const memoryBytes = before.memoryBytes + headroomBytes
    await limits.set({ memoryBytes })
    return {
      async proof() {
        const { memoryHits } = await limits.counters()
        const hits = memoryHits - before.memoryHits
        return { proven: hits > 0, proof: `it ran ${hits} times into its limit of ${memoryBytes} bytes` }
      },
      heal: () => limits.set({ memoryBytes: null }),
    }
  },
}
