/** What an engine that is elsewhere is given, and what is found and removed in it: each part by itself, without an engine. */
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { packTar } from 'modern-tar/fs'
import { afterAll, describe, expect, test } from 'vitest'
import { gatherBelongings } from '../../../harness/gather-belongings.ts'
import { parseOptions } from '../../../harness/options.ts'
import { allBytesMax, fileBytesMax, pack, putArchive, weigh } from '../../../harness/runtime/elsewhere/belongings.ts'
import { fetchFile, fetchFolder, fetchNew } from '../../../harness/runtime/elsewhere/bring-back.ts'
import { npmSettings } from '../../../harness/runtime/elsewhere/harness-image.ts'
import { isDead, labelsOf, processOf, removeAll, sweepDead, thisMachine, type ElsewhereOwner } from '../../../harness/runtime/elsewhere/leftovers.ts'
import { sharedVolumeOf, whyNotShared } from '../../../harness/runtime/elsewhere/shared-volumes.ts'
import type { Docker } from '../../../harness/runtime/engine.ts'
import { within } from '../../../harness/until.ts'
import { boltFile } from '../../data-dir/bolt-writer.ts'

const root = path.resolve(import.meta.dirname, '..', '..', '..')
const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a folder that the engine does not see', () => {
  const volumes = [{ target: '/home/me/project', volume: 'project' }, { target: '/home/me/project/reports', volume: 'reports' }, { target: '/data', volume: 'data' }]

  test.each([
    ['/home/me/project', 'project'],
    ['/home/me/project/reports/run/logs', 'reports'],
    ['/data/tmp/run', 'data'],
  ])('%s is in the volume %s', (place, volume) => expect(sharedVolumeOf(place, volumes)?.volume).toBe(volume))

  test('is in none where no path of a volume leads to it, and where nothing was told', () => {
    expect(sharedVolumeOf('/home/me/project-2', volumes)).toBeNull()
    expect(sharedVolumeOf('/data')).toBeNull()
    expect(whyNotShared('/data', () => '')).toBeNull()
  })
})

