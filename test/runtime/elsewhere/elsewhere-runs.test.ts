/**
 * The public command with an engine that does not see its files: the engine of this machine, by way of an address
 * instead of its socket, and a folder for temporary data that only the command sees.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa, execaSync } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Result } from '../../../harness/report/result.ts'
import { elsewhereLabel } from '../../../harness/runtime/elsewhere/leftovers.ts'
import { until, within } from '../../../harness/until.ts'
import { sayNotTested } from '../../confine/programs.ts'
import { engine, imagesForTests } from '../engine-for-tests.ts'

const root = path.resolve(import.meta.dirname, '..', '..', '..')
const cli = path.join(root, 'harness', 'cli.ts')
const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-runs-'))
const hidden = path.join(folder, 'hidden')
mkdirSync(hidden)
/** With the making of the image that holds the dependencies. */
const runMsMax = 300_000
const cleanWithinMs = 10_000

const socket = engine !== null && 'socketPath' in engine.address ? engine.address.socketPath : null
const mayHide = execaSync('unshare', ['--mount', 'true'], { reject: false }).exitCode === 0
if (socket !== null && !mayHide) sayNotTested('a run in an engine that is elsewhere', 'no namespace can be made here')

describe.skipIf(socket === null || !mayHide)('an engine that does not see this machine\'s files', { timeout: runMsMax }, () => {
  let address: Server
  beforeAll(async () => {
    await imagesForTests()
    address = createServer({ allowHalfOpen: true }, (from) => {
      const to = connect({ path: socket!, allowHalfOpen: true })
      from.pipe(to).pipe(from)
      for (const end of [from, to]) end.on('error', () => [from, to].forEach((one) => one.destroy()))
    })
    await new Promise<void>((resolve) => address.listen(0, '127.0.0.1', resolve))
  }, runMsMax)
  afterAll(() => {
    address.close()
    rmSync(folder, { recursive: true, force: true })
  })

  function start(out: string, args: string[], override = socket!) {
    const hide = 'mount -t tmpfs tmpfs "$TMPDIR" && exec "$@"'
    const command = [process.execPath, cli, ...args, '--origin', 'reference', '--readers', '100', '--runtime', 'containers', '--out', out]
    const { port } = address.address() as AddressInfo
    const child = spawn('unshare', ['--mount', 'sh', '-c', hide, 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: hidden, DOCKER_HOST: `tcp://127.0.0.1:${port}`, TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE: override },
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
    return { child, exited, said: () => said }
  }

  const resultIn = (out: string) => JSON.parse(readFileSync(path.join(out, 'latest', 'result.json'), 'utf8')) as Result

  test('gets the harness, which judges as it does here; its report comes back, and nothing is left', async () => {
    const out = path.join(folder, 'sound')
    const run = start(out, ['restart-keeps-forks'])
    const own = await until(async () => ((await containers()).length >= 4 ? containers() : null), { for: 'its services', timeoutMs: runMsMax / 2, everyMs: 100 })
    // Of the machine's files they have nothing.
    const mounts = own.filter(({ Names }) => !Names[0]!.endsWith('-harness')).flatMap(({ Mounts }) => Mounts.map(({ Type }) => Type))
    expect([...new Set(mounts)]).toEqual(['volume'])
    expect(await run.exited, run.said()).toBe(2)
    const result = resultIn(out)
    expect(result).toMatchObject({ runtime: 'containers', runtimeBecause: expect.stringMatching(/^it was asked for \(.* at 127\.0\.0\.1:\d+, which does not see this machine's files, so that the harness ran in it, too\)$/) })
    expect(result.scenarios.map(({ verdict, because }) => `${verdict}: ${because}`)).toEqual([expect.stringMatching(/^pass/)])
    expect(run.said()).toContain(`Report ${path.relative(process.cwd(), path.join(out, result.runId, 'report.html'))}`)
    expect(readdirSync(out).toSorted()).toEqual([result.runId, 'latest'])
    expect(await left()).toEqual([])
  })

  test('is left with nothing by a run that is killed, and its report comes back all the same', async () => {
    const out = path.join(folder, 'killed')
    const run = start(out, ['kill-under-load'])
    const isOrigin = ({ Names }: { Names: string[] }) => Names[0]!.endsWith('.origin')
    await until(async () => (await containers()).some(isOrigin), { for: 'its origin', timeoutMs: runMsMax / 2, everyMs: 100 })
    process.kill(run.child.pid!, 'SIGKILL')
    await within(run.exited, { for: 'its end', timeoutMs: cleanWithinMs })
    await until(async () => (await left()).length === 0 && existsSync(path.join(out, 'latest', 'result.json')), { for: 'nothing to be left', timeoutMs: cleanWithinMs, everyMs: 100 })
    expect(resultIn(out).verdict).toBe('unknown')
  })

  test('gets it also where it does see them, and is asked to', async () => {
    const out = path.join(folder, 'asked')
    const args = ['incident-294-head-of-a-missing-stream', '--runtime', 'engine', '--origin', 'reference', '--out', out]
    const { exitCode, all } = await execa(process.execPath, [cli, ...args], { all: true, reject: false, timeout: runMsMax })
    expect(exitCode, all).toBe(2)
    const result = resultIn(out)
    expect(result).toMatchObject({ runtime: 'containers', runtimeBecause: expect.stringMatching(/, in which the harness ran, too\)$/) })
    expect(result.scenarios.map(({ verdict }) => verdict)).toEqual(['pass'])
    expect(await left()).toEqual([])
  })

  test('is told of in one sentence where it has no socket to give', async () => {
    const run = start(path.join(folder, 'none'), ['restart-keeps-forks'], '/no/such.sock')
    expect(await within(run.exited, { for: 'its end', timeoutMs: runMsMax / 2 })).toBe(64)
    expect(run.said()).toMatch(/^The container engine is elsewhere and has no socket at \/no\/such\.sock on its own machine: set TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE to its path there, or run without containers: --runtime processes\.$/m)
    expect(await left()).toEqual([])
    expect(existsSync(path.join(folder, 'none'))).toBe(false)
  })
})

function containers() {
  return engine!.docker.listContainers({ all: true, filters: { label: [elsewhereLabel] } })
}

async function left(): Promise<string[]> {
  const { Volumes } = await engine!.docker.listVolumes({ filters: { label: [elsewhereLabel] } })
  return [...(await containers()).flatMap(({ Names }) => Names), ...(Volumes ?? []).map(({ Name }) => Name)]
}
