/** The files in which streams' data lies; one is found by something that stands in it alone. */
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

export interface FoundFile {
  file: string
  content: Buffer
}

/** Larger files are not looked into. */
const fileBytesMax = 64 * 1024 ** 2

/** The first file below this folder that holds `mark`; null where there is none. */
export async function findFile(folder: string, mark: string): Promise<FoundFile | null> {
  for await (const found of filesBelow(folder)) if (found.content.includes(mark)) return found
  return null
}

/** One after another, so that one is held at a time. */
export async function* filesBelow(folder: string): AsyncGenerator<FoundFile> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name)
    const content = await contentOf(file)
    if (content !== null) yield { file, content }
  }
}

/** Null for a file that is too large, or gone by now: its server may be at work. */
async function contentOf(file: string): Promise<Buffer | null> {
  try {
    return (await stat(file)).size <= fileBytesMax ? await readFile(file) : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
