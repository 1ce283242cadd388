/**
 * Reads the keys of a bbolt database (the production server's metadata) without its program, so that a
 * copy can be looked at before anything opens it. Read only; format version 2 of go.etcd.io/bbolt:
 * pages of 16 bytes head, two meta pages of which the valid one with the newest transaction counts.
 */
import { readFile, stat } from 'node:fs/promises'

/** What is wrong with the file, in words that go behind "its metadata". */
export class DamagedBolt extends Error {
  override readonly name = 'DamagedBolt'
}

interface Meta {
  pageSize: number
  root: number
  /** One more than the highest page in use. */
  pages: number
  transaction: bigint
}

const magic = 0xed0cdaed
const version = 2
const pageHead = 16
const metaBytes = 64
const flags = { branch: 0x01, leaf: 0x02 } as const
const bucketFlag = 1
/** The database is held in memory; 4 million streams are about 1 GiB. */
const fileBytesMax = 2 ** 30
/** A tree is never this deep; a loop of damaged pages is. */
const depthMax = 32

/**
 * All pairs of one top-level bucket, as text, in the order of their keys.
 * @throws DamagedBolt for a file that is none, is cut off, or leads astray
 */
export async function readBucket(file: string, bucket: string): Promise<[key: string, value: string][]> {
  const { size } = await stat(file)
  if (size > fileBytesMax) throw new DamagedBolt(`is ${size} bytes large; at most ${fileBytesMax} can be looked at`)
  const bytes = await readFile(file)
  const meta = metaOf(bytes)
  if (meta.pages * meta.pageSize > bytes.length) {
    throw new DamagedBolt(`is cut off: ${meta.pages} pages of ${meta.pageSize} bytes are in use, ${bytes.length} bytes are there`)
  }
  const found = [...leavesBelow(bytes, meta, meta.root, 0)].find(({ key, isBucket }) => isBucket && key.toString() === bucket)
  if (!found) throw new DamagedBolt(`has no bucket "${bucket}"`)
  return [...pairsOf(bytes, meta, found.value)].map(({ key, value }) => [key.toString(), value.toString()])
}

function metaOf(bytes: Buffer): Meta {
  // The second lies one page further, and how large a page is the first may be too damaged to tell.
  const places = [0, 4_096, 8_192, 16_384, 65_536].filter((at) => at + pageHead + metaBytes <= bytes.length)
  const metas = places.flatMap((at) => validMeta(bytes.subarray(at + pageHead, at + pageHead + metaBytes)) ?? [])
  if (metas.length === 0) throw new DamagedBolt(bytes.length === 0 ? 'is empty' : 'is no bbolt database, or both of its heads are damaged')
  return metas.reduce((newest, meta) => (meta.transaction > newest.transaction ? meta : newest))
}

function validMeta(meta: Buffer): Meta | null {
  if (meta.readUInt32LE(0) !== magic || meta.readUInt32LE(4) !== version) return null
  if (fnv1a64(meta.subarray(0, 56)) !== meta.readBigUInt64LE(56)) return null
  return { pageSize: meta.readUInt32LE(8), root: Number(meta.readBigUInt64LE(16)), pages: Number(meta.readBigUInt64LE(40)), transaction: meta.readBigUInt64LE(48) }
}

/** The checksum of a meta page. */
export function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}

interface Leaf {
  key: Buffer
  value: Buffer
  isBucket: boolean
}

/** A small bucket stands in its own value, behind a head that names no page. */
function pairsOf(bytes: Buffer, meta: Meta, bucket: Buffer): Iterable<Leaf> {
  const root = Number(bucket.readBigUInt64LE(0))
  return root === 0 ? leavesOf(bucket.subarray(16)) : leavesBelow(bytes, meta, root, 0)
}

function* leavesBelow(bytes: Buffer, meta: Meta, page: number, depth: number): Generator<Leaf> {
  if (depth > depthMax) throw new DamagedBolt('leads round in a circle')
  const content = pageAt(bytes, meta, page)
  const kind = content.readUInt16LE(8)
  if (kind & flags.leaf) return yield* leavesOf(content)
  if (!(kind & flags.branch)) throw new DamagedBolt(`leads to page ${page}, which holds no keys`)
  for (let at = 0; at < content.readUInt16LE(10); at += 1) {
    yield* leavesBelow(bytes, meta, Number(content.readBigUInt64LE(pageHead + at * 16 + 8)), depth + 1)
  }
}

function pageAt(bytes: Buffer, { pageSize, pages }: Meta, page: number): Buffer {
  if (page >= pages) throw new DamagedBolt(`leads to page ${page} of ${pages}`)
  const from = page * pageSize
  const overflow = bytes.readUInt32LE(from + 12)
  return within(bytes, from, pageSize * (overflow + 1))
}

function* leavesOf(page: Buffer): Generator<Leaf> {
  for (let nth = 0; nth < page.readUInt16LE(10); nth += 1) {
    const at = pageHead + nth * 16
    const element = within(page, at, 16)
    const keyAt = at + element.readUInt32LE(4)
    const keyBytes = element.readUInt32LE(8)
    const value = within(page, keyAt + keyBytes, element.readUInt32LE(12))
    yield { key: within(page, keyAt, keyBytes), value, isBucket: (element.readUInt32LE(0) & bucketFlag) !== 0 }
  }
}

function within(bytes: Buffer, from: number, length: number): Buffer {
  if (from + length > bytes.length) throw new DamagedBolt(`leads beyond its end (${from + length} of ${bytes.length} bytes)`)
  return bytes.subarray(from, from + length)
}
