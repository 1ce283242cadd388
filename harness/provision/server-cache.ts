import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { identifyServer } from './identify.ts'
import type { IdentityCache } from './identity-cache.ts'
import { newestFirst } from './release-version.ts'

/** A release in the cache: its folder holds the program and `release.json`, written together. */
export interface CachedServer {
  path: string
  sha256: string
  caddyVersion: string
  /** The release's number. */
  release: string
}

/** What is written beside a program when it is unpacked. */
export interface ReleaseRecord {
  version: string
  /** Of the program. */
  sha256: string
  /** Of the archive it came in, as `checksums.txt` has it. */
  archiveSha256: string
}

interface CacheOptions {
  cacheDir: string
  identities: IdentityCache
  version?: string | undefined
  onProgress: (line: string) => void
  signal?: AbortSignal | undefined
}

const programName = 'durable-streams-server'

/** The folder of one release, for this platform only: caches are sometimes shared. */
export function releaseFolder(cacheDir: string, version: string): string {
  return path.join(serversFolder(cacheDir), `${version}_${process.platform}_${process.arch}`)
}

export function serversFolder(cacheDir: string): string {
  return path.join(cacheDir, 'servers')
}

export function programIn(folder: string): string {
  return path.join(folder, programName)
}

export function recordIn(folder: string): string {
  return path.join(folder, 'release.json')
}

/** The pinned version, else the newest one kept; a damaged one is removed, and null returned. */
export async function cachedServer(options: CacheOptions): Promise<CachedServer | null> {
  const { version, cacheDir } = options
  const wanted = version !== undefined ? [version] : newestFirst(await cachedVersions(cacheDir))
  for (const candidate of wanted) {
    const kept = await openRelease(candidate, options)
    if (kept) return kept
  }
  return null
}

/** The number of the release whose program has this hash, as far as this machine has met it. */
export async function releaseOfHash(cacheDir: string, sha256: string): Promise<string | null> {
  for (const version of await cachedVersions(cacheDir)) {
    const record = await readRecord(releaseFolder(cacheDir, version))
    if (record?.sha256 === sha256) return version
  }
  return null
}

async function cachedVersions(cacheDir: string): Promise<string[]> {
  const suffix = `_${process.platform}_${process.arch}`
  try {
    const names = await readdir(serversFolder(cacheDir))
    return names
      .filter((name) => /^\d/.test(name) && name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
  } catch {
    return []
  }
}

async function openRelease(version: string, options: CacheOptions): Promise<CachedServer | null> {
  const folder = releaseFolder(options.cacheDir, version)
  const record = await readRecord(folder)
  if (!record) return null
  const file = programIn(folder)
  let because = 'has another hash than when it was unpacked'
  const identity = await options.identities.of('server-2', file, async () => {
    const found = await identifyServer(file, options.signal)
    if (!found.ok) because = found.because
    return found.ok ? found.identity : null
  })
  if (identity && identity.sha256 === record.sha256) {
    return {
      path: file,
      sha256: record.sha256,
      caddyVersion: identity.caddyVersion,
      release: record.version,
    }
  }
  options.onProgress(`${file} ${because}; it is removed from the cache.`)
  await rm(folder, { recursive: true, force: true })
  return null
}

async function readRecord(folder: string): Promise<ReleaseRecord | null> {
  try {
    return JSON.parse(await readFile(recordIn(folder), 'utf8')) as ReleaseRecord
  } catch {
    return null
  }
}
