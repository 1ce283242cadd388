/** A copy of a data_dir, taken from a folder that does not change meanwhile. The original is only read. */
import { constants } from 'node:fs'
import { cp, readdir, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { HarnessError } from '../errors.ts'

/** Left free on the disk that takes the copy. */
const freeBytesMin = 512 * 1024 ** 2

/**
 * Copies `from` into `to`, which is made. Where the file system can, blocks are shared and nothing is
 * written twice.
 * @throws HarnessError where it changes meanwhile, or there is no room
 */
export async function copyDataDir(from: string, to: string): Promise<void> {
  const before = await fingerprintOf(from)
  await refuseFullDisk(from, to, before.bytes)
  await cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE, preserveTimestamps: true })
  if ((await fingerprintOf(from)).text !== before.text) {
    throw new HarnessError(`The data_dir ${from} changed while it was copied: something writes to it. Stop that, or give a snapshot.`)
  }
}

async function refuseFullDisk(from: string, to: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(path.dirname(to))
  if (bavail * bsize >= bytes + freeBytesMin) return
  const mebibytes = (n: number) => Math.ceil(n / 1024 ** 2).toLocaleString('en-US')
  throw new HarnessError(`A copy of ${from} needs ${mebibytes(bytes)} MiB, and ${mebibytes(bavail * bsize)} MiB are free where temporary data goes; set TMPDIR to another disk.`)
}

/** Names, sizes and times of all files. */
async function fingerprintOf(folder: string): Promise<{ text: string; bytes: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const lines: string[] = []
  let total = 0
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name)
    const found = await stat(file).catch(() => null)
    total += found?.size ?? 0
    lines.push(`${file} ${found?.size} ${found?.mtimeMs}`)
  }
  return { text: lines.toSorted().join('\n'), bytes: total }
}
