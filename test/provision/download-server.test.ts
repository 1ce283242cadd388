import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { openIdentityCache } from '../../harness/provision/identity-cache.ts'
import { usualLimits, type DownloadLimits } from '../../harness/provision/release-client.ts'
import { assetName, releasesFrom } from '../../harness/provision/release-source.ts'
import { provideServer, type ServerOptions } from '../../harness/provision/server-binary.ts'
import { archiveOf, serverScript, startReleaseServer, type Interference } from './release-server.ts'
import { temporaryFolder } from './temporary-folder.ts'

const ballastBytes = 400_000
const archives = {
  '0.2.0': await archiveOf(serverScript('0.2.0')),
  '0.10.1': await archiveOf(serverScript('0.10.1', ballastBytes)),
  '0.9.0': await archiveOf(serverScript('0.9.0')),
}
const newest = '0.10.1'
const newestArchive = archives[newest]
const newestAsset = assetName(newest) ?? ''

interface Situation extends Partial<ServerOptions> {
  url: string
  cacheDir: string
  limits?: DownloadLimits
}

function provide({ url, cacheDir, ...options }: Situation) {
  return provideServer({
    origin: 'auto',
    env: { PATH: process.env['PATH'], no_proxy: '127.0.0.1' },
    cacheDir,
    identities: openIdentityCache(cacheDir),
    releases: releasesFrom(url, {}),
    onProgress: () => {},
    ...options,
  })
}

/** Answers for the archive of the newest release are replaced, those for other files are not. */
function onArchive(interfere: Interference): Interference {
  return (request, response, file) =>
    file.name === newestAsset && interfere(request, response, file)
}

function leftovers(cacheDir: string): string[] {
  return readdirSync(path.join(cacheDir, 'servers')).filter((name) => name.startsWith('.'))
}

describe('a release that can be had', () => {
  test('the newest one is downloaded, checked, unpacked, and found in the cache afterwards', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const lines: string[] = []
    const situation = { url: releases.url, cacheDir: folder.path }
    const server = await provide({ ...situation, onProgress: (line) => lines.push(line) })
    expect(server).toMatchObject({
      kind: 'production',
      version: newest,
      release: newest,
      source: 'download',
      label: `release ${newest}`,
    })
    if (server.kind !== 'production') return
    const program = readFileSync(server.path)
    expect(program.toString()).toBe(serverScript(newest, ballastBytes))
    expect(server.sha256).toBe(createHash('sha256').update(program).digest('hex'))
    expect((await execa(server.path, ['version'])).stdout).toBe(newest)
    expect(lines).toEqual([
      expect.stringContaining(`Downloading durable-streams-server ${newest}`),
      expect.stringContaining(`Installed durable-streams-server ${newest}`),
    ])
    expect(leftovers(folder.path)).toEqual([])

    const asked = releases.requests.length
    expect(await provide(situation)).toMatchObject({ version: newest, source: 'cache' })
    expect(releases.requests.length).toBe(asked)
  })

  test('a version can be pinned, beside a newer one in the cache', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const situation = { url: releases.url, cacheDir: folder.path }
    await provide(situation)
    const pinned = {
      ...situation,
      version: '0.9.0',
      env: { DURABLE_STREAMS_SERVER_BIN: '/absent' },
    }
    expect(await provide(pinned)).toMatchObject({ version: '0.9.0', source: 'download' })
    expect(await provide(pinned)).toMatchObject({ version: '0.9.0', source: 'cache' })
  })

  test('a file given by hand is recognised as a release by its hash', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const situation = { url: releases.url, cacheDir: folder.path }
    await provide(situation)
    const copy = path.join(folder.path, 'copied')
    writeFileSync(copy, serverScript(newest, ballastBytes), { mode: 0o755 })
    const other = path.join(folder.path, 'patched')
    writeFileSync(other, `${serverScript(newest, ballastBytes)}#\n`, { mode: 0o755 })
    expect(await provide({ ...situation, explicitPath: copy })).toMatchObject({
      source: 'flag',
      release: newest,
      label: `release ${newest}`,
    })
    expect(await provide({ ...situation, explicitPath: other })).toMatchObject({
      source: 'flag',
      version: newest,
      label: 'unreleased build',
    })
  })

  test('a cached program that was damaged is thrown away and fetched again', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const situation = { url: releases.url, cacheDir: folder.path }
    const server = await provide(situation)
    if (server.kind !== 'production') throw new Error(server.because)
    truncateSync(server.path, 600)
    expect(await provide(situation)).toMatchObject({ source: 'download', sha256: server.sha256 })
  })
})

