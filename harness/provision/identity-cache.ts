import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

const rememberedMax = 50

/** Facts about files that change only when the file does, kept between runs. */
export interface IdentityCache {
  /** The facts remembered for this very file, else those of `find`; null is not remembered. */
  of<T>(what: string, file: string, find: () => Promise<T | null>): Promise<T | null>
}

interface Remembered {
  stamp: string
  facts: unknown
}

/**
 * A cache in `folder`. Hashing and asking a 70 MB server takes half a second; a file of the same
 * inode, size and times is the same file. Everything here is best effort: a folder that cannot be
 * read or written only costs time.
 */
export function openIdentityCache(folder: string): IdentityCache {
  const file = path.join(folder, 'identities.json')
  const remembered = readAll(file)
  let writing = Promise.resolve()
  return {
    async of<T>(what: string, subject: string, find: () => Promise<T | null>): Promise<T | null> {
      const key = `${what} ${subject}`
      const stamp = await stampOf(subject)
      const known = (await remembered).get(key)
      if (stamp !== null && known?.stamp === stamp) return known.facts as T
      const facts = await find()
      if (facts === null || stamp === null || stamp !== (await stampOf(subject))) return facts
      ;(await remembered).set(key, { stamp, facts })
      writing = writing.then(async () => writeAll(file, await remembered))
      await writing
      return facts
    },
  }
}

async function stampOf(file: string): Promise<string | null> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  } catch {
    return null
  }
}

async function readAll(file: string): Promise<Map<string, Remembered>> {
  try {
    return new Map(
      Object.entries(JSON.parse(await readFile(file, 'utf8')) as Record<string, Remembered>),
    )
  } catch {
    return new Map()
  }
}

/** Two runs at once may lose each other's entry, never tear the file. */
async function writeAll(file: string, remembered: Map<string, Remembered>): Promise<void> {
  const beside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await mkdir(path.dirname(file), { recursive: true })
    const newest = [...remembered].slice(-rememberedMax)
    await writeFile(beside, JSON.stringify(Object.fromEntries(newest), null, 1))
    await rename(beside, file)
  } catch {
    // Nothing is lost but time.
  }
}
