import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { varnishTool } from '../../harness/edges/varnish/find.ts'
import { varnish } from '../../harness/edges/varnish/varnish.ts'
import { findCaddy } from '../../harness/provision/caddy.ts'
import { openIdentityCache } from '../../harness/provision/identity-cache.ts'
import { installDebianPackages } from '../../harness/provision/install-packages.ts'
import { caddyTool, canInstall, compilerTool, installCommand, type Host } from '../../harness/provision/missing-tools.ts'
import { provision } from '../../harness/provision/provision.ts'
import { serverScript } from './release-server.ts'
import { temporaryFolder } from './temporary-folder.ts'

const debian = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n'
const hosts: Record<string, Host> = {
  'Debian, root': { platform: 'linux', uid: 0, osRelease: debian },
  'Debian, a user': { platform: 'linux', uid: 1000, osRelease: debian },
  'Mint, a user': {
    platform: 'linux',
    uid: 1000,
    osRelease: 'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
  },
  'Fedora, root': { platform: 'linux', uid: 0, osRelease: 'ID=fedora\n' },
  'Alpine, a user': { platform: 'linux', uid: 1000, osRelease: 'ID=alpine\n' },
  'openSUSE, a user': {
    platform: 'linux',
    uid: 1000,
    osRelease: 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n',
  },
  macOS: { platform: 'darwin', uid: 501, osRelease: '' },
  'an unknown Linux': { platform: 'linux', uid: 1000, osRelease: 'ID=own\n' },
}

describe('the one command that installs what is missing', () => {
  test.each([
    ['Debian, root', 'apt-get install -y --no-install-recommends varnish caddy'],
    ['Debian, a user', 'sudo apt-get install -y --no-install-recommends varnish caddy'],
    ['Mint, a user', 'sudo apt-get install -y --no-install-recommends varnish caddy'],
    ['Fedora, root', 'dnf install -y varnish caddy'],
    ['Alpine, a user', 'sudo apk add varnish caddy'],
    ['openSUSE, a user', 'sudo zypper --non-interactive install varnish caddy'],
    ['macOS', 'brew install varnish caddy'],
    ['an unknown Linux', null],
  ])('%s', (name, command) => {
    const host = hosts[name]
    if (!host) throw new Error(name)
    expect(installCommand([varnishTool, caddyTool], host)).toBe(command)
    expect(canInstall(host)).toBe(name === 'Debian, root')
  })

  test('a compiler for macOS comes with its own tools', () => {
    const macOs = hosts['macOS'] as Host
    expect(installCommand([compilerTool], macOs)).toBe('xcode-select --install')
  })
})

/** Programs that answer as the real ones do, in a folder that is a whole PATH. */
function fakeTools(folder: string, names: string[]): void {
  const scripts: Record<string, string> = {
    varnishd: '#!/bin/sh\necho "varnishd (varnish-7.1.1 revision 0)" >&2\n',
    caddy: serverScript('2.8.4'),
  }
  mkdirSync(folder, { recursive: true })
  for (const name of names) {
    writeFileSync(path.join(folder, name), scripts[name] ?? '#!/bin/sh\n', { mode: 0o755 })
  }
}

describe('all of it', () => {
  test('what is here is found, without a word, and at once the second time', async () => {
    using folder = temporaryFolder()
    const bin = path.join(folder.path, 'bin')
    fakeTools(bin, ['varnishd', 'varnishadm', 'varnishstat', 'gcc', 'caddy'])
    const lines: string[] = []
    const options = {
      origin: 'reference' as const,
      edge: varnish,
      env: { PATH: bin },
      cacheDir: path.join(folder.path, 'cache'),
      onProgress: (line: string) => lines.push(line),
    }
    const first = await provision(options)
    expect(first).toMatchObject({
      server: { kind: 'reference', because: 'it was asked for with --origin reference' },
      edge: {
        path: path.join(bin, 'varnishd'),
        version: '7.1.1',
        companions: { compiler: path.join(bin, 'gcc') },
      },
      caddy: { path: path.join(bin, 'caddy'), version: '2.8.4', source: path.join(bin, 'caddy') },
    })
    const startedAt = performance.now()
    expect(await provision(options)).toEqual(first)
    expect(performance.now() - startedAt).toBeLessThan(300)
    expect(lines).toEqual([])
  })

  test('the production server is the TLS edge too', async () => {
    using folder = temporaryFolder()
    const bin = path.join(folder.path, 'bin')
    fakeTools(bin, ['varnishd', 'varnishadm', 'varnishstat', 'gcc'])
    const serverBin = path.join(folder.path, 'server')
    writeFileSync(serverBin, serverScript('0.3.1'), { mode: 0o755 })
    const { server, caddy } = await provision({
      origin: 'caddy',
      edge: varnish,
      serverBin,
      env: { PATH: bin },
      cacheDir: path.join(folder.path, 'cache'),
    })
    expect(server).toMatchObject({ kind: 'production', path: serverBin })
    expect(caddy).toMatchObject({ path: serverBin, source: 'the server binary' })
  })

  test('--server-bin and --server-version contradict --origin reference, and each other', async () => {
    using folder = temporaryFolder()
    const cacheDir = folder.path
    await expect(provision({ origin: 'reference', edge: varnish, serverBin: '/x', cacheDir })).rejects.toThrow(
      /^--server-bin names/,
    )
    await expect(
      provision({ origin: 'auto', edge: varnish, serverBin: '/x', serverVersion: '1.0.0', cacheDir }),
    ).rejects.toThrow(/both choose/)
    await expect(provision({ origin: 'auto', edge: varnish, serverVersion: 'latest', cacheDir })).rejects.toThrow(
      /is not a version/,
    )
  })

  test.each([
    [
      [],
      /^Varnish is not installed, and Caddy is not installed \(.*\); run: sudo apt-get install -y --no-install-recommends varnish caddy$/,
    ],
    [
      ['varnishd', 'varnishadm', 'varnishstat', 'caddy'],
      /^There is no C compiler, which Varnish needs for each VCL; run: sudo apt-get install .* gcc libc6-dev$/,
    ],
    [
      ['varnishd', 'varnishadm', 'gcc', 'caddy'],
      /varnishstat, which comes with it, is not; run: sudo/,
    ],
  ])('with only %j here and no root, one command says what to install', async (names, sentence) => {
    using folder = temporaryFolder()
    fakeTools(folder.path, names)
    const host = hosts['Debian, a user'] as Host
    const options = { origin: 'reference' as const, edge: varnish, host, programFolders: [] }
    const attempt = provision({ ...options, env: { PATH: folder.path }, cacheDir: folder.path })
    await expect(attempt).rejects.toThrow(sentence)
  })

  test('a broken caddy in the PATH is named', async () => {
    using folder = temporaryFolder()
    const bin = path.join(folder.path, 'bin')
    mkdirSync(bin)
    writeFileSync(path.join(bin, 'caddy'), '#!/bin/sh\necho no\n', { mode: 0o755 })
    const found = await findCaddy({
      server: { kind: 'reference', version: '0', because: '' },
      env: { PATH: bin },
      identities: openIdentityCache(folder.path),
    })
    expect(found).toMatchObject({
      tools: [caddyTool],
      because: expect.stringContaining(`${path.join(bin, 'caddy')} is another program`),
    })
  })
})