describe('a download that is disturbed', () => {
  test('a connection cut in the middle is continued where it stopped', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const half = Math.floor(newestArchive.length / 2)
    releases.interfere = onArchive((request, response, file) => {
      if (request.headers.range !== undefined) return false
      response.writeHead(200, { etag: file.etag, 'content-length': file.content.length })
      response.write(file.content.subarray(0, half), () => response.destroy())
      return true
    })
    expect(await provide({ url: releases.url, cacheDir: folder.path })).toMatchObject({
      source: 'download',
    })
    const ranges = releases.requests
      .filter((one) => one.file === newestAsset)
      .map((one) => one.range)
    expect(ranges[0]).toBeNull()
    expect(Number(/^bytes=(\d+)-$/.exec(ranges[1] ?? '')?.[1])).toBeGreaterThan(0)
    expect(ranges).toHaveLength(2)
  })

  test('what an earlier run left is continued; a part of another file is found out and replaced', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const partial = path.join(folder.path, 'servers', `.partial-${releases.archiveSha256(newest)}`)
    mkdirSync(path.dirname(partial), { recursive: true })
    writeFileSync(partial, newestArchive.subarray(0, 1_000))
    const situation = { url: releases.url, cacheDir: folder.path }
    expect(await provide(situation)).toMatchObject({ source: 'download' })
    const rangesOf = () =>
      releases.requests.filter((one) => one.file === newestAsset).map((one) => one.range)
    expect(rangesOf()).toEqual(['bytes=1000-'])

    using second = temporaryFolder()
    const foreign = path.join(second.path, 'servers', path.basename(partial))
    mkdirSync(path.dirname(foreign), { recursive: true })
    writeFileSync(foreign, Buffer.alloc(1_000, 'x'))
    expect(await provide({ ...situation, cacheDir: second.path })).toMatchObject({
      source: 'download',
    })
    expect(rangesOf().slice(1)).toEqual(['bytes=1000-', null])
  })

  test('a file that changed on the server meanwhile is fetched from the start', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const partial = path.join(folder.path, 'servers', `.partial-${releases.archiveSha256(newest)}`)
    mkdirSync(path.dirname(partial), { recursive: true })
    writeFileSync(partial, Buffer.alloc(1_000, 'x'))
    writeFileSync(`${partial}.etag`, '"of another upload"')
    expect(await provide({ url: releases.url, cacheDir: folder.path })).toMatchObject({
      source: 'download',
    })
    expect(releases.requests.filter((one) => one.file === newestAsset)).toHaveLength(1)
  })

  test('two runs at once download once, and both get it', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const script = path.join(folder.path, 'provide.ts')
    const harness = path.resolve(import.meta.dirname, '../../harness/provision')
    writeFileSync(
      script,
      `
      import { openIdentityCache } from ${JSON.stringify(`${harness}/identity-cache.ts`)}
      import { releasesFrom } from ${JSON.stringify(`${harness}/release-source.ts`)}
      import { provideServer } from ${JSON.stringify(`${harness}/server-binary.ts`)}
      const cacheDir = ${JSON.stringify(path.join(folder.path, 'cache'))}
      const server = await provideServer({ origin: 'caddy', env: {}, cacheDir, onProgress: () => {},
        identities: openIdentityCache(cacheDir), releases: releasesFrom(${JSON.stringify(releases.url)}, {}) })
      console.log(server.version)
    `,
    )
    // Held back until both have asked for the list, so that neither finds the other's result.
    const held: (() => void)[] = []
    releases.interfere = (_request, response, file) => {
      if (file.name !== 'releases') return false
      held.push(() => response.end(file.content))
      if (held.length === 2) held.forEach((release) => release())
      return true
    }
    const env = { no_proxy: '127.0.0.1' }
    const runs = await Promise.all([1, 2].map(() => execa(process.execPath, [script], { env })))
    expect(runs.map((run) => run.stdout)).toEqual([newest, newest])
    expect(releases.requests.filter((one) => one.file === newestAsset)).toHaveLength(1)
    expect(leftovers(path.join(folder.path, 'cache'))).toEqual([])
  })
})

