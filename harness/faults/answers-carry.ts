/**
 * What stands in front of the origin puts headers of its own onto answers, as balancers, gateways and
 * frameworks do. In a world that numbers responses.
 */
import type { Marking } from '../services/tap/marks.ts'
import type { FaultKind } from './fault.ts'

export interface AnswersCarry {
  fault: 'answers-carry'
  markings: Marking[]
}

/** Each on the answers to GET whose path has its `segment` last; the first `times` of them, or all. */
export function answersCarry(markings: Marking[]): AnswersCarry {
  return { fault: 'answers-carry', markings }
}

export const answersCarryKind: FaultKind<AnswersCarry> = {
  needs: () => [],
  hop: () => 'edge',
  words: ({ markings }) => `answers of the origin carry ${[...new Set(markings.map(({ name, value }) => `${name}: ${value}`))].join(', ')}`,
  async inject({ markings }, world) {
    const link = world.link('edge-origin')
    const before = await link.set({ state: 'open', markings })
    return {
      async proof() {
        const marked = (await link.counters()).marked - before.marked
        return { proven: marked >= markings.length, proof: `${marked} answers were marked` }
      },
      heal: async () => void (await link.set({ state: 'open' })),
    }
  },
}
