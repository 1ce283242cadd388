/** A link is cut: connections that stand are reset, and so is each that comes, until it heals. */
import type { LinkId } from '../history.ts'
import { linkWords } from '../hop-words.ts'
import type { FaultKind } from './fault.ts'

export interface LinkCut {
  fault: 'link-cut'
  link: LinkId
}

export function linkCut(link: LinkId): LinkCut {
  return { fault: 'link-cut', link }
}

export const linkCutKind: FaultKind<LinkCut> = {
  needs: () => [],
  hop: () => 'edge',
  words: ({ link }) => `the link between ${linkWords[link]} is cut`,
  async inject({ link: id }, world) {
    const link = world.link(id)
    const before = await link.set({ state: 'cut' })
    return {
      async proof() {
        const now = await link.counters()
        const [reset, refused] = [now.reset - before.reset + before.standing, now.refused - before.refused]
        return { proven: reset + refused > 0, proof: `${reset} connections were reset and ${refused} refused` }
      },
      heal: async () => void (await link.set({ state: 'open' })),
    }
  },
}