describe('a download that must fail', () => {
  const fast: DownloadLimits = {
    connectMs: 1_000,
    reachMs: 1_000,
    answerMs: 400,
    stallMs: 400,
    overallMs: 5_000,
  }
  const webPage: Interference = (_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<html><body>Please sign in</body></html>')
    return true
  }
  const cases: { name: string; interfere: Interference; because: RegExp }[] = [
    {
      name: 'a wrong checksum',
      interfere: onArchive((_request, response) => {
        response.end(Buffer.alloc(5_000, 'not the archive'))
        return true
      }),
      because: /does not have the checksum that checksums.txt gives it/,
    },
    {
      name: 'checksums that lack the archive',
      interfere: (_request, response, file) => {
        if (file.name !== 'checksums.txt') return false
        response.end(`${'a'.repeat(64)}  durable-streams-server_${newest}_plan9_mips.tar.gz\n`)
        return true
      },
      because: /checksums.txt of release 0.10.1 does not name .*, so it cannot be checked/,
    },
    {
      name: 'an archive that is gone',
      interfere: onArchive((_request, response) => {
        response.writeHead(404).end()
        return true
      }),
      because: /has no caddy-v0.10.1\/durable-streams-server_.* \(404\)/,
    },
    {
      name: "a proxy's web page for everything",
      interfere: webPage,
      because: /a web page instead of/,
    },
    {
      name: "a proxy's web page for the archive",
      interfere: onArchive(webPage),
      because: /a web page instead of/,
    },
    {
      name: 'a list that is no list',
      interfere: (_request, response, file) => {
        if (file.name !== 'releases') return false
        response.end('{"message":"API rate limit exceeded"}')
        return true
      },
      because: /did not answer with a list of releases/,
    },
    {
      name: 'too many requests',
      interfere: (_request, response) => {
        response.writeHead(403).end('{"message":"API rate limit exceeded"}')
        return true
      },
      because: /answered 403 for .*perhaps for too many requests/,
    },
    {
      name: 'a server that stalls in the middle, each time',
      interfere: onArchive((_request, response, file) => {
        response.writeHead(200, { 'content-length': file.content.length })
        response.write(file.content.subarray(0, 1_000))
        return true
      }),
      because: /was silent for 0.4 s/,
    },
    {
      name: 'a server that trickles beyond the time limit for all of it',
      interfere: onArchive((_request, response, file) => {
        response.writeHead(200, { 'content-length': file.content.length })
        const timer = setInterval(() => response.write('x'), 50)
        response.on('close', () => clearInterval(timer))
        return true
      }),
      because: /took longer than the time limit/,
    },
  ]

  test.each(cases)('$name: the reference server, and why', async ({ interfere, because }) => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    releases.interfere = interfere
    const limits = because.source.includes('time limit') ? { ...fast, overallMs: 700 } : fast
    const server = await provide({ url: releases.url, cacheDir: folder.path, limits })
    expect(server).toMatchObject({ kind: 'reference', because: expect.stringMatching(because) })
    expect(
      readdirSync(path.join(folder.path, 'servers')).filter((name) => !name.startsWith('.')),
    ).toEqual([])
  })

  test('a program that is no server is refused although its checksum is right', async () => {
    using folder = temporaryFolder()
    const vanilla = serverScript(newest).replace(
      'http.handlers.durable_streams',
      'http.handlers.file_server',
    )
    await using releases = await startReleaseServer({ [newest]: await archiveOf(vanilla) })
    const server = await provide({ url: releases.url, cacheDir: folder.path })
    expect(server).toMatchObject({
      kind: 'reference',
      because: expect.stringMatching(
        /the program in .* without the module http.handlers.durable_streams/,
      ),
    })
    expect(readdirSync(path.join(folder.path, 'servers')).some((name) => /^\d/.test(name))).toBe(
      false,
    )
  })

  test('an archive without the program is refused', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer({
      [newest]: await archiveOf(serverScript(newest), '../escape'),
    })
    const server = await provide({ url: releases.url, cacheDir: folder.path })
    expect(server).toMatchObject({
      kind: 'reference',
      because: expect.stringMatching(/holds no durable-streams-server/),
    })
    expect(existsSync(path.join(folder.path, 'servers', 'escape'))).toBe(false)
  })

  test('a pinned version that was never released is an error, not a fallback', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    await expect(
      provide({ url: releases.url, cacheDir: folder.path, version: '7.7.7' }),
    ).rejects.toThrow(
      /^--server-version 7\.7\.7: .*has no caddy-v7\.7\.7\/checksums\.txt \(404\); pin a version/,
    )
  })

  test('a cache folder that cannot be made', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const file = path.join(folder.path, 'a-file')
    writeFileSync(file, '')
    const server = await provide({ url: releases.url, cacheDir: path.join(file, 'cache') })
    expect(server).toMatchObject({
      because: expect.stringMatching(/cannot be written \(ENOTDIR\)/),
    })
  })
})

