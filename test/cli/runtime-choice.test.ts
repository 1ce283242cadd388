/** `--runtime`: what `auto` takes and why, said in the head of every report; engines that cannot be had. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execaSync } from 'execa'
import { afterAll, describe, expect, test } from 'vitest'
import { sayNotTested } from '../confine/programs.ts'
import { varnish } from '../../harness/edges/varnish/varnish.ts'
import { publicTags } from '../../harness/runtime/images/public-images.ts'
import { engine } from '../runtime/engine-for-tests.ts'
import { standInEngine, type Answers } from '../runtime/fixtures/engine.ts'
import { publicCommand, simulate } from './simulation.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'runtime-choice-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const small = ['restart-keeps-forks', '--origin', 'reference', '--readers', '10']
const none = path.join(folder, 'none.sock')

describe('--runtime auto', { timeout: 300_000 }, () => {
  test('without an engine takes processes, and says so at the head of each report', async () => {
    const ended = await simulate([...small, '--runtime', 'auto'], { env: { DOCKER_HOST: `unix://${none}` } })
    await using simulation = ended.simulation
    expect(ended.code, ended.stderr).toBe(2)
    const because = `no containers could be had: No container engine is running (there is no ${none}): start one, for example with "dockerd" as root or Docker Desktop.`
    const line = `Runtime: processes, because ${because}`
    expect(simulation.result()).toMatchObject({ runtime: 'processes', runtimeBecause: because, scope: expect.arrayContaining([line]) })
    expect(ended.stdout.replaceAll(/\s+/g, ' ')).toContain(line.replaceAll(/\s+/g, ' '))
    expect(await readFile(path.join(simulation.runFolder, 'report.html'), 'utf8')).toContain('Runtime: processes, because no containers could be had: ')
  })

  test('with an engine of no use takes processes too', async () => {
    await using _ = await standInEngine(path.join(folder, 'old.sock'), tooOld)
    const ended = await simulate([...small, '--runtime', 'auto'], { env: { DOCKER_HOST: `unix://${folder}/old.sock` } })
    await using simulation = ended.simulation
    expect(ended.code, ended.stderr).toBe(2)
    expect(simulation.result()).toMatchObject({ runtime: 'processes', runtimeBecause: 'no containers could be had: The container engine speaks API 1.30, and 1.40 is needed: update it.' })
  })

  test.skipIf(engine === null)('with an engine takes containers, and needs neither Varnish nor Caddy of this host', async () => {
    const ended = await simulate([...small, 'tls-edge-passes-everything', '--runtime', 'auto'], { command: withoutHops() })
    await using simulation = ended.simulation
    expect(ended.code, ended.stderr).toBe(2)
    const result = simulation.result()
    expect(result).toMatchObject({ runtime: 'containers', runtimeBecause: `a container engine answers (${engine!.description})` })
    expect(result.scenarios.map(({ verdict }) => verdict)).toEqual(['pass', 'pass'])
    expect(result.subject.hops.map(({ source }) => source.includes('image '))).toEqual([true, true, true])
  })

  test.skipIf(engine === null)('does not take processes where the user is to mend something else', async () => {
    const ended = await simulate([...small, '--runtime', 'auto', '--vcl', path.join(import.meta.dirname, '../confine/fixtures/no-such.vcl')])
    await using _ = ended.simulation
    expect(ended).toMatchObject({ code: 64, stderr: expect.stringMatching(/no-such\.vcl cannot be read \(ENOENT\)/) })
  })
})

/** The public command where this host's varnishd, compiler and Caddy are programs of no use. */
function withoutHops(): string[] {
  const hide = 'for p in varnishd varnishadm varnishstat gcc cc caddy; do f=$(command -v $p) && mount --bind /dev/null "$(realpath $f)"; done; exec "$@"'
  const trial = execaSync('unshare', ['--mount', 'true'], { reject: false })
  if (trial.exitCode !== 0) sayNotTested('a host without Varnish and Caddy', 'no namespace can be made here')
  return trial.exitCode === 0 ? ['unshare', '--mount', 'sh', '-c', hide, 'sh', ...publicCommand] : publicCommand
}

