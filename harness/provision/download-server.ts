import { randomBytes } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { unpackTar } from 'modern-tar/fs'
import { withLock } from '../bootstrap/lock.mjs'
import { identifyServer, sha256Of } from './identify.ts'
import type { IdentityCache } from './identity-cache.ts'
import {
  DownloadFailed,
  openReleaseClient,
  usualLimits,
  type DownloadLimits,
  type ReleaseClient,
} from './release-client.ts'
import { assetName, checksumOf, fileUrl, versionsIn, type ReleaseSource } from './release-source.ts'
import { newestFirst } from './release-version.ts'
import {
  cachedServer,
  programIn,
  recordIn,
  releaseFolder,
  serversFolder,
  type CachedServer,
  type ReleaseRecord,
} from './server-cache.ts'

export interface DownloadOptions {
  /** Pinned; else the newest release. */
  version?: string | undefined
  env: NodeJS.ProcessEnv
  cacheDir: string
  identities: IdentityCache
  releases: ReleaseSource
  limits?: DownloadLimits | undefined
  onProgress: (line: string) => void
  signal?: AbortSignal | undefined
}

export type Downloaded =
  | { ok: true; server: CachedServer }
  /** `because` is one clause; `notFound`: the release or its archive does not exist. */
  | { ok: false; because: string; notFound: boolean }

interface Archive {
  version: string
  name: string
  sha256: string
}

const attemptsMax = 5
const pagesMax = 10
const releasesPerPage = 100
const otherDownloadMaxMs = 660_000
/** After a run without network the next one asks only this long whether it is back. */
const reachAgainMs = 1_000

/** Sources that gave no answer in this run: they are not asked again. */
const unreachable = new Map<string, string>()

/** Downloads a release into the cache; what fails is told, not thrown. */
export async function downloadServer(options: DownloadOptions): Promise<Downloaded> {
  const { releases, env, cacheDir } = options
  if (env['DURABLE_STREAMS_SERVER_DOWNLOAD'] === 'off') {
    return failed(
      'no production server is here, and its download is switched off (DURABLE_STREAMS_SERVER_DOWNLOAD=off)',
    )
  }
  const known = unreachable.get(releases.listUrl)
  if (known !== undefined) return failed(known)
  const mark = path.join(cacheDir, 'unreachable')
  try {
    const server = await download(options, existsSync(mark))
    await rm(mark, { force: true })
    return { ok: true, server }
  } catch (error) {
    options.signal?.throwIfAborted()
    const because = `the production server could not be downloaded: ${clauseOf(error, cacheDir)}`
    if (error instanceof DownloadFailed && error.kind === 'unreachable') {
      unreachable.set(releases.listUrl, because)
      await writeFile(mark, '').catch(() => {})
    }
    return failed(because, error instanceof DownloadFailed && error.kind === 'not-found')
  }
}

/** The number of the newest release, asked of the releases themselves; null where they do not answer, which is told. */
export async function newestRelease({ env, releases, limits = usualLimits, onProgress, signal }: Pick<DownloadOptions, 'env' | 'releases' | 'limits' | 'onProgress' | 'signal'>): Promise<string | null> {
  try {
    return await newestVersion(openReleaseClient(env, limits, signal), releases)
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof DownloadFailed)) throw error
    onProgress(`The newest release is not known: ${error.message}.`)
    return null
  }
}

function failed(because: string, notFound = false): Downloaded {
  return { ok: false, because, notFound }
}

function clauseOf(error: unknown, cacheDir: string): string {
  if (error instanceof DownloadFailed) return error.message
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') {
    return `the cache folder ${cacheDir} cannot be written (${code})`
  }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return `the disk of the cache folder ${cacheDir} is full`
  return message
}

async function download(options: DownloadOptions, wasUnreachable: boolean): Promise<CachedServer> {
  const folder = serversFolder(options.cacheDir)
  await mkdir(folder, { recursive: true })
  const limits = options.limits ?? usualLimits
  const reachMs = wasUnreachable ? Math.min(reachAgainMs, limits.reachMs) : limits.reachMs
  const client = openReleaseClient(options.env, { ...limits, reachMs }, options.signal)
  const archive = await chooseArchive(client, options)
  const onWait = () => options.onProgress('Another run is downloading the server; waiting for it.')
  const { signal } = options
  const waiting = { waitMs: otherDownloadMaxMs, onWait, ...(signal && { signal }) }
  return withLock(path.join(folder, '.download.lock'), waiting, async () => {
    const pinned = { ...options, version: archive.version }
    return (await cachedServer(pinned)) ?? (await install(client, archive, pinned))
  })
}

// --- which archive --------------------------------------------------------------------------

async function chooseArchive(client: ReleaseClient, options: DownloadOptions): Promise<Archive> {
  const { releases } = options
  const platform = `${process.platform} on ${process.arch}`
  if (assetName('0.0.0') === null)
    throw new DownloadFailed('refused', `there is no release for ${platform}`)
  const version = options.version ?? (await newestVersion(client, releases))
  const name = assetName(version) ?? ''
  const sha256 = checksumOf(await client.text(fileUrl(releases, version, 'checksums.txt')), name)
  if (sha256 === null) {
    throw new DownloadFailed(
      'refused',
      `checksums.txt of release ${version} does not name ${name}, so it cannot be checked`,
    )
  }
  return { version, name, sha256 }
}

/**
 * Other packages are released in the same repository, so neither its "latest" nor the first page
 * need have a server. Releases come newest first: the first page that has one has the newest.
 */