describe('without a network', () => {
  /** A port that nothing listens on any more. */
  async function closedPort(): Promise<number> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    return port
  }

  test('a closed port is given up within 5 s', async () => {
    using folder = temporaryFolder()
    const startedAt = performance.now()
    const url = `http://127.0.0.1:${await closedPort()}`
    const server = await provide({ url, cacheDir: folder.path })
    expect(server).toMatchObject({ because: expect.stringMatching(/refused the connection/) })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  test('a silent server is given up within 5 s, once; the next run gives it 1 s', async () => {
    using folder = temporaryFolder()
    let connections = 0
    const silent = createServer(() => connections++)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const timed = async (address: string) => {
      const startedAt = performance.now()
      const server = await provide({ url: address, cacheDir: folder.path, limits: usualLimits })
      expect(server).toMatchObject({
        kind: 'reference',
        because: expect.stringMatching(/was silent/),
      })
      return performance.now() - startedAt
    }
    const firstMs = await timed(url)
    expect(firstMs).toBeGreaterThan(3_000)
    expect(firstMs).toBeLessThan(5_000)
    const connectionsOfFirst = connections
    expect(await timed(url)).toBeLessThan(200)
    expect(connections).toBe(connectionsOfFirst)
    // Another address, as another run would have: this run's memory does not know it.
    expect(await timed(`${url}/again`)).toBeLessThan(2_000)
    silent.close()
  })

  test('--origin caddy never falls back', async () => {
    using folder = temporaryFolder()
    const url = `http://127.0.0.1:${await closedPort()}`
    await expect(provide({ url, cacheDir: folder.path, origin: 'caddy' })).rejects.toThrow(
      /^There is no production server for --origin caddy: .* refused the connection; give the path/,
    )
  })

  test('a switched-off download is not tried', async () => {
    using folder = temporaryFolder()
    await using releases = await startReleaseServer(archives)
    const env = { DURABLE_STREAMS_SERVER_DOWNLOAD: 'off' }
    const server = await provide({ url: releases.url, cacheDir: folder.path, env })
    expect(server).toMatchObject({
      kind: 'reference',
      because: expect.stringMatching(/switched off/),
    })
    expect(releases.requests).toEqual([])
  })
})