const tooOld: Answers = { 'GET /version': { body: { Version: '18.0', ApiVersion: '1.30', Arch: 'amd64', Os: 'linux' } } }
const otherProcessor: Answers = { 'GET /version': { body: { Version: '99.0', ApiVersion: '1.60', Arch: 's390x', Os: 'linux' } } }
const otherSystem: Answers = { 'GET /version': { body: { Version: '99.0', ApiVersion: '1.60', Arch: 'amd64', Os: 'windows' } } }
const otherKernel: Answers = { 'GET /info': { body: { ServerVersion: '99.0', OSType: 'linux', OperatingSystem: 'Docker Desktop', KernelVersion: '6.6.0-linuxkit' } } }
const pull = (status: number, body: unknown): Answers => ({ 'POST /images/create': { status, body } })
const fullDisk = { ...pull(200, { error: 'write /var/lib/docker/tmp/x: no space left on device', errorDetail: { message: 'no space left on device' } }) }
/** All images are there but Node's, which no registry gives: it is to be made. */
const toBeMade = (status: number, body: unknown): Answers => ({
  ...Object.fromEntries([varnish.image.tag, publicTags.caddy, publicTags.libraries].map((tag) => [`GET /images/${tag}/json`, { body: { Id: 'sha256:aa', Architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', Os: 'linux' } }])),
  ...pull(500, { message: 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host' }),
  'POST /build': { status, body },
})
const fullWhileMade = /No image registry answers; images are made here instead, once\.\n(?:.*\n)*The engine's disk filled up while it made durable-streams-simulator\/node:\w+: free some \(docker system df\), or run without containers: --runtime processes\.\n$/m
const otherImage: Answers = { 'GET /images/docker.io/library/varnish:7.6.1/json': { body: { Id: 'sha256:aa', Architecture: 's390x', Os: 'linux' } } }

describe('--runtime containers with', () => {
  test.each<[string, Answers, RegExp]>([
    ['an API that is too old', tooOld, /^The container engine speaks API 1\.30, and 1\.40 is needed: update it, or run without containers: --runtime processes\.\n$/],
    ['another processor', otherProcessor, /^The container engine is s390x and this machine's programs are \w+: use an engine of the same, or run without containers: --runtime processes\.\n$/],
    ['a kernel of its own, in a virtual machine, and no volumes', otherKernel, /^\S+ The container engine is elsewhere \(.*\): the harness runs in it, too\.\nThe container engine does not do what a run needs \(.*No such thing: \/volumes\): mend it, or run without containers: --runtime processes\.\n$/],
    ['another system', otherSystem, /^The container engine runs windows containers: switch it to Linux, or run without containers: --runtime processes\.\n$/],
    ['a registry that wants a login', pull(404, { message: 'pull access denied for varnish: repository does not exist or may require docker login' }), /^The registry wants a login for docker\.io\/library\/varnish:7\.6\.1: docker login, or run without containers: --runtime processes\.\n$/m],
    ['a registry of a company that wants one', pull(500, { message: 'Head "https://registry.example/v2/varnish/manifests/7.6.1": no basic auth credentials' }), /^The registry wants a login for docker\.io\/library\/varnish:7\.6\.1: docker login, or run without containers: --runtime processes\.\n$/m],
    ['no registry, and a disk that fills up while an image is made', toBeMade(200, { error: 'write /usr/local/bin/node: no space left on device', errorDetail: {} }), fullWhileMade],
    ['no registry, and a disk that is full before', toBeMade(500, { message: 'write /var/lib/docker/tmp/docker-builder1/program: no space left on device' }), fullWhileMade],
    ['no registry, and an engine that fails at making', toBeMade(500, { message: 'no such driver' }), /^The engine could not make durable-streams-simulator\/node:\w+: .*no such driver; mend that, or run without containers: --runtime processes\.\n$/m],
    ['an image of another processor', otherImage, /^The image docker\.io\/library\/varnish:7\.6\.1 is for s390x and the engine is \w+: docker pull --platform linux\/\w+ docker\.io\/library\/varnish:7\.6\.1, or run without containers: --runtime processes\.\n$/m],
    ['a disk that is full while an image comes', fullDisk, /^The engine's disk filled up while it made docker\.io\/library\/varnish:7\.6\.1: free some \(docker system df\), or run without containers: --runtime processes\.\n$/m],
  ])('%s', async (_name, answers, sentence) => {
    await using _ = await standInEngine(path.join(folder, 'engine.sock'), answers)
    await expectRefused(`unix://${folder}/engine.sock`, sentence)
  })

  test('no engine', () =>
    expectRefused(`unix://${none}`, /^No container engine is running \(there is no \S+none\.sock\): start one, for example with "dockerd" as root or Docker Desktop, or run without containers: --runtime processes\.\n$/))

  test('no engine at an address', () =>
    expectRefused('tcp://127.0.0.1:1', /^No container engine answers at DOCKER_HOST=tcp:\/\/127\.0\.0\.1:1: mend or unset it, or run without containers: --runtime processes\.\n$/))

  test('no permission on its socket', async () => {
    await using _ = await standInEngine(path.join(folder, 'locked.sock'), {})
    chmodSync(path.join(folder, 'locked.sock'), 0)
    const ordinary = process.getuid!() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all', ...publicCommand] : publicCommand
    await expectRefused(`unix://${folder}/locked.sock`, /^This user may not speak to the container engine at \S+locked\.sock: join the group that may \(usually "docker"\), or run without containers: --runtime processes\.\n$/, ordinary)
  })
})

async function expectRefused(host: string, sentence: RegExp, command = publicCommand): Promise<void> {
  const refused = await simulate([...small, '--runtime', 'containers'], { env: { DOCKER_HOST: host }, command })
  await using simulation = refused.simulation
  expect(refused.stderr).toMatch(sentence)
  expect(refused).toMatchObject({ code: 64, stdout: '' })
  await simulation.leavesNothing({ processes: [], listeners: [] })
  expect(simulation.runFolders()).toEqual([])
}