describe('what is put in', () => {
  const gathered = (args: string[], env: NodeJS.ProcessEnv = {}, arch: string = process.arch) =>
    gatherBelongings({ options: parseOptions(args), root, scenarioFiles: [], arch, env })

  test('is the project as git has it, and neither its modules nor its reports', async () => {
    const { files, serverBin } = await gathered([])
    const names = files.map((file) => path.relative(root, file.path))
    expect(names).toEqual(expect.arrayContaining(['harness/cli.ts', 'package-lock.json', 'varnish/recommended.vcl']))
    expect(names.filter((name) => /^(node_modules|\.git)\//.test(name) || (name.startsWith('reports/') && !name.startsWith('reports/sample/')))).toEqual([])
    expect(serverBin).toBeNull()
  })

  test('are the configurations that were given, with all that they include, and the environment that they name', async () => {
    const own = path.join(folder, 'own')
    mkdirSync(own)
    writeFileSync(path.join(own, 'Caddyfile'), 'import snippets/*\n:80 {\n respond "{$GREETING}"\n}\n')
    mkdirSync(path.join(own, 'snippets'))
    writeFileSync(path.join(own, 'snippets', 'one'), '(one) {\n}\n')
    writeFileSync(path.join(own, 'mine.vcl'), 'vcl 4.1;\ninclude "./part.vcl";\n')
    writeFileSync(path.join(own, 'part.vcl'), 'sub vcl_recv { }\n')
    const args = ['--caddyfile', path.join(own, 'Caddyfile'), '--vcl', path.join(own, 'mine.vcl')]
    const { files, env } = await gathered(args, { GREETING: 'hello', SECRET: 'x', DURABLE_STREAMS_RELEASES: 'http://mirror', DURABLE_STREAMS_RUNTIME: 'auto' })
    const given = files.filter(({ what }) => what !== 'the project').map((file) => path.relative(own, file.path))
    expect(given.toSorted()).toEqual(['Caddyfile', 'mine.vcl', 'part.vcl', 'snippets/one'])
    expect(env).toEqual({ GREETING: 'hello', DURABLE_STREAMS_RELEASES: 'http://mirror' })
  })

  test('is a scenario of one\'s own with the files beside it', async () => {
    writeFileSync(path.join(folder, 'mine.ts'), "import { size } from './size.ts'\nexport default size\n")
    writeFileSync(path.join(folder, 'size.ts'), "import { again } from './mine.ts'\nexport const size = 1\n")
    const options = parseOptions([])
    const { files } = await gatherBelongings({ options, root, scenarioFiles: [path.join(folder, 'mine.ts')], arch: process.arch, env: {} })
    expect(files.filter(({ what }) => what === 'a scenario').map((file) => path.basename(file.path))).toEqual(['mine.ts', 'size.ts'])
  })

  test('is a scenario that lies in the checkout as well, where git does not take it: a shrunk one', async () => {
    const checkout = path.join(folder, 'checkout')
    const shrunk = path.join(checkout, 'reports', 'run', 'capsule.shrunk', 'short.ts')
    const next = path.join(folder, 'checkout-2', 'mine.ts')
    const own = path.join(checkout, 'scenarios', 'own.ts')
    for (const file of [shrunk, next, own]) mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(own, 'export default {}\n')
    writeFileSync(shrunk, "export { default } from '../../../scenarios/own.ts'\n")
    writeFileSync(next, "export { default } from '../checkout/scenarios/own.ts'\n")
    const { files } = await gatherBelongings({ options: parseOptions([]), root: checkout, scenarioFiles: [shrunk, next, own], arch: process.arch, env: {} })
    expect(files.filter(({ what }) => what === 'a scenario').map((file) => file.path)).toEqual([shrunk, next])
    expect(files.filter(({ what }) => what === 'the project').map((file) => file.path)).toEqual([own])
  })

  test('is a server binary only where the engine can run it', async () => {
    const node = path.join(folder, 'server')
    copyFileSync(process.execPath, node)
    expect(await gathered(['--server-bin', node])).toMatchObject({ serverBin: node })
    expect((await gathered([], { DURABLE_STREAMS_SERVER_BIN: node })).env).toEqual({ DURABLE_STREAMS_SERVER_BIN: node })
    const other = process.arch === 'x64' ? 'arm64' : 'x64'
    await expect(gathered(['--server-bin', node], {}, other)).rejects.toThrow(/^--server-bin: \S+server is built for \S+, and the container engine is elsewhere and needs a Linux program for \S+: give that one, or leave it out and it is downloaded there\.$/)
    const script = path.join(folder, 'script')
    writeFileSync(script, '\xcf\xfa\xed\xfe, a program of a Mac or whatever it may be', 'latin1')
    await expect(gathered([], { DURABLE_STREAMS_SERVER_BIN: script })).rejects.toThrow(/^DURABLE_STREAMS_SERVER_BIN: \S+script is no Linux program, and the container engine is elsewhere/)
    await expect(gathered(['--server-bin', `${script}-not`])).rejects.toThrow(/^--server-bin: \S+ cannot be read \(ENOENT\); give the path of a durable-streams-server executable\.$/)
  })

  test('is a data_dir, and none that a server of this machine has open', async () => {
    const data = path.join(folder, 'data')
    const database = path.join(data, 'metadata', 'metadata.db')
    for (const name of ['metadata', 'streams']) mkdirSync(path.join(data, name), { recursive: true })
    await expect(gathered(['--data-dir-from', data])).rejects.toThrow(/is no data_dir of the production server/)
    writeFileSync(database, boltFile('metadata', [[]]))
    const { files } = await gathered(['--data-dir-from', data])
    expect(files.filter(({ what }) => what === '--data-dir-from').map((file) => file.path)).toEqual([database])
    const server = spawn('flock', [database, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = new Promise((resolve) => server.once('exit', resolve))
    await new Promise((resolve) => server.stdout.once('data', resolve))
    await expect(gathered(['--data-dir-from', data])).rejects.toThrow(/^A server \(process \d+\) has the data_dir \S+ open/)
    server.stdin.end()
    await ended
  })

  test('are the releases in the cache that the engine can run; what is downloaded there is kept where there is none', async () => {
    const servers = path.join(folder, 'cache', 'durable-streams-simulator', 'servers')
    for (const name of ['1.0.0_linux_arm64', '1.0.0_darwin_arm64']) {
      mkdirSync(path.join(servers, name), { recursive: true })
      writeFileSync(path.join(servers, name, 'durable-streams-server'), name)
    }
    const env = { XDG_CACHE_HOME: path.join(folder, 'cache') }
    const there = '/durable-streams/cache/durable-streams-simulator/servers'
    const { files, keepsakes } = await gathered([], env, 'arm64')
    expect(files.filter(({ what }) => what === 'the cache of servers').map(({ to }) => to)).toEqual([`${there}/1.0.0_linux_arm64/durable-streams-server`])
    expect(keepsakes).toEqual([])
    expect((await gathered(['--server-version', '2.0.0'], env, 'arm64')).keepsakes).toEqual([{ there, here: servers }])
    expect((await gathered(['--origin', 'reference'], env, 'arm64')).files.some(({ what }) => what === 'the cache of servers')).toBe(false)
  })

  test('is bounded: each file, and all of them', async () => {
    const files = [{ what: '--data-dir-from', path: '/d/a' }, { what: '--caddyfile', path: '/d/b' }]
    expect(await weigh(files, async () => 7)).toBe(14)
    await expect(weigh(files, async (file) => (file === '/d/a' ? fileBytesMax + 1 : 1))).rejects.toThrow(
      /^\/d\/a \(--data-dir-from\) has 513 MiB, and at most 512 MiB are put into a container engine that is elsewhere: give less, run on a host that the engine is of, or run without containers: --runtime processes\.$/,
    )
    const many = Array.from({ length: Math.ceil(allBytesMax / fileBytesMax) + 1 }, (_, n) => ({ what: '--data-dir-from', path: `/d/${n}` }))
    await expect(weigh(many, async () => fileBytesMax)).rejects.toThrow(/^--data-dir-from and the other 4 files of a run have 2,560 MiB, and at most 2,048 MiB are put/)
    await expect(weigh([{ what: '--caddyfile', path: path.join(folder, 'none') }])).rejects.toThrow(/none \(--caddyfile\) cannot be read \(ENOENT\)\.$/)
  })

  test('lies at its own path, and belongs to root', async () => {
    const file = path.join(folder, 'real')
    writeFileSync(file, 'content', { mode: 0o600 })
    symlinkSync(file, path.join(folder, 'link'))
    const archive = pack([{ what: 'x', path: path.join(folder, 'link') }], { content: { target: '/told.json', text: '{}' }, link: { target: `${folder}/node_modules`, to: '/project/node_modules' }, folder: `${folder}/empty` })
    const listed = spawn('tar', ['--list', '--verbose', '--numeric-owner'], { stdio: ['pipe', 'pipe', 'inherit'] })
    await pipeline(archive, listed.stdin)
    const lines = (await text(listed.stdout)).trim().split('\n').map((line) => line.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d /g, '').replaceAll(/\s+/g, ' '))
    expect(lines).toEqual([`-rw------- 0/0 7 ${folder.slice(1)}/link`, '-rw-r--r-- 0/0 2 told.json', expect.stringMatching(`^l.* 0/0 0 ${folder.slice(1)}/node_modules -> /project/node_modules$`), `drwxr-xr-x 0/0 0 ${folder.slice(1)}/empty/`])
  })
})

test('what can no longer be read when it is put in is told, and not waited for', async () => {
  const archive = packTar([{ type: 'file', source: path.join(folder, 'gone'), target: 'gone' }])
  const engine = { putArchive: (sent: NodeJS.ReadableStream) => new Promise<never>(() => sent.resume()) } as unknown as Parameters<typeof putArchive>[0]
  await expect(within(putArchive(engine, archive), { for: 'its failure', timeoutMs: 10_000 })).rejects.toThrow(/ENOENT.*gone/)
})

describe("the user's npm settings", () => {
  test('go along, but for what is this machine\'s, and certificates as files', () => {
    const authority = path.join(folder, 'ca.pem')
    writeFileSync(authority, 'certificate')
    const config = path.join(folder, 'npmrc')
    writeFileSync(config, `registry=https://npm.example/\ncafile=${authority}\nprefix=/usr/local\n//npm.example/:_authToken=secret\n`)
    const { env, files } = npmSettings({ npm_config_userconfig: config, npm_config_user_agent: 'npm/11', npm_config_cache: '/x', HTTPS_PROXY: 'http://proxy', PATH: '/bin', npm_config_registry: 'https://npm.example/' })
    expect(env).toEqual({
      npm_config_userconfig: '/tmp/npm-settings/npmrc',
      npm_config_cafile: '/tmp/npm-settings/authority.pem',
      NODE_EXTRA_CA_CERTS: '/tmp/npm-settings/authority.pem',
      HTTPS_PROXY: 'http://proxy',
      npm_config_registry: 'https://npm.example/',
    })
    expect(files).toEqual([
      { type: 'content', target: 'tmp/npm-settings/npmrc', content: 'registry=https://npm.example/\n\n\n//npm.example/:_authToken=secret\n' },
      { type: 'file', source: authority, target: 'tmp/npm-settings/authority.pem' },
    ])
  })
})

describe('what comes back', () => {
  const archive = (entries: Parameters<typeof packTar>[0]) => ({ getArchive: async () => packTar(entries) }) as unknown as Parameters<typeof fetchFolder>[0]

  test('lies where it would be had it run here: beside earlier runs, with the latest one named', async () => {
    const out = path.join(folder, 'reports')
    mkdirSync(path.join(out, 'earlier'), { recursive: true })
    writeFileSync(path.join(out, 'earlier', 'result.json'), '{}')
    symlinkSync('earlier', path.join(out, 'latest'))
    const there = path.join(folder, 'there', 'reports')
    mkdirSync(path.join(there, 'run', 'logs'), { recursive: true })
    writeFileSync(path.join(there, 'run', 'result.json'), '{}')
    // What was put there, as a capsule to be replayed.
    mkdirSync(path.join(there, 'earlier'))
    writeFileSync(path.join(there, 'earlier', 'capsule.json'), '{}')
    symlinkSync('run', path.join(there, 'latest'))
    await fetchFolder(archive([{ type: 'directory', source: there, target: 'reports' }]), out, path.join(out, '.run', 'back'))
    expect(readdirSync(out).toSorted()).toEqual(['.run', 'earlier', 'latest', 'run'])
    expect(readlinkSync(path.join(out, 'latest'))).toBe('run')
    expect(readdirSync(path.join(out, 'run')).toSorted()).toEqual(['logs', 'result.json'])
    expect(readdirSync(path.join(out, 'earlier'))).toEqual(['result.json'])
  })

  test('is a release that was downloaded there, for the cache, unless it is there by now', async () => {
    const here = path.join(folder, 'servers')
    mkdirSync(path.join(here, '1.0.0_linux_x64'), { recursive: true })
    writeFileSync(path.join(here, '1.0.0_linux_x64', 'durable-streams-server'), 'mine')
    const entries = ['1.0.0', '2.0.0'].map((version) => ({ type: 'content' as const, target: `servers/${version}_linux_x64/durable-streams-server`, content: 'theirs' }))
    await fetchNew(archive(entries), { there: '/x', here })
    expect(readdirSync(here).toSorted()).toEqual(['1.0.0_linux_x64', '2.0.0_linux_x64'])
    expect(readFileSync(path.join(here, '1.0.0_linux_x64', 'durable-streams-server'), 'utf8')).toBe('mine')
    const none = { getArchive: () => Promise.reject(Object.assign(new Error('no such folder'), { statusCode: 404 })) } as unknown as Parameters<typeof fetchNew>[0]
    await fetchNew(none, { there: '/x', here })
    expect(readdirSync(here)).toHaveLength(2)
  })

  test('is a file where one was written, and nothing where none was', async () => {
    const file = path.join(folder, 'sub', 'findings.sarif')
    await fetchFile(archive([{ type: 'content', target: 'findings.sarif', content: '{}' }]), file)
    expect(readFileSync(file, 'utf8')).toBe('{}')
    const none = { getArchive: () => Promise.reject(Object.assign(new Error('no such file'), { statusCode: 404 })) } as unknown as Parameters<typeof fetchFile>[0]
    await fetchFile(none, path.join(folder, 'none.sarif'))
    expect(existsSync(path.join(folder, 'none.sarif'))).toBe(false)
  })
})

/** An engine of containers and volumes that have labels; a volume that a container uses is busy. */
class StandInDocker {
  containers = new Map<string, Record<string, string>>()
  volumes = new Map<string, Record<string, string>>()
  busyFor = 0

  add(name: string, labels: Record<string, string>): void {
    this.containers.set(name, labels)
    this.volumes.set(name, labels)
  }

  #by({ filters }: { filters: { label: string[] } }, all: Map<string, Record<string, string>>) {
    const [label, value] = filters.label[0]!.split('=')
    return [...all].filter(([, labels]) => label! in labels && (value === undefined || labels[label!] === value))
  }

  listContainers = async (asked: { filters: { label: string[] } }) => this.#by(asked, this.containers).map(([Id, Labels]) => ({ Id, Labels }))
  listVolumes = async (asked: { filters: { label: string[] } }) => ({ Volumes: this.#by(asked, this.volumes).map(([Name, Labels]) => ({ Name, Labels, Mountpoint: `/v/${Name}` })) })
  getContainer = (id: string) => ({ remove: async () => void this.containers.delete(id) })
  getVolume = (name: string) => ({
    remove: async () => {
      if (this.containers.has(name) || this.busyFor-- > 0) throw new Error('volume is in use')
      this.volumes.delete(name)
    },
  })
}

describe('what a run has in the engine', () => {
  const own = processOf(process.pid)!
  const gone = { pid: process.pid, startedAt: 'long ago' }
  const staging = path.join(folder, '.2026-11-26T03-06-38-7a25')
  const owner = (harness = gone, guard = gone, machine = thisMachine()): ElsewhereOwner => ({ machine, harness, guard, staging })

  test('is dead only when both of its processes are, and only on their machine', () => {
    expect(isDead(owner())).toBe(true)
    expect(isDead(owner(own))).toBe(false)
    expect(isDead(owner(gone, own))).toBe(false)
    expect(isDead(owner(gone, gone, 'another machine'))).toBe(false)
    expect(processOf(2 ** 22 + 1)).toBeNull()
  })

  test('is removed by its label, volumes that are still in use among it; others\' stay', async () => {
    const docker = new StandInDocker()
    docker.add('mine', labelsOf('a', owner(own)))
    docker.add('other', labelsOf('b', owner(own)))
    docker.busyFor = 2
    await removeAll(docker as unknown as Docker, 'a')
    expect([...docker.containers.keys(), ...docker.volumes.keys()]).toEqual(['other', 'other'])
  })

  test('is swept when it is a dead run\'s; a living one\'s, another machine\'s and what nobody knows stay', async () => {
    const docker = new StandInDocker()
    docker.add('dead', labelsOf('dead', owner()))
    docker.volumes.set('dead-2', labelsOf('dead-2', { ...owner(), staging: folder }))
    mkdirSync(staging)
    docker.add('alive', labelsOf('alive', owner(own)))
    docker.add('foreign', labelsOf('foreign', owner(gone, gone, 'another machine')))
    docker.add('odd', { ...labelsOf('odd', owner()), 'durable-streams-simulator.elsewhere-owner': '{' })
    docker.add('project', { 'com.docker.compose.project': 'x' })
    expect((await sweepDead(docker as unknown as Docker)).toSorted()).toEqual(['dead', 'dead-2'])
    // Of another name than such a folder has it would be somebody's own.
    expect([existsSync(staging), existsSync(folder)]).toEqual([false, true])
    expect([...docker.volumes.keys()]).toEqual(['alive', 'foreign', 'odd', 'project'])
  })
})

describe('the program inside', () => {
  const inside = path.join(root, 'harness', 'runtime', 'elsewhere', 'inside.ts')
  const start = (source: string) => {
    const child = spawn(process.execPath, [inside, '-e', source], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: path.join(folder, 'tmp') } })
    const exited = new Promise<number | string | null>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
    return { child, exited }
  }
  const waits = "process.on('SIGINT', () => { console.log('interrupted'); if (again++) process.exit(130) }); process.on('SIGHUP', () => { console.log('hung up'); process.exit(129) }); let again = 0; setInterval(() => {}, 1000); console.log('ready')"
  const ready = (child: ReturnType<typeof start>['child']) => new Promise<void>((resolve) => child.stdout!.once('data', () => resolve()))

  test('shows what the command says, and ends as it does', async () => {
    const { child, exited } = start("console.log('hello'); process.exitCode = 2")
    expect(await text(child.stdout)).toBe('hello\n')
    expect(await exited).toBe(2)
  })

  test('passes signals on, each time', async () => {
    const { child, exited } = start(waits)
    await ready(child)
    child.stdin!.write('nonsense\nSIGINT\n')
    // Two that wait together are one.
    await ready(child)
    child.stdin!.write('SIGINT\n')
    expect(await within(exited, { for: 'its end', timeoutMs: 10_000 })).toBe(130)
  })

  test('ends the command when nobody is there any more', async () => {
    const { child, exited } = start(waits)
    await ready(child)
    child.stdin!.end()
    expect(await within(exited, { for: 'its end', timeoutMs: 10_000 })).toBe(129)
  })
})
