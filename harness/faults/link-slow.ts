/** A slow link: each piece comes later, at a bounded rate, cut into slices as small as is asked. */
import type { LinkId } from '../history.ts'
import { linkWords } from '../hop-words.ts'
import type { FaultKind } from './fault.ts'

export interface LinkSlow {
  fault: 'link-slow'
  link: LinkId
  /** One way. */
  latencyMs: number
  bytesPerSecond?: number
  sliceBytes?: number
}

export function linkSlow(link: LinkId, how: { latencyMs: number; bytesPerSecond?: number; sliceBytes?: number }): LinkSlow {
  return { fault: 'link-slow', link, ...how }
}

export const linkSlowKind: FaultKind<LinkSlow> = {
  needs: () => [],
  hop: () => 'edge',
  words: ({ link, latencyMs }) => `the link between ${linkWords[link]} is slow by ${latencyMs} ms`,
  async inject({ link: id, latencyMs, bytesPerSecond, sliceBytes }, world) {
    const link = world.link(id)
    const how = { ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }), ...(sliceBytes === undefined ? {} : { sliceBytes }) }
    const before = await link.set({ state: 'slow', latencyMs, ...how })
    return {
      async proof() {
        const { delayedPieces, delayMsMin } = await link.counters()
        const delayed = delayedPieces - before.delayedPieces
        const least = delayMsMin === null ? '' : `, each by ${Math.floor(delayMsMin)} ms or more`
        return { proven: delayed > 0 && delayMsMin !== null && delayMsMin >= latencyMs - 1, proof: `${delayed} pieces were delayed${least}` }
      },
      heal: async () => void (await link.set({ state: 'open' })),
    }
  },
}
