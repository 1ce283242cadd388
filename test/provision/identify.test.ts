import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { findProgram } from '../../harness/provision/find-program.ts'
import { identifyServer } from '../../harness/provision/identify.ts'
import { openIdentityCache } from '../../harness/provision/identity-cache.ts'
import { provideServer } from '../../harness/provision/server-binary.ts'
import { serverScript } from './release-server.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** The bytes of a real program of this machine, which the tests then damage. */
const realProgram = process.execPath

function write(folder: string, content: string | Buffer, mode = 0o755): string {
  const file = path.join(folder, 'candidate')
  writeFileSync(file, content, { mode })
  return file
}

async function refusalOf(file: string): Promise<string> {
  const found = await identifyServer(file)
  return found.ok ? 'accepted' : found.because
}

test('a server says its version, its Caddy and its hash', async () => {
  using folder = temporaryFolder()
  const found = await identifyServer(write(folder.path, serverScript('0.3.1')))
  expect(found).toMatchObject({
    ok: true,
    identity: { ownVersion: '0.3.1', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  })
})

describe('refused, with the reason', () => {
  const scripts: [string, string, RegExp][] = [
    [
      'a vanilla Caddy',
      serverScript('2.10.2').replace('http.handlers.durable_streams', 'http.handlers.vars'),
      /^is Caddy 2\.10\.2 without the module http\.handlers\.durable_streams$/,
    ],
    [
      'another program',
      '#!/bin/sh\necho "usage: tool FILE"\nexit 2\n',
      /^is another program: asked "list-modules", it answered "usage: tool FILE"$/,
    ],
    [
      'a program that says nothing',
      '#!/bin/sh\nexit 0\n',
      /^is another program: .* answered nothing$/,
    ],
    ['a program that crashes', '#!/bin/sh\nkill -SEGV $$\n', /^crashed \(SIGSEGV\)$/],
    [
      'a program that talks without end',
      '#!/bin/sh\nexec yes http.handlers.durable_streams\n',
      /^talks without end/,
    ],
    [
      'a script whose interpreter is missing',
      '#!/absent/shell\n',
      /^cannot start: the interpreter or loader/,
    ],
    ['a web page', '<!doctype html><title>Sign in</title>', /^is a web page, not a program$/],
    ['an empty file', '', /^is empty$/],
    ['some text', 'list-modules\n', new RegExp(`^is not a program for ${process.platform}$`)],
    ['a Windows program', 'MZ\x90\x00', /^is a Windows program$/],
  ]
  test.each(scripts)('%s', async (_name, content, because) => {
    using folder = temporaryFolder()
    expect(await refusalOf(write(folder.path, content))).toMatch(because)
  })

  test('an archive that was not unpacked', async () => {
    using folder = temporaryFolder()
    expect(await refusalOf(write(folder.path, Buffer.from([0x1f, 0x8b, 8, 0])))).toMatch(
      /unpack it first/,
    )
  })

  test('nothing there, a directory, no right to run it', async () => {
    using folder = temporaryFolder()
    expect(await refusalOf(path.join(folder.path, 'absent'))).toBe('does not exist')
    expect(await refusalOf(folder.path)).toBe('is a directory, not a program')
    expect(await refusalOf(write(folder.path, serverScript('0.3.1'), 0o644))).toBe(
      'is not executable',
    )
  })

  test.runIf(process.platform === 'linux')('a program cut off, wherever the cut is', async () => {
    using folder = temporaryFolder()
    const file = path.join(folder.path, 'cut')
    for (const bytes of [40, 5_000, 1_000_000]) {
      copyFileSync(realProgram, file)
      truncateSync(file, bytes)
      expect(await refusalOf(file)).toMatch(/^is damaged: it /)
    }
  })

  test.runIf(process.platform === 'linux')('a program for another processor', async () => {
    using folder = temporaryFolder()
    const bytes = Buffer.from(readFileSync(realProgram).subarray(0, 5_000))
    bytes.writeUInt16LE(243, 18)
    expect(await refusalOf(write(folder.path, bytes))).toMatch(
      /^is built for RISC-V, and this machine is /,
    )
  })

  test('a program that hangs, and its children with it', async () => {
    using folder = temporaryFolder()
    const pidFile = path.join(folder.path, 'child')
    const startedAt = performance.now()
    const file = write(folder.path, `#!/bin/sh\nsleep 300 &\necho $! > ${pidFile}\nwait\n`)
    expect(await refusalOf(file)).toBe('did not answer "list-modules" within 5 s')
    expect(performance.now() - startedAt).toBeLessThan(7_000)
    const child = Number(readFileSync(pidFile, 'utf8'))
    await expect.poll(() => isRunning(child), { timeout: 2_000 }).toBe(false)
  })
})

/** A process that ended and was not yet reaped does not run. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('a path that was given', () => {
  const provide = (options: { explicitPath?: string; env?: NodeJS.ProcessEnv; cacheDir: string }) =>
    provideServer({
      origin: 'auto',
      env: {},
      identities: openIdentityCache(options.cacheDir),
      releases: { listUrl: 'http://127.0.0.1:9/', downloadUrl: 'http://127.0.0.1:9/' },
      onProgress: () => {},
      ...options,
    })

  test('by flag or environment, is used; the flag wins', async () => {
    using folder = temporaryFolder()
    const flag = write(folder.path, serverScript('0.3.1'))
    const fromEnv = path.join(folder.path, 'from-env')
    writeFileSync(fromEnv, serverScript('0.3.2'), { mode: 0o755 })
    const env = { DURABLE_STREAMS_SERVER_BIN: fromEnv }
    expect(await provide({ cacheDir: folder.path, env })).toMatchObject({
      path: fromEnv,
      version: '0.3.2',
      source: 'env',
    })
    expect(await provide({ cacheDir: folder.path, env, explicitPath: flag })).toMatchObject({
      path: flag,
      source: 'flag',
      label: 'unreleased build',
    })
  })

  test('and is wrong is an error that names the flag and the file', async () => {
    using folder = temporaryFolder()
    await expect(provide({ cacheDir: folder.path, explicitPath: folder.path })).rejects.toThrow(
      `--server-bin: ${folder.path} is a directory, not a program; give the path of`,
    )
    const env = { DURABLE_STREAMS_SERVER_BIN: '/absent/server' }
    await expect(provide({ cacheDir: folder.path, env })).rejects.toThrow(
      'DURABLE_STREAMS_SERVER_BIN: /absent/server does not exist; give the path of',
    )
  })

  test('is asked once, and again when the file changed', async () => {
    using folder = temporaryFolder()
    const log = path.join(folder.path, 'asked')
    const counted = (version: string) => serverScript(version).replace('\n', `\necho x >> ${log}\n`)
    const timesAsked = () => readFileSync(log, 'utf8').length
    const explicitPath = write(folder.path, counted('0.3.1'))
    const cacheDir = path.join(folder.path, 'cache')
    mkdirSync(cacheDir)
    await provide({ cacheDir, explicitPath })
    const once = timesAsked()
    await provide({ cacheDir, explicitPath })
    expect(timesAsked()).toBe(once)
    write(folder.path, counted('0.3.2'))
    expect(await provide({ cacheDir, explicitPath })).toMatchObject({ version: '0.3.2' })
    expect(timesAsked()).toBeGreaterThan(once)
  })
})

const caddy = findProgram('caddy', process.env)
if (!caddy) console.warn('Skipped: there is no caddy here to be taken for a server.')

test.runIf(caddy)("the distribution's own Caddy is no Durable Streams server", async () => {
  expect(await refusalOf(caddy ?? '')).toMatch(
    /^is Caddy v?\d.* without the module http\.handlers\.durable_streams$/,
  )
})

const server = process.env['DURABLE_STREAMS_SERVER_BIN']
if (!server)
  console.warn('Skipped: without DURABLE_STREAMS_SERVER_BIN the real server is not asked.')

test.runIf(server)('the real server is recognised', async () => {
  expect(await identifyServer(server ?? '')).toMatchObject({
    ok: true,
    identity: { caddyVersion: expect.stringMatching(/^v2\.\d+\.\d+/) },
  })
})
