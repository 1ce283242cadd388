import path from 'node:path'
import { UsageError } from '../errors.ts'
import { referenceVersion } from './reference-server.ts'
import { cachedServer, releaseOfHash, type CachedServer } from './server-cache.ts'
import { downloadServer } from './download-server.ts'
import { identifyServer, type CaddyIdentity } from './identify.ts'
import type { IdentityCache } from './identity-cache.ts'
import type { DownloadLimits } from './release-client.ts'
import type { ReleaseSource } from './release-source.ts'

export type ProvidedServer = ProductionServer | ReferenceServer

export interface ProductionServer {
  kind: 'production'
  path: string
  /** The release's number, else the build's own, else "devel". */
  version: string
  /** Of the Caddy that the server is built on. */
  caddyVersion: string
  sha256: string
  source: 'flag' | 'env' | 'cache' | 'download'
  /** The release's number, where the file's hash is known to be of one. */
  release?: string
  /** "release 0.3.1", or "unreleased build" for a hash that is no known release's. */
  label: string
}

export interface ReferenceServer {
  kind: 'reference'
  version: string
  /** Why the production server could not be had, or was not wanted; one clause. */
  because: string
}

export interface ServerOptions {
  origin: 'auto' | 'caddy' | 'reference'
  /** `--server-bin`. */
  explicitPath?: string | undefined
  /** `--server-version`. */
  version?: string | undefined
  env: NodeJS.ProcessEnv
  cacheDir: string
  identities: IdentityCache
  releases: ReleaseSource
  limits?: DownloadLimits | undefined
  onProgress: (line: string) => void
  signal?: AbortSignal | undefined
}

/**
 * Finds the origin's program: the flag, the environment, the cache, the download, else the
 * reference server. Throws a `UsageError` for a path that was given and is wrong, and when
 * `origin` is 'caddy' and there is none.
 */
export async function provideServer(options: ServerOptions): Promise<ProvidedServer> {
  refuseContradictions(options)
  if (options.origin === 'reference') return reference('it was asked for with --origin reference')
  const given = await givenServer(options)
  if (given) return given
  const kept = await cachedServer(options)
  if (kept) return fromCache(kept, 'cache')
  const downloaded = await downloadServer(options)
  if (downloaded.ok) return fromCache(downloaded.server, 'download')
  if (downloaded.notFound && options.version !== undefined) {
    throw new UsageError(
      `--server-version ${options.version}: ${downloaded.because}; pin a version that was released.`,
    )
  }
  if (options.origin === 'auto') return reference(downloaded.because)
  throw new UsageError(
    `There is no production server for --origin caddy: ${downloaded.because}; ` +
      'give the path of durable-streams-server with --server-bin, or use --origin reference.',
  )
}

function refuseContradictions({ origin, explicitPath, version }: ServerOptions): void {
  const flag =
    explicitPath !== undefined ? '--server-bin' : version !== undefined ? '--server-version' : null
  if (origin === 'reference' && flag) {
    throw new UsageError(
      `${flag} names a production server, and --origin reference asks for none; drop one of the two.`,
    )
  }
  if (explicitPath !== undefined && version !== undefined) {
    throw new UsageError(
      '--server-bin and --server-version both choose the server; drop one of the two.',
    )
  }
  if (version !== undefined && !/^\d+\.\d+\.\d+([-+][\w.-]+)?$/.test(version)) {
    throw new UsageError(
      `--server-version ${version} is not a version; give three numbers, such as 0.3.1.`,
    )
  }
}

/** A version that was pinned overrules the environment, which is a default. */
async function givenServer(options: ServerOptions): Promise<ProductionServer | null> {
  const { explicitPath, env, version, signal } = options
  const fromEnv = version === undefined ? env['DURABLE_STREAMS_SERVER_BIN'] || undefined : undefined
  const given = explicitPath ?? fromEnv
  if (given === undefined) return null
  const where = explicitPath !== undefined ? '--server-bin' : 'DURABLE_STREAMS_SERVER_BIN'
  const file = path.resolve(given)
  let because = 'is empty'
  const identity =
    given === ''
      ? null
      : await options.identities.of('server-2', file, async () => {
          const found = await identifyServer(file, signal)
          if (!found.ok) because = found.because
          return found.ok ? found.identity : null
        })
  if (!identity) {
    throw new UsageError(
      `${where}: ${given === '' ? 'the path' : file} ${because}; give the path of a durable-streams-server executable for this machine.`,
    )
  }
  return describeGiven(identity, where === '--server-bin' ? 'flag' : 'env', options.cacheDir)
}

async function describeGiven(
  identity: CaddyIdentity,
  source: 'flag' | 'env',
  cacheDir: string,
): Promise<ProductionServer> {
  const { path, sha256, ownVersion, caddyVersion } = identity
  const release = await releaseOfHash(cacheDir, sha256)
  const common = { kind: 'production', path, sha256, caddyVersion, source } as const
  if (release === null)
    return { ...common, version: ownVersion ?? 'devel', label: 'unreleased build' }
  return { ...common, version: release, release, label: `release ${release}` }
}

function fromCache(kept: CachedServer, source: 'cache' | 'download'): ProductionServer {
  const { path, sha256, caddyVersion, release } = kept
  return {
    kind: 'production',
    path,
    sha256,
    caddyVersion,
    source,
    version: release,
    release,
    label: `release ${release}`,
  }
}

function reference(because: string): ReferenceServer {
  return { kind: 'reference', version: referenceVersion(), because }
}
