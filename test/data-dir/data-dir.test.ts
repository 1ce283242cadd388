/** What a data_dir holds, told from its files alone: whole, cut off, damaged, of another kind, in use. */
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DamagedBolt, readBucket } from '../../harness/data-dir/bolt-file.ts'
import { copyDataDir } from '../../harness/data-dir/copy.ts'
import { inspectDataDir, lockedBy } from '../../harness/data-dir/inspect.ts'
import { scanSegment } from '../../harness/data-dir/segment-file.ts'
import { UsageError } from '../../harness/errors.ts'
import { boltFile, pageSize } from './bolt-writer.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'data-dir-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: Uint8Array): string {
  const where = path.join(folder, name)
  mkdirSync(path.dirname(where), { recursive: true })
  writeFileSync(where, content)
  return where
}

function frames(...messages: string[]): Buffer {
  return Buffer.concat(messages.map((message) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(message))
    return Buffer.concat([length, Buffer.from(message)])
  }))
}

/** A data_dir with one stream of these messages, as the production server leaves it. */
function dataDir(messages: string[], metadata: object = {}): string {
  const bytes = frames(...messages)
  const entry = {
    path: '/v1/stream/a',
    content_type: 'text/plain',
    current_offset: `0000000000000000_${String(bytes.length).padStart(16, '0')}`,
    created_at: 1_795_601_757,
    directory_name: 'a~1~b',
    ...metadata,
  }
  file('data/metadata/metadata.db', boltFile('metadata', [[[entry.path, JSON.stringify(entry)]]]))
  file('data/streams/a~1~b/data.seg', bytes)
  return path.join(folder, 'data')
}

describe('a bbolt file', () => {
  const pairs: [string, string][][] = [[['a', '1'], ['b', '']], [['c', 'x'.repeat(900)], ['ü', '4']]]

  test('gives the pairs of a bucket, from leaves below a branch', async () => {
    expect(await readBucket(file('db', boltFile('metadata', pairs)), 'metadata')).toEqual(pairs.flat())
  })

  test('gives those of a small bucket that stands in its value', async () => {
    expect(await readBucket(file('db', boltFile('metadata', [pairs[0]!], { inline: true })), 'metadata')).toEqual(pairs[0])
  })

  test('is read by its newest whole head', async () => {
    const bytes = boltFile('metadata', pairs)
    bytes.fill(0xff, pageSize + 40, pageSize + 60)
    expect(await readBucket(file('db', bytes), 'metadata')).toEqual(pairs.flat())
    bytes.fill(0xff, 40, 60)
    await expect(readBucket(file('db', bytes), 'metadata')).rejects.toThrow(/both of its heads are damaged/)
  })

  test.each<[string, (bytes: Buffer) => Uint8Array, RegExp]>([
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 1), /is cut off: 8 pages of 4096 bytes are in use, 32767 bytes are there/],
    ['empty', () => Buffer.alloc(0), /is empty/],
    ['of another kind', () => Buffer.alloc(9_000, 'x'), /is no bbolt database/],
  ])('that is %s says so', async (_name, doctor, sentence) => {
    await expect(readBucket(file('db', doctor(boltFile('metadata', pairs))), 'metadata')).rejects.toThrow(sentence)
  })

  test('without the bucket says so', async () => {
    await expect(readBucket(file('db', boltFile('other', pairs)), 'metadata')).rejects.toThrow(/has no bucket "metadata"/)
  })

  test('with any byte changed is read, or refused as damaged, and never hangs', async () => {
    const bytes = boltFile('metadata', pairs)
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const changed = Buffer.from(bytes)
        changed[at] = value
        await readBucket(file('db', changed), 'metadata').catch((error: unknown) => {
          if (!(error instanceof DamagedBolt || error instanceof RangeError)) throw error
        })
      }),
      { numRuns: 300 },
    )
  })
})

describe('a data file', () => {
  test('is told apart into messages, however its pieces fall', async () => {
    const messages = ['one', '', 'x'.repeat(3_000_000), 'four']
    const bytes = frames(...messages)
    expect(await scanSegment(file('seg', bytes), bytes.length)).toEqual({
      whole: { messages: 4, payloadBytes: 3_000_007 },
      committed: { messages: 4, payloadBytes: 3_000_007 },
      wholeBytes: bytes.length,
      tornBytes: 0,
      damage: null,
    })
  })

  test('ends in what was acknowledged, what was not, and half a message', async () => {
    const bytes = Buffer.concat([frames('first', 'second'), frames('third').subarray(0, 6)])
    const scanned = await scanSegment(file('seg', bytes), 9)
    expect(scanned).toMatchObject({ committed: { messages: 1, payloadBytes: 5 }, whole: { messages: 2, payloadBytes: 11 }, wholeBytes: 19, tornBytes: 6 })
  })

  test('with a length that no server writes is damaged from there', async () => {
    const scanned = await scanSegment(file('seg', Buffer.concat([frames('first'), Buffer.alloc(8, 0xff)])), 9)
    expect(scanned).toMatchObject({ wholeBytes: 9, tornBytes: 8, damage: expect.stringMatching(/^a message of 4294967295 bytes at byte 9/) as string })
  })
})

