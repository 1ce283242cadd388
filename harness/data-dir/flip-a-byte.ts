/**
 * Changes one bit in the file of a stream, as a disk does that forgets: in the payload of one record, or in the
 * length that stands before it. Its server is down meanwhile. Both servers put a length of four bytes, big
 * endian, before each message; the reference server counts the comma behind a JSON message as well.
 */
import { open } from 'node:fs/promises'
import path from 'node:path'
import { findPlace, markOf, type RecordPlace } from '../record.ts'
import { filesBelow, findFile } from './find-file.ts'

/** A record by its id, as one that was sent with this content type. */
export interface SoughtRecord {
  record: string
  contentType: string
}

export interface FlippedByte {
  /** Below data_dir. */
  file: string
  /** Position in the file. */
  at: number
  before: number
  after: number
}

export type Damage = { where: 'payload' } | { where: 'length'; lengthByte: number }

export const lengthBytes = 4
/** The lowest bit: letters stay letters, and JSON stays JSON. */
const mask = 0x01

/**
 * Null where no file below data_dir holds the record whole. `lengthByte` is which of the four bytes is changed,
 * from 0, the highest. Throws where no length stands before the record, and what the file system throws.
 */
export async function flipAByte(dataDir: string, { record, contentType }: SoughtRecord, damage: Damage): Promise<FlippedByte | null> {
  const found = await findFile(path.join(dataDir, 'streams'), markOf(record, contentType))
  const place = found === null ? null : findPlace(found.content, record, contentType)
  if (found === null || place === null) return null
  const { file, content } = found
  const at = damage.where === 'payload' ? middleOfPayload(place) : lengthBefore(content, place) + damage.lengthByte
  const before = content[at]!
  const after = await change(file, at, before ^ mask)
  return { file: path.relative(dataDir, file), at, before, after }
}

function middleOfPayload({ payloadAt, payloadEnd }: RecordPlace): number {
  return Math.floor((payloadAt + payloadEnd) / 2)
}

function lengthBefore(content: Buffer, { at, end }: RecordPlace): number {
  const lengthAt = at - lengthBytes
  const length = lengthAt < 0 ? -1 : content.readUInt32BE(lengthAt)
  if (length !== end - at && length !== end - at + 1) throw new Error(`the ${lengthBytes} bytes before the record are not its length`)
  return lengthAt
}

/** The byte as it is found in the file afterwards. */
async function change(file: string, at: number, byte: number): Promise<number> {
  const handle = await open(file, 'r+')
  try {
    await handle.write(Buffer.from([byte]), 0, 1, at)
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at)
    if (buffer[0] !== byte) throw new Error(`the byte at ${at} did not change`)
    return buffer[0]
  } finally {
    await handle.close()
  }
}

/** Ids of those of these records that stand whole in a file below data_dir. Throws what the file system throws. */
export async function recordsOnDisk(dataDir: string, sought: readonly SoughtRecord[]): Promise<Set<string>> {
  const found = new Set<string>()
  for await (const { content } of filesBelow(path.join(dataDir, 'streams'))) {
    for (const { record, contentType } of sought) if (findPlace(content, record, contentType) !== null) found.add(record)
  }
  return found
}
