/** The public command with `--runtime containers`: a stand-in for each hop is found, and nothing is left however it ends. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { packTar } from 'modern-tar/fs'
import { afterAll, describe, expect, test } from 'vitest'
import type { Result } from '../../harness/report/result.ts'
import { ownerLabel, runLabel } from '../../harness/runtime/engine-cleanup.ts'
import { follow } from '../../harness/runtime/images/build-image.ts'
import { runsFolder } from '../../harness/runtime/run-folder.ts'
import { until, within } from '../../harness/until.ts'
import { engine, imagesForTests } from './engine-for-tests.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const cli = path.join(root, 'harness', 'cli.ts')
const twins = path.join(root, 'test', 'twins')
const out = mkdtempSync(path.join(tmpdir(), 'container-runs-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))

const usual = ['--runtime', 'containers', '--origin', 'reference', '--readers', '150']
/** With the making of images, where these are the first. */
const runMsMax = 300_000
const cleanWithinMs = 10_000

async function containers(label: string): Promise<string[]> {
  const found = await engine!.docker.listContainers({ all: true, filters: { label: [label] } })
  return found.map(({ Id }) => Id)
}

async function run(folder: string, args: string[], env: Record<string, string> = {}): Promise<Result> {
  const ended = await execa(process.execPath, [cli, ...args, ...usual, '--out', folder], { env, reject: false, timeout: runMsMax })
  expect(ended.exitCode, ended.stderr.slice(-600)).toBe(2)
  return JSON.parse(readFileSync(path.join(folder, 'latest', 'result.json'), 'utf8')) as Result
}

const red = ({ scenarios }: Result) =>
  [...new Set(scenarios.flatMap(({ checks }) => checks.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id)))].toSorted()

