/** A volume of a size of its own: a tmpfs in the run's folder, which containers see as they see the folder. */
import { open, rm, statfs } from 'node:fs/promises'
import path from 'node:path'
import { HarnessError } from '../errors.ts'
import { asRoot, whyNotAsRoot } from './as-root.ts'
import type { LimitedVolume, Runtime } from './runtime.ts'

const mountMsMax = 10_000
/** Of tmpfs: its page. */
const pieceBytes = 4_096
const fillerBytesMax = 4 * 1024 ** 3

type Run = Runtime['run']

/** Mounts a tmpfs of this size there. @throws HarnessError where that may not be */
export async function mountVolume(run: Run, folder: string, bytes: number): Promise<LimitedVolume> {
  const options = `size=${bytes},mode=0711,uid=${process.getuid!()},gid=${process.getgid!()}`
  const { code, stderr } = await run(...asRoot('mount', ['-t', 'tmpfs', '-o', options, 'durable-streams-simulator', folder]), { timeoutMs: mountMsMax })
  if (code !== 0) throw new HarnessError(`${folder} could not be made a volume of its own: ${stderr.trim()}`)
  return new Tmpfs(folder)
}

export async function unmountVolume(run: Run, folder: string): Promise<void> {
  await run(...asRoot('umount', ['--lazy', folder]), { timeoutMs: mountMsMax })
}

/** What keeps a volume from being mounted, as a clause; null when nothing does. */
export async function whyNoVolume(run: Run, folder: string): Promise<string | null> {
  const because = await whyNotAsRoot()
  if (because !== null) return `to mount a volume of its own size ${because}`
  try {
    await mountVolume(run, folder, 1024 ** 2)
    await unmountVolume(run, folder)
    return null
  } catch (error) {
    return `no tmpfs can be mounted here (${(error as Error).message.split(': ').at(-1)})`
  }
}

class Tmpfs implements LimitedVolume {
  readonly path: string
  #filler: string

  constructor(folder: string) {
    this.path = folder
    this.#filler = path.join(folder, 'filler')
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path)
    return bavail * bsize
  }

  /** By pages, so that not one is left: a program's own file may have room in its last one. */
  async fill(): Promise<void> {
    const filler = await open(this.#filler, 'a')
    try {
      for (const bytes of [64 * pieceBytes, pieceBytes]) await writeUntilFull(filler, bytes)
    } finally {
      await filler.close()
    }
  }

  async drain(): Promise<void> {
    await rm(this.#filler, { force: true })
  }
}

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, bytes: number): Promise<void> {
  const piece = Buffer.alloc(bytes)
  for (let written = 0; written < fillerBytesMax; ) {
    try {
      const { bytesWritten } = await file.write(piece)
      written += bytesWritten
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
      throw error
    }
  }
  throw new HarnessError(`${fillerBytesMax} bytes did not fill the volume.`)
}
