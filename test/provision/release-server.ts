import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { assetName } from '../../harness/provision/release-source.ts'

/** What a request meets instead of the usual answer; returning false means the usual answer. */
export type Interference = (
  request: IncomingMessage,
  response: ServerResponse,
  file: ReleaseFile,
) => boolean

export interface ReleaseFile {
  /** 'releases', 'checksums.txt', or the archive's name. */
  name: string
  content: Buffer
  etag: string
}

export interface ReleaseServer extends AsyncDisposable {
  url: string
  /** In order: file, and the range that was asked for. */
  requests: { file: string; range: string | null }[]
  interfere: Interference
  /** Of the archive of `version`. */
  archiveSha256(version: string): string
}

/** A program that answers as the real server does; the ballast makes its archive big. */
export function serverScript(version: string, ballastBytes = 0): string {
  let ballast = ''
  for (let block = 0; ballast.length < ballastBytes; block++) {
    ballast += `# ${createHash('sha512').update(`${version} ${block}`).digest('hex')}\n`
  }
  return `#!/bin/sh
case "$1" in
version) echo ${version} ;;
list-modules) printf 'http.handlers.durable_streams\\nhttp.handlers.reverse_proxy\\ntls.issuance.internal\\n\\n  Standard modules: 3\\n' ;;
*) echo "unknown command" >&2; exit 1 ;;
esac
exit 0
${ballast}`
}

/** An archive as a release has it. */
export async function archiveOf(program: string, name = 'durable-streams-server'): Promise<Buffer> {
  const entries = [
    { header: { name: 'LICENSE', size: 4, mode: 0o644 }, body: 'MIT\n' },
    { header: { name, size: Buffer.byteLength(program), mode: 0o755 }, body: program },
  ]
  return gzipSync(await packTar(entries))
}

/**
 * A release server on loopback with one archive for this platform in each release, and, in the
 * list, the releases of another package before them.
 */
export async function startReleaseServer(
  releases: Record<string, Buffer>,
  otherTags: string[] = ['@durable-streams/client@9.9.9', 'caddy-vnext'],
): Promise<ReleaseServer> {
  const files = filesOf(releases, otherTags)
  const requests: ReleaseServer['requests'] = []
  const server = createServer((request, response) => {
    const file = files.get(new URL(request.url ?? '', 'http://releases').pathname)
    const range = request.headers.range ?? null
    requests.push({ file: file?.name ?? request.url ?? '', range })
    if (!file) return void response.writeHead(404).end('Not Found')
    if (!started.interfere(request, response, file)) answer(request, response, file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const started: ReleaseServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    interfere: () => false,
    archiveSha256: (version) => sha256(releases[version] ?? Buffer.alloc(0)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return started
}

function filesOf(releases: Record<string, Buffer>, otherTags: string[]): Map<string, ReleaseFile> {
  const files = new Map<string, ReleaseFile>()
  const add = (path: string, name: string, content: Buffer) =>
    files.set(path, { name, content, etag: `"${sha256(content).slice(0, 16)}"` })
  const tags = [...otherTags, ...Object.keys(releases).map((version) => `caddy-v${version}`)]
  const list = tags.map((tag) => ({ tag_name: tag, draft: false, prerelease: false }))
  add('/releases', 'releases', Buffer.from(JSON.stringify(list)))
  for (const [version, archive] of Object.entries(releases)) {
    const name = assetName(version) ?? ''
    const folder = `/releases/download/caddy-v${version}`
    const sums = `${sha256(archive)}  ${name}\n${'0'.repeat(64)}  other.zip\n`
    add(`${folder}/${name}`, name, archive)
    add(`${folder}/checksums.txt`, 'checksums.txt', Buffer.from(sums))
  }
  return files
}

/** As a file server does it: ranges, and If-Range against the file's tag. */
function answer(request: IncomingMessage, response: ServerResponse, file: ReleaseFile): void {
  const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? NaN)
  const condition = request.headers['if-range']
  const { content, etag } = file
  if (Number.isNaN(first) || (condition !== undefined && condition !== etag)) {
    response.writeHead(200, { etag, 'content-length': content.length }).end(content)
  } else if (first >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end()
  } else {
    const range = `bytes ${first}-${content.length - 1}/${content.length}`
    const rest = content.subarray(first)
    response.writeHead(206, { etag, 'content-range': range, 'content-length': rest.length })
    response.end(rest)
  }
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
