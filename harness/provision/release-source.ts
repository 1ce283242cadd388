import { UsageError } from '../errors.ts'

/** Where releases are listed (GitHub's format) and where their files lie. */
export interface ReleaseSource {
  listUrl: string
  downloadUrl: string
}

const upstream: ReleaseSource = {
  listUrl: 'https://api.github.com/repos/durable-streams/durable-streams/releases',
  downloadUrl: 'https://github.com/durable-streams/durable-streams/releases/download',
}

const tagPrefix = 'caddy-v'

/** Upstream's releases, or a mirror's that answers at `/releases` and `/releases/download/…`. */
export function releasesFrom(baseUrl: string | undefined, env: NodeJS.ProcessEnv): ReleaseSource {
  const base = baseUrl ?? env['DURABLE_STREAMS_RELEASES'] ?? ''
  if (base === '') return upstream
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    throw new UsageError(
      `DURABLE_STREAMS_RELEASES is ${JSON.stringify(base)}, which is no http address; ` +
        'give the base address of a mirror, or unset it.',
    )
  }
  const listUrl = `${base.replace(/\/+$/, '')}/releases`
  return { listUrl, downloadUrl: `${listUrl}/download` }
}

/** The archive for this platform, or null where upstream builds none that can be used. */
export function assetName(version: string): string | null {
  const os = ({ linux: 'linux', darwin: 'darwin' } as Record<string, string>)[process.platform]
  const arch = ({ x64: 'amd64', arm64: 'arm64' } as Record<string, string>)[process.arch]
  return os && arch ? `durable-streams-server_${version}_${os}_${arch}.tar.gz` : null
}

export function fileUrl(source: ReleaseSource, version: string, file: string): string {
  return `${source.downloadUrl}/${tagPrefix}${version}/${file}`
}

/**
 * The server versions in one page of a list of releases; other packages of the same repository are
 * released there too. Null when the text is no such list.
 */
export function versionsIn(page: string): { versions: string[]; entries: number } | null {
  const list = parseJson(page)
  if (!Array.isArray(list)) return null
  const versions = list
    .filter((one) => one?.draft !== true && one?.prerelease !== true)
    .map((one) => String(one?.tag_name ?? ''))
    .filter(
      (tag) => tag.startsWith(tagPrefix) && /^\d+\.\d+\.\d+/.test(tag.slice(tagPrefix.length)),
    )
    .map((tag) => tag.slice(tagPrefix.length))
  return { versions, entries: list.length }
}

/** The sha256 that `checksums.txt` gives a file, or null. */
export function checksumOf(checksums: string, file: string): string | null {
  for (const line of checksums.split('\n')) {
    const [, sum, name] = /^([0-9a-f]{64})\s+\*?(\S+)\s*$/i.exec(line) ?? []
    if (name === file && sum !== undefined) return sum.toLowerCase()
  }
  return null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
