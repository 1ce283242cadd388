/**
 * What a production server's `data_dir` holds, looked at without opening it as a server would: its
 * format, whether a server has it open, its streams with what their metadata promises and what their
 * files hold. Nothing is written.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { UsageError } from '../errors.ts'
import { DamagedBolt, readBucket } from './bolt-file.ts'
import { scanSegment, type Segment } from './segment-file.ts'

/** A stream as its metadata and its file have it. */
export interface StoredStream {
  /** As a client asks for it, without percent-encoding. */
  path: string
  contentType: string
  /** Where acknowledged data ends, in bytes of its own file: what a fork inherits is not in there. */
  committedBytes: number
  closed: boolean
  /** Deleted, and kept for its forks: nobody may see it. */
  hidden: boolean
  ttlSeconds: number | null
  createdAt: Date
  expiresAt: Date | null
  forkedFrom: string | null
  /** Null where the file is gone. */
  segment: Segment | null
}

export interface DataDir {
  folder: string
  bytes: number
  streams: StoredStream[]
  /** Folders of data that no metadata names: of streams that expired or were deleted, or were lost. */
  orphans: string[]
}

const database = path.join('metadata', 'metadata.db')

const storedMetadata = z.object({
  path: z.string(),
  content_type: z.string(),
  current_offset: z.string(),
  ttl_seconds: z.number().optional(),
  expires_at: z.number().optional(),
  created_at: z.number(),
  directory_name: z.string(),
  closed: z.boolean().default(false),
  forked_from: z.string().default(''),
  fork_offset: z.string().default(''),
  soft_deleted: z.boolean().default(false),
})

/**
 * @throws UsageError in one sentence: not a data_dir, of another server, open in one, half a copy, or
 * damaged beyond what can be told
 */
export async function inspectDataDir(folder: string): Promise<DataDir> {
  const names = await namesIn(folder)
  if (names.includes('metadata.lmdb')) {
    throw new UsageError(`${folder} is a data_dir of the reference server (metadata.lmdb); the production server cannot open it.`)
  }
  const streamsFolder = path.join(folder, 'streams')
  if (!names.includes('metadata') || !names.includes('streams') || !(await isThere(path.join(folder, database)))) {
    throw new UsageError(`${folder} is no data_dir of the production server: it has to hold ${database} and streams/; give the folder that the Caddyfile's data_dir names.`)
  }
  const pid = await lockedBy(folder)
  if (pid !== null) throw new UsageError(`A server (process ${pid}) has the data_dir ${folder} open: a copy of it would be torn. Stop the server, or give a snapshot.`)
  const stored = await readMetadata(folder)
  const streams: StoredStream[] = []
  for (const one of stored) streams.push(await streamOf(one, streamsFolder))
  const named = new Set(stored.map((one) => one.directory_name))
  const orphans = (await readdir(streamsFolder)).filter((name) => !named.has(name) && !name.startsWith('.deleted~'))
  return { folder, bytes: await bytesBelow(folder), streams, orphans }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    throw new UsageError(`The data_dir ${folder} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(() => true, () => false)
}

async function readMetadata(folder: string): Promise<z.infer<typeof storedMetadata>[]> {
  const file = path.join(folder, database)
  try {
    const pairs = await readBucket(file, 'metadata')
    return pairs.map(([key, value]) => metadataOf(key, value))
  } catch (error) {
    if (!(error instanceof DamagedBolt || error instanceof RangeError)) throw error
    const what = error instanceof DamagedBolt ? error.message : 'leads beyond its end'
    throw new UsageError(`The metadata of ${folder} (${database}) ${what}; copy the data_dir again while its server is stopped.`)
  }
}

function metadataOf(key: string, value: string): z.infer<typeof storedMetadata> {
  try {
    return storedMetadata.parse(JSON.parse(value))
  } catch {
    throw new DamagedBolt(`has an entry that cannot be read, of the stream ${JSON.stringify(key)}`)
  }
}

async function streamOf(stored: z.infer<typeof storedMetadata>, streamsFolder: string): Promise<StoredStream> {
  const file = path.join(streamsFolder, stored.directory_name, 'data.seg')
  const committedBytes = bytesOf(stored.current_offset) - bytesOf(stored.fork_offset)
  return {
    path: stored.path,
    contentType: stored.content_type,
    committedBytes,
    closed: stored.closed,
    hidden: stored.soft_deleted,
    ttlSeconds: stored.ttl_seconds ?? null,
    createdAt: new Date(stored.created_at * 1_000),
    expiresAt: stored.expires_at === undefined ? null : new Date(stored.expires_at * 1_000),
    forkedFrom: stored.forked_from === '' ? null : stored.forked_from,
    segment: (await isThere(file)) ? await scanSegment(file, committedBytes) : null,
  }
}

/** The server's offsets are '0000000000000000_0000000000000011': the second number counts bytes. */
function bytesOf(offset: string): number {
  return offset === '' ? 0 : Number(offset.split('_').at(-1))
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  let bytes = 0
  for (const entry of entries) if (entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size
  return bytes
}

/**
 * The process that has the metadata open and locked, as Linux tells it; null where none has, or where
 * that cannot be told. `flock` is taken by a server for as long as it runs.
 */
export async function lockedBy(folder: string): Promise<number | null> {
  const { ino } = await stat(path.join(folder, database))
  const locks = await readFile('/proc/locks', 'utf8').catch(() => '')
  // 4: FLOCK  ADVISORY  WRITE 9732 fe:00:10030763 0 EOF
  const held = locks.split('\n').map((line) => /\bFLOCK\s+ADVISORY\s+WRITE\s+(-?\d+)\s+\w+:\w+:(\d+)\s/.exec(line))
  const pid = held.find((match) => match?.[2] === String(ino))?.[1]
  return pid === undefined ? null : Number(pid)
}
