/** A link forgets its connections: nothing passes, and when it heals those that stood are reset. */
import type { LinkId } from '../history.ts'
import { linkWords } from '../hop-words.ts'
import type { FaultKind } from './fault.ts'

export interface LinkForgets {
  fault: 'link-forgets'
  link: LinkId
}

export function linkForgets(link: LinkId): LinkForgets {
  return { fault: 'link-forgets', link }
}

export const linkForgetsKind: FaultKind<LinkForgets> = {
  needs: () => [],
  hop: () => 'edge',
  words: ({ link }) => `the link between ${linkWords[link]} forgets its connections`,
  async inject({ link: id }, world) {
    const link = world.link(id)
    const before = await link.set({ state: 'silent' })
    return {
      async proof() {
        const { heldPieces, standing } = await link.counters()
        const held = heldPieces - before.heldPieces
        return { proven: held > 0 && standing > 0, proof: `${held} pieces were held back, and ${standing} connections forgotten` }
      },
      async heal() {
        await link.set({ state: 'cut' })
        await link.set({ state: 'open' })
      },
    }
  },
}
