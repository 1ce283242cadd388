/**
 * Writes a small bbolt database, as the production server's metadata is one: two meta pages, a root with
 * one bucket, and the bucket's pairs on leaves below a branch, or in the bucket's own value.
 */
import { fnv1a64 } from '../../harness/data-dir/bolt-file.ts'

export const pageSize = 4_096

type Pair = [key: Buffer, value: Buffer]

/** `leaves` are the pages of the bucket's pairs; a single one of few pairs can stand inline. */
export function boltFile(bucket: string, leaves: [string, string][][], options: { inline?: boolean; transaction?: bigint } = {}): Buffer {
  const pages: Buffer[] = []
  const pairs = leaves.map((leaf) => leaf.map(([key, value]): Pair => [Buffer.from(key), Buffer.from(value)]))
  const rootPage = 4
  const first = rootPage + 2
  for (const leaf of pairs) pages.push(leafPage(first + pages.length, leaf))
  const branch = branchPage(rootPage + 1, pairs.map((leaf, index) => [leaf[0]?.[0] ?? Buffer.alloc(0), BigInt(first + index)]))
  const bucketValue = options.inline ? Buffer.concat([Buffer.alloc(16), leafPage(0, pairs[0]!, false)]) : bucketHead(BigInt(rootPage + 1))
  const root = leafPage(rootPage, [[Buffer.from(bucket), bucketValue]], true, 1)
  const used = first + pages.length
  const transaction = options.transaction ?? 7n
  return Buffer.concat([metaPage(0, rootPage, used, transaction - 1n), metaPage(1, rootPage, used, transaction), Buffer.alloc(2 * pageSize), root, branch, ...pages])
}

function head(id: number, flags: number, count: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64LE(BigInt(id), 0)
  bytes.writeUInt16LE(flags, 8)
  bytes.writeUInt16LE(count, 10)
  return bytes
}

function metaPage(id: number, root: number, pages: number, transaction: bigint): Buffer {
  const meta = Buffer.alloc(64)
  meta.writeUInt32LE(0xed0cdaed, 0)
  meta.writeUInt32LE(2, 4)
  meta.writeUInt32LE(pageSize, 8)
  meta.writeBigUInt64LE(BigInt(root), 16)
  meta.writeBigUInt64LE(2n, 32)
  meta.writeBigUInt64LE(BigInt(pages), 40)
  meta.writeBigUInt64LE(transaction, 48)
  meta.writeBigUInt64LE(fnv1a64(meta.subarray(0, 56)), 56)
  return padded(Buffer.concat([head(id, 4, 0), meta]))
}

function bucketHead(root: bigint): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64LE(root, 0)
  return bytes
}

function leafPage(id: number, pairs: Pair[], whole = true, flags = 0): Buffer {
  const elements = pairs.map(() => Buffer.alloc(16))
  let at = pairs.length * 16
  const data = pairs.map(([key, value], index) => {
    elements[index]!.writeUInt32LE(flags, 0)
    elements[index]!.writeUInt32LE(at - index * 16, 4)
    elements[index]!.writeUInt32LE(key.length, 8)
    elements[index]!.writeUInt32LE(value.length, 12)
    at += key.length + value.length
    return Buffer.concat([key, value])
  })
  const page = Buffer.concat([head(id, 2, pairs.length), ...elements, ...data])
  return whole ? padded(page) : page
}

function branchPage(id: number, children: [Buffer, bigint][]): Buffer {
  const elements = children.map(([key, page], index) => {
    const element = Buffer.alloc(16)
    element.writeUInt32LE(children.length * 16 - index * 16, 0)
    element.writeUInt32LE(key.length, 4)
    element.writeBigUInt64LE(page, 8)
    return element
  })
  return padded(Buffer.concat([head(id, 1, children.length), ...elements, ...children.map(([key]) => key)]))
}

function padded(page: Buffer): Buffer {
  if (page.length > pageSize) throw new Error(`a page of ${page.length} bytes needs an overflow, which this writer has not`)
  return Buffer.concat([page, Buffer.alloc(pageSize - page.length)])
}