describe('a data_dir', () => {
  test('tells each stream with its file', async () => {
    const found = await inspectDataDir(dataDir(['hello', 'world'], { ttl_seconds: 60, closed: true }))
    expect(found).toMatchObject({ orphans: [], streams: [{ path: '/v1/stream/a', committedBytes: 18, ttlSeconds: 60, closed: true, forkedFrom: null, segment: { whole: { messages: 2 } } }] })
  })

  test('tells a fork by what is its own', async () => {
    const fork = { forked_from: '/v1/stream/s', fork_offset: '0000000000000000_0000000000000100', current_offset: '0000000000000000_0000000000000109' }
    const { streams } = await inspectDataDir(dataDir(['hello'], fork))
    expect(streams).toMatchObject([{ forkedFrom: '/v1/stream/s', committedBytes: 9, segment: { committed: { messages: 1 } } }])
  })

  test('tells data that belongs to no stream, and streams without data', async () => {
    const where = dataDir(['hello'])
    file('data/streams/old~1~c/data.seg', frames('x'))
    file('data/streams/.deleted~old~1~c~2/data.seg', frames('x'))
    rmSync(path.join(where, 'streams', 'a~1~b'), { recursive: true })
    expect(await inspectDataDir(where)).toMatchObject({ orphans: ['old~1~c'], streams: [{ segment: null }] })
  })

  test.each<[string, (where: string) => void, RegExp]>([
    ['that is not there', (where) => rmSync(where, { recursive: true }), /^The data_dir .* cannot be read \(ENOENT\)\.$/],
    ['of the reference server', (where) => writeFileSync(path.join(where, 'metadata.lmdb'), ''), /is a data_dir of the reference server \(metadata\.lmdb\)/],
    ['that is another folder', (where) => rmSync(path.join(where, 'metadata'), { recursive: true }), /is no data_dir of the production server: it has to hold metadata\/metadata\.db and streams\//],
    ['that was copied by half', (where) => truncateSync(path.join(where, 'metadata/metadata.db'), 9_000), /is cut off: .*; copy the data_dir again while its server is stopped\.$/],
    ['with an entry that cannot be read', (where) => writeFileSync(path.join(where, 'metadata/metadata.db'), boltFile('metadata', [[['/v1/stream/a', '{"path":']]])), /has an entry that cannot be read, of the stream "\/v1\/stream\/a"/],
  ])('%s is refused in one sentence', async (_name, doctor, sentence) => {
    const where = dataDir(['hello'])
    doctor(where)
    const refused = await inspectDataDir(where).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(UsageError)
    expect((refused as Error).message).toMatch(sentence)
  })

  test('is copied, and not changed', async () => {
    const where = dataDir(['hello'])
    const before = readFileSync(path.join(where, 'metadata/metadata.db'))
    await copyDataDir(where, path.join(folder, 'copy'))
    appendFileSync(path.join(folder, 'copy/metadata/metadata.db'), 'x')
    expect(readFileSync(path.join(where, 'metadata/metadata.db'))).toEqual(before)
    expect(readFileSync(path.join(folder, 'copy/streams/a~1~b/data.seg'))).toEqual(frames('hello'))
  })

  test('that is written to meanwhile is no copy', async () => {
    const where = dataDir(['hello'])
    for (let n = 0; n < 300; n += 1) cpSync(path.join(where, 'streams/a~1~b'), path.join(where, `streams/more-${n}`), { recursive: true })
    const copying = copyDataDir(where, path.join(folder, 'copy'))
    const writing = setInterval(() => appendFileSync(path.join(where, 'streams/a~1~b/data.seg'), 'x'), 0)
    await expect(copying.finally(() => clearInterval(writing))).rejects.toThrow(/changed while it was copied/)
  })

  test('that nobody has open is not locked', async () => {
    expect(await lockedBy(dataDir(['hello']))).toBe(null)
  })
})