async function newestVersion(client: ReleaseClient, releases: ReleaseSource): Promise<string> {
  for (let page = 1; page <= pagesMax; page++) {
    const found = versionsIn(
      await client.text(`${releases.listUrl}?per_page=${releasesPerPage}&page=${page}`),
    )
    if (!found)
      throw new DownloadFailed(
        'refused',
        `${new URL(releases.listUrl).host} did not answer with a list of releases`,
      )
    const [newest] = newestFirst(found.versions)
    if (newest !== undefined) return newest
    if (found.entries < releasesPerPage) break
  }
  throw new DownloadFailed(
    'refused',
    `${new URL(releases.listUrl).host} lists no release of the server`,
  )
}

// --- fetching, checking, unpacking ----------------------------------------------------------

async function install(
  client: ReleaseClient,
  archive: Archive,
  options: DownloadOptions,
): Promise<CachedServer> {
  const folder = serversFolder(options.cacheDir)
  const startedAt = performance.now()
  const file = path.join(folder, `.partial-${archive.sha256}`)
  await removeLeftovers(folder, file)
  await fetchArchive(client, archive, file, options)
  await unpack(file, archive, options)
  await removeLeftovers(folder, null)
  const server = await cachedServer(options)
  if (!server)
    throw new DownloadFailed(
      'refused',
      `what was unpacked from ${archive.name} is gone from the cache`,
    )
  options.onProgress(
    `Installed durable-streams-server ${archive.version} in ${Math.ceil((performance.now() - startedAt) / 1_000)} s.`,
  )
  return server
}

/** Of runs that were killed; nobody else is here while the lock is held. */
async function removeLeftovers(folder: string, keep: string | null): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name)
    const isLeftover = name.startsWith('.partial-') || name.startsWith('.unpacking-')
    const isKept = keep !== null && (file === keep || file === etagFile(keep))
    if (isLeftover && !isKept) await rm(file, { recursive: true, force: true })
  }
}

/**
 * The partial file is named by the checksum that the whole must have, so going on with it is safe
 * whoever began it: what does not fit is found out at the end, and fetched once more from the start.
 */
async function fetchArchive(
  client: ReleaseClient,
  archive: Archive,
  file: string,
  options: DownloadOptions,
): Promise<void> {
  const url = fileUrl(options.releases, archive.version, archive.name)
  for (let attempt = 1; ; attempt++) {
    try {
      const continued = await fetchPart(client, url, archive, file, options)
      if ((await sha256Of(file)) === archive.sha256) return
      await forget(file)
      const kind = continued ? 'broken' : 'refused'
      throw new DownloadFailed(
        kind,
        `${archive.name} does not have the checksum that checksums.txt gives it`,
      )
    } catch (error) {
      const isWorthAnother = error instanceof DownloadFailed && error.kind === 'broken'
      if (!isWorthAnother || attempt >= attemptsMax) throw error
    }
  }
}

async function fetchPart(
  client: ReleaseClient,
  url: string,
  archive: Archive,
  file: string,
  options: DownloadOptions,
): Promise<boolean> {
  const etag = await readFile(etagFile(file), 'utf8').catch(() => null)
  if ((await sizeOf(file)) > 0 && (await sha256Of(file)) === archive.sha256) return false
  return client.continueFile(url, file, etag, (start) => {
    const total = start.totalBytes === null ? '' : ` of ${megabytes(start.totalBytes)}`
    const from =
      start.offset > 0
        ? `, going on at ${megabytes(start.offset)}${total}`
        : total && ` (${total.slice(4)})`
    options.onProgress(`Downloading durable-streams-server ${archive.version}${from}…`)
    if (start.etag !== null) void writeFile(etagFile(file), start.etag).catch(() => {})
  })
}

async function forget(file: string): Promise<void> {
  await rm(file, { force: true })
  await rm(etagFile(file), { force: true })
}

function etagFile(file: string): string {
  return `${file}.etag`
}

async function unpack(file: string, archive: Archive, options: DownloadOptions): Promise<void> {
  const folder = serversFolder(options.cacheDir)
  const beside = path.join(folder, `.unpacking-${process.pid}-${randomBytes(4).toString('hex')}`)
  await mkdir(beside, { recursive: true })
  const program = programIn(beside)
  const only = path.basename(program)
  await pipeline(
    createReadStream(file),
    createGunzip(),
    unpackTar(beside, {
      filter: (header) => header.name.replace(/^\.\//, '') === only && header.type !== 'symlink',
    }),
  ).catch((error: Error) => {
    throw new DownloadFailed('refused', `${archive.name} cannot be unpacked (${error.message})`)
  })
  await chmod(program, 0o755).catch(() => {
    throw new DownloadFailed('refused', `${archive.name} holds no ${only}`)
  })
  const asked = await identifyServer(program, options.signal)
  if (!asked.ok) {
    await rm(beside, { recursive: true, force: true })
    throw new DownloadFailed('refused', `the program in ${archive.name} ${asked.because}`)
  }
  const record: ReleaseRecord = {
    version: archive.version,
    sha256: asked.identity.sha256,
    archiveSha256: archive.sha256,
  }
  await writeFile(recordIn(beside), `${JSON.stringify(record)}\n`)
  await putInPlace(beside, releaseFolder(options.cacheDir, archive.version))
}

/** A folder that is there already was refused a moment ago, or was never finished. */
async function putInPlace(beside: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await rename(beside, folder)
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.size,
    () => 0,
  )
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