describe.skipIf(engine === null)('a run in containers', { timeout: runMsMax }, () => {
  test('passes where nothing is broken, names its images, and leaves nothing', async () => {
    const result = await run(path.join(out, 'sound'), ['restart-keeps-forks', 'tls-edge-passes-everything', 'fan-out-catch-up'])
    expect(result.runtime).toBe('containers')
    expect(result.scenarios.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass'])
    expect(result.subject.hops.map(({ id }) => id)).toEqual(['origin', 'edge', 'tls'])
    for (const hop of result.subject.hops) expect(hop.source).toMatch(/; image \S+, sha256:[0-9a-f]{64}$/)
    expect(await containers(`${runLabel}=${result.runId}`)).toEqual([])
    expect(existsSync(path.join(runsFolder(), result.runId))).toBe(false)
  })

  test.each([
    ['origin', 'drops-one-append', 'restart-keeps-forks', ['nothing-acknowledged-is-lost']],
    ['tls', 'offers-no-h2', 'tls-edge-passes-everything', ['chain-is-verified']],
    ['edge', 'ignores-the-query', 'fan-out-catch-up', ['crowd-is-served-right']],
  ])('finds a broken %s: %s', async (hop, twin, scenario, reddens) => {
    const env = hop === 'edge' ? {} : { [`DURABLE_STREAMS_TWIN_${hop.toUpperCase()}`]: path.join(twins, 'programs', hop === 'tls' ? 'broken-tls-edge.ts' : 'broken-origin.ts'), TWIN: twin }
    const vcl = hop === 'edge' ? ['--vcl', path.join(twins, 'vcl', `${twin}.vcl`)] : []
    expect(red(await run(path.join(out, twin), [scenario, ...vcl], env))).toEqual(reddens)
  })

  test('does not trust a broken tap', async () => {
    const env = { DURABLE_STREAMS_TWIN_TAP: path.join(twins, 'programs', 'broken-tap.ts'), TWIN: 'counts-half' }
    const result = await run(path.join(out, 'broken-tap'), ['fan-out-catch-up'], env)
    expect(red(result)).toEqual([])
    const control = result.scenarios[0]!.checks.find(({ id }) => id === 'count-can-be-wrong')
    expect(control).toMatchObject({ verdict: 'unknown', because: expect.stringMatching(/^The control counted \d+ upstream requests .* cannot be trusted\.$/) })
  })

  test('finds a broken nginx: one that does not lock', async () => {
    const file = path.join(out, 'never-locks.conf')
    const recommended = readFileSync(path.join(root, 'nginx', 'recommended.conf'), 'utf8')
    const broken = recommended.replaceAll(/^\s*proxy_cache_lock on;/gm, '')
    expect(broken).not.toBe(recommended)
    writeFileSync(file, broken)
    const result = await run(path.join(out, 'never-locks'), ['fan-out-long-poll', '--edge', 'nginx', '--edge-config', file])
    expect(result.subject.hops.find(({ id }) => id === 'edge')).toMatchObject({ kind: 'nginx', source: expect.stringMatching(/image \S*nginx\S*, sha256:/) })
    expect(red(result)).toContain('crowd-collapses')
  })

  test('interrupted as by a terminal leaves nothing: no container, volume or network', async () => {
    const before = await volumesAndNetworks()
    const run = await startAndAwaitServices()
    process.kill(-run.pid, 'SIGINT')
    expect(await within(run.exited, { for: 'the run to end', timeoutMs: cleanWithinMs })).toBe(130)
    expect(await containers(`${runLabel}=${run.runId}`)).toEqual([])
    expect(existsSync(run.folder)).toBe(false)
    expect(await volumesAndNetworks()).toEqual(before)
  })

  test("where testcontainers' reaper can be had, nothing is left of a run that is killed with its supervisor", async () => {
    const reaper = await makeReaper()
    try {
      const run = await startAndAwaitServices({ RYUK_CONTAINER_IMAGE: reaper })
      const own = await containers(`${runLabel}=${run.runId}`)
      expect((await engine!.docker.getContainer(own[0]!).inspect()).Config.Labels).toHaveProperty(['org.testcontainers.session-id'])
      const { supervisor } = JSON.parse(readFileSync(path.join(run.folder, 'owner.json'), 'utf8')) as { supervisor: { pid: number } }
      process.kill(supervisor.pid, 'SIGKILL')
      process.kill(run.pid, 'SIGKILL')
      await until(async () => (await containers(`${runLabel}=${run.runId}`)).length === 0, { for: 'the reaper to remove its containers', timeoutMs: cleanWithinMs, everyMs: 100 })
    } finally {
      await engine!.docker.getImage(reaper).remove({ force: true })
    }
  })

  test('killed leaves nothing, and with its supervisor killed too, the next run sweeps; others stay', async () => {
    const before = await volumesAndNetworks()
    const first = await startAndAwaitServices()
    process.kill(first.pid, 'SIGKILL')
    const gone = async (runId: string) => (await containers(`${runLabel}=${runId}`)).length === 0
    await until(async () => (await gone(first.runId)) && !existsSync(first.folder), { for: 'nothing to be left', timeoutMs: cleanWithinMs, everyMs: 50 })

    const second = await startAndAwaitServices()
    const { supervisor } = JSON.parse(readFileSync(path.join(second.folder, 'owner.json'), 'utf8')) as { supervisor: { pid: number } }
    process.kill(supervisor.pid, 'SIGKILL')
    process.kill(second.pid, 'SIGKILL')
    const strangers = await Promise.all([strange({}), strange({ [runLabel]: 'of-nobody-knows-whom' }), strange({ [runLabel]: 'of-another-host', [ownerLabel]: ownerElsewhere(second.folder) })])
    try {
      await run(path.join(out, 'sweeping'), ['restart-keeps-forks'])
      expect(await gone(second.runId)).toBe(true)
      expect(await volumesAndNetworks()).toEqual(before)
      for (const id of strangers) expect((await engine!.docker.getContainer(id).inspect()).Id).toBe(id)
    } finally {
      for (const id of strangers) await engine!.docker.getContainer(id).remove()
    }
  })
})

/** Of a stand-in for testcontainers' reaper, around the node of the tests' images. */
async function makeReaper(): Promise<string> {
  const { node } = await imagesForTests()
  const tag = `durable-streams-simulator/reaper-test:${process.pid}`
  const steps = [`FROM ${node.reference}`, 'COPY reaper.mjs /reaper.mjs', 'USER 0', `ENTRYPOINT ["${node.program}", "/reaper.mjs"]`, '']
  const context = packTar([
    { type: 'content', target: 'Dockerfile', content: steps.join('\n') },
    { type: 'file', source: path.join(import.meta.dirname, 'fixtures', 'reaper.mjs'), target: 'reaper.mjs' },
  ])
  await follow(engine!.docker, engine!.docker.buildImage(context, { t: tag, rm: true, forcerm: true }), tag)
  return tag
}

/** Starts a run and waits until its services stand. */
async function startAndAwaitServices(env: Record<string, string> = {}): Promise<{ pid: number; runId: string; folder: string; exited: Promise<number | null> }> {
  // A group of its own, which a terminal's Ctrl-C goes to.
  const child = spawn(process.execPath, [cli, 'kill-under-load', ...usual, '--out', path.join(out, 'killed')], { stdio: 'ignore', detached: true, env: { ...process.env, ...env } })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  // Other tests' runs stand beside it: its own are known by their owner.
  const own = async () => {
    const all = await engine!.docker.listContainers({ filters: { label: [runLabel] } })
    return all.filter(({ Labels }) => (JSON.parse(Labels[ownerLabel] ?? '{}') as { harness?: { pid: number } }).harness?.pid === child.pid)
  }
  const found = await until(async () => ((await own()).length >= 4 ? await own() : null), { for: 'the services to be started', timeoutMs: runMsMax / 3, everyMs: 100 })
  const runId = found[0]!.Labels[runLabel]!
  return { pid: child.pid!, runId, folder: path.join(runsFolder(), runId), exited }
}

/** A run makes none. Those of a Compose project, which another test may start meanwhile, are left out. */
async function volumesAndNetworks(): Promise<string[]> {
  const [{ Volumes }, networks] = await Promise.all([engine!.docker.listVolumes(), engine!.docker.listNetworks()])
  const all: { Name: string; Labels?: Record<string, string> | null | undefined }[] = [...(Volumes ?? []), ...networks]
  return all.filter(({ Labels }) => Labels?.['com.docker.compose.project'] === undefined).map(({ Name }) => Name).toSorted()
}

/** A container that is none of a dead run of this host; it is never started. */
async function strange(labels: Record<string, string>): Promise<string> {
  const [image] = await engine!.docker.listImages()
  return (await engine!.docker.createContainer({ Image: image!.Id, Cmd: ['/never-started'], Labels: labels })).id
}

function ownerElsewhere(folder: string): string {
  const owner = JSON.parse(readFileSync(path.join(folder, 'owner.json'), 'utf8')) as { place: object }
  return JSON.stringify({ ...owner, place: { ...owner.place, hostname: 'elsewhere' } })
}