describe('installing with apt', () => {
  /** An apt-get that records its words, and fails as `script` says. */
  function fakeApt(folder: string, script: string) {
    const log = path.join(folder, 'apt.log')
    const policyFile = path.join(folder, 'policy-rc.d')
    const words = `echo "$*" | sed 's/-o [^ ]* //g; s/-q //' >> ${log}`
    const policy = `test -x ${policyFile} && ${policyFile}; echo "policy $?" >> ${log}`
    writeFileSync(path.join(folder, 'apt-get'), `#!/bin/sh\n${words}\n${policy}\n${script}\n`, {
      mode: 0o755,
    })
    // On a machine with systemd the real one would be asked to disable a service.
    writeFileSync(path.join(folder, 'systemctl'), '#!/bin/sh\n', { mode: 0o755 })
    const lines: string[] = []
    const options = {
      env: { PATH: `${folder}:${process.env['PATH']}` },
      policyFile,
      onProgress: (line: string) => lines.push(line),
    }
    const read = () => readFileSync(log, 'utf8').trim().split('\n')
    return { options, policyFile, lines, read }
  }
  const installWords = 'install -y --no-install-recommends varnish'

  test('no service may start meanwhile, and none is forbidden afterwards', async () => {
    using folder = temporaryFolder()
    const apt = fakeApt(folder.path, 'exit 0')
    await installDebianPackages(['varnish'], apt.options)
    expect(apt.read().slice(-2)).toEqual([installWords, 'policy 101'])
    expect(existsSync(apt.policyFile)).toBe(false)
  })

  test("a policy of the machine's own is left as it is", async () => {
    using folder = temporaryFolder()
    const apt = fakeApt(folder.path, 'exit 0')
    const own = '#!/bin/sh\nexit 104\n'
    writeFileSync(apt.policyFile, own, { mode: 0o755 })
    await installDebianPackages(['varnish'], apt.options)
    expect(apt.read().at(-1)).toBe('policy 104')
    expect(readFileSync(apt.policyFile, 'utf8')).toBe(own)
  })

  test('a failure is tried again with fresh lists, then told in the words of apt', async () => {
    using folder = temporaryFolder()
    const apt = fakeApt(
      folder.path,
      'case "$*" in *update) exit 0 ;; esac\necho "E: Unable to locate package varnish at http://mirror.example/debian"; exit 100',
    )
    await expect(installDebianPackages(['varnish'], apt.options)).rejects.toThrow(
      /^varnish could not be installed: apt-get said "E: Unable to locate package varnish at \(address\)"; .*apt-get update && apt-get install/,
    )
    expect(
      apt
        .read()
        .filter((line) => !line.startsWith('policy'))
        .slice(-2),
    ).toEqual(['update', installWords])
    expect(existsSync(apt.policyFile)).toBe(false)
  })

  test('a busy apt is waited for', async () => {
    using folder = temporaryFolder()
    const freed = path.join(folder.path, 'freed')
    const apt = fakeApt(
      folder.path,
      `if [ -e ${freed} ]; then exit 0; fi\ntouch ${freed}\necho "E: Could not get lock /var/lib/apt/lists/lock"; exit 100`,
    )
    await installDebianPackages(['varnish'], apt.options)
    expect(apt.lines).toEqual(['Another program is using apt; waiting for it.'])
    expect(apt.read().at(-2)).toBe(installWords)
  })

  test('an apt that stays busy is given up', async () => {
    using folder = temporaryFolder()
    const apt = fakeApt(
      folder.path,
      'echo "E: Could not get lock /var/lib/dpkg/lock-frontend"; exit 100',
    )
    await expect(
      installDebianPackages(['varnish'], { ...apt.options, busyMaxMs: 0 }),
    ).rejects.toThrow(/Could not get lock/)
  })
})
