/**
 * Leaves in a data_dir what a crash in the middle of an append leaves: its data, whole or half, behind the
 * last message of the stream's file, of which the metadata knows nothing. Its server is down meanwhile. Both
 * servers put a length of four bytes, big endian, before each message; the reference server a newline behind it.
 */
import { appendFile, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { findFile } from './find-file.ts'

export interface LeftBehind {
  /** Of the stream's file. */
  bytesBefore: number
  bytesAfter: number
}

/**
 * `mark` is what the stream's file alone holds; `data` is the append that was under way. Null where no file
 * below data_dir holds the mark.
 */
export async function leaveACrash(dataDir: string, mark: string, data: Buffer, written: 'half' | 'whole'): Promise<LeftBehind | null> {
  const found = await findFile(path.join(dataDir, 'streams'), mark)
  if (found === null) return null
  const { file } = found
  const { size: bytesBefore } = await stat(file)
  const frame = Buffer.concat([lengthOf(data), data, Buffer.from((await isReference(dataDir)) ? '\n' : '')])
  await appendFile(file, written === 'whole' ? frame : frame.subarray(0, Math.ceil(frame.length / 2)))
  return { bytesBefore, bytesAfter: (await stat(file)).size }
}

function lengthOf(data: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  return length
}

async function isReference(dataDir: string): Promise<boolean> {
  return (await readdir(dataDir)).some((name) => name.startsWith('metadata.lmdb'))
}
