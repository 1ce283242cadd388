/** The volume of data_dir is full: not a page is left. It heals when the space is given back. */
import type { FaultKind } from './fault.ts'

export interface DiskFull {
  fault: 'disk-full'
}

/** Needs a world with `dataVolumeBytes`. */
export function diskFull(): DiskFull {
  return { fault: 'disk-full' }
}

export const diskFullKind: FaultKind<DiskFull> = {
  needs: () => ['limited-volume'],
  hop: () => 'origin',
  words: () => 'the disk of data_dir is full',
  async inject(_, world) {
    const volume = world.dataVolume()
    const before = await volume.freeBytes()
    await volume.fill()
    const full = await volume.freeBytes()
    return {
      proof: async () => ({ proven: full === 0, proof: `${before} bytes were free on its volume, then ${full}, ${await volume.freeBytes()} at the end` }),
      heal: () => volume.drain(),
    }
  },
}
