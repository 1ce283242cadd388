/**
 * Nothing passes a link, and nobody is told: no byte, no end, no reset. When it heals, what waited is
 * delivered, as TCP does after an outage shorter than its patience.
 */
import type { LinkId } from '../history.ts'
import { linkWords } from '../hop-words.ts'
import type { FaultKind } from './fault.ts'

export interface LinkSilent {
  fault: 'link-silent'
  link: LinkId
}

export function linkSilent(link: LinkId): LinkSilent {
  return { fault: 'link-silent', link }
}

export const linkSilentKind: FaultKind<LinkSilent> = {
  needs: () => [],
  hop: () => 'edge',
  words: ({ link }) => `the link between ${linkWords[link]} is silent`,
  async inject({ link: id }, world) {
    const link = world.link(id)
    const before = await link.set({ state: 'silent' })
    return {
      async proof() {
        const { heldPieces, standing } = await link.counters()
        const held = heldPieces - before.heldPieces
        return { proven: held > 0, proof: `${held} pieces were held back, ${standing} connections stood` }
      },
      heal: async () => void (await link.set({ state: 'open' })),
    }
  },
}
