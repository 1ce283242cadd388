/** Runs that end in every way there is: nothing of them may be left. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HarnessError } from '../../harness/errors.ts'
import { groupPids } from '../../harness/runtime/process-table.ts'
import { openProcessRuntime } from '../../harness/runtime/processes.ts'
import { runsFolder, sweepDeadRuns } from '../../harness/runtime/run-folder.ts'
import { until, within } from '../../harness/until.ts'
import type { HarnessPlan, HarnessReport } from './fixtures/harness.ts'
import { accepts, httpService, processesOfRun } from './services.ts'

const harnessProgram = fileURLToPath(new URL('./fixtures/harness.ts', import.meta.url))
const cleanWithinMs = 10_000
const scratch = mkdtempSync(path.join(tmpdir(), 'supervisor-test-'))
const usualTmpdir = process.env.TMPDIR
let runs = 0

// Temporary folders of these runs in a place of their own: other runs' tests cannot meet them.
beforeAll(() => void (process.env.TMPDIR = scratch))
afterAll(() => {
  if (usualTmpdir === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = usualTmpdir
  rmSync(scratch, { recursive: true })
})

interface StartedHarness extends HarnessReport {
  child: ChildProcess
  exited: Promise<{ code: number | null; signal: string | null }>
  runId: string
  logsDir: string
}

async function startHarness(onInterrupt: HarnessPlan['onInterrupt']): Promise<StartedHarness> {
  const runId = `supervisor-test-${process.pid}-${(runs += 1)}`
  const logsDir = path.join(scratch, 'logs', runId)
  const plan: HarnessPlan = { runId, logsDir, onInterrupt }
  const child = spawn(process.execPath, [harnessProgram, JSON.stringify(plan)], {
    // A group of its own, so that a terminal's Ctrl-C can be sent to all of it.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  )
  const line = new Promise<string>((resolve) => createInterface({ input: child.stdout! }).once('line', resolve))
  const report = JSON.parse(await within(line, { for: 'the harness to start', timeoutMs: 20_000 })) as HarnessReport
  return { ...report, child, exited, runId, logsDir }
}

async function isGone({ runId, ports, folder }: StartedHarness): Promise<boolean> {
  const open = await Promise.all(ports.map(accepts))
  return processesOfRun(runId).length === 0 && !open.includes(true) && !existsSync(path.dirname(folder))
}

async function expectRunning(harness: StartedHarness): Promise<void> {
  await until(() => accepts(harness.ports.at(-1)!), { for: 'the stray to listen', timeoutMs: 10_000 })
  expect(await Promise.all(harness.ports.map(accepts))).toEqual([true, true, true, true])
  expect(processesOfRun(harness.runId).length).toBe(4)
  expect(existsSync(harness.folder)).toBe(true)
}

function expectGone(harness: StartedHarness): Promise<true> {
  return until(() => isGone(harness), { for: 'everything of the run to be gone', timeoutMs: cleanWithinMs })
}

function supervisorLog({ logsDir }: StartedHarness): string {
  const file = path.join(logsDir, 'supervisor.log')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

test.each(['by itself', 'with its whole group'])('a harness killed %s leaves nothing, the stubborn and the stray included', async (how) => {
  const harness = await startHarness('die')
  await expectRunning(harness)
  process.kill(how === 'by itself' ? harness.child.pid! : -harness.child.pid!, 'SIGKILL')
  await expectGone(harness)
  const told = () => /ended 4 processes \(1 by SIGKILL\).* in \d+ ms/.test(supervisorLog(harness))
  await until(told, { for: 'the supervisor to tell what it did', timeoutMs: 2_000 })
})

test('a terminal that interrupts the whole group, without a handler, leaves nothing', async () => {
  const harness = await startHarness('die')
  process.kill(-harness.child.pid!, 'SIGINT')
  expect(await harness.exited).toEqual({ code: null, signal: 'SIGINT' })
  await expectGone(harness)
})

test('an interrupted harness that cleans up by itself leaves the supervisor nothing to do', async () => {
  const harness = await startHarness('dispose')
  process.kill(-harness.child.pid!, 'SIGINT')
  expect(await harness.exited).toEqual({ code: 130, signal: null })
  expect(await isGone(harness)).toBe(true)
  expect(supervisorLog(harness)).toBe('')
})

test('the supervisor outlives polite signals, and still cleans up', async () => {
  const harness = await startHarness('die')
  const supervisor = supervisorOf(harness.runId)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(supervisor, signal)
  harness.child.kill('SIGKILL')
  await expectGone(harness)
  await until(() => groupPids(supervisor).length === 0, { for: 'the supervisor to end', timeoutMs: 5_000 })
})

test('two runs at once share no port, and the end of one leaves the other alone', async () => {
  const [first, second] = await Promise.all([startHarness('die'), startHarness('die')])
  expect(new Set([...first.ports, ...second.ports]).size).toBe(8)
  first.child.kill('SIGKILL')
  await expectGone(first)
  await expectRunning(second)
  second.child.kill('SIGKILL')
  await expectGone(second)
})

test('a run whose supervisor dies hears of it, ends, and leaves nothing', async () => {
  const runId = `supervisor-test-${process.pid}-fault`
  const runtime = await openProcessRuntime({ runId, logsDir: path.join(scratch, 'logs', runId) })
  const port = await runtime.leasePort()
  const service = httpService('plain', port, { behaviour: 'serve', port })
  expect((await runtime.start(service)).ready).toBe(true)
  process.kill(supervisorOf(runId), 'SIGKILL')
  await until(() => runtime.fault.aborted, { for: 'the fault to be noticed', timeoutMs: 5_000 })
  expect(runtime.fault.reason).toBeInstanceOf(HarnessError)
  await expect(runtime.start(service)).rejects.toThrow('The supervisor of this run died (SIGKILL).')
  await runtime[Symbol.asyncDispose]()
  expect(processesOfRun(runId)).toEqual([])
  expect(existsSync(path.join(runsFolder(), runId))).toBe(false)
})

test('what a run left whose harness and supervisor both died is removed by the next run', async () => {
  const harness = await startHarness('die')
  await expectRunning(harness)
  process.kill(supervisorOf(harness.runId), 'SIGKILL')
  harness.child.kill('SIGKILL')
  await harness.exited
  expect(await Promise.all(harness.ports.map(accepts))).toContain(true)
  const runId = `supervisor-test-${process.pid}-next`
  await using _ = await openProcessRuntime({ runId, logsDir: path.join(scratch, 'logs', runId) })
  await expectGone(harness)
})

test('only runs that are surely dead are swept', async () => {
  const live = `supervisor-test-${process.pid}-live`
  await using runtime = await openProcessRuntime({ runId: live, logsDir: path.join(scratch, 'logs', live) })
  const folder = await runtime.temporaryFolder('data')
  const ended = { pid: 999_999_999, startTicks: 1 }
  const place = (JSON.parse(readFileSync(path.join(path.dirname(folder), 'owner.json'), 'utf8')) as { place: object }).place
  const runsAs = (runId: string, owner: object) => {
    mkdirSync(path.join(runsFolder(), runId))
    writeFileSync(path.join(runsFolder(), runId, 'owner.json'), JSON.stringify({ runId, harness: ended, supervisor: ended, ...owner }))
  }
  runsAs('dead', { place })
  runsAs('before-the-power-cut', { place: { ...place, bootId: 'another' }, harness: { pid: process.pid, startTicks: 1 } })
  runsAs('of-another-container', { place: { ...place, processNamespace: 'pid:[1]' } })
  runsAs('of-another-host', { place: { ...place, hostname: 'elsewhere', bootId: 'another' } })
  mkdirSync(path.join(runsFolder(), 'nobody-knows-whose'))
  await sweepDeadRuns()
  // The live run's supervisor sweeps as well, at its start: it may have claimed some.
  const kept = [live, 'nobody-knows-whose', 'of-another-container', 'of-another-host'].sort()
  await expect.poll(() => readdirSync(runsFolder()).sort(), { timeout: 5_000 }).toEqual(kept)
  expect(existsSync(folder)).toBe(true)
})

test('a folder of runs that is somebody else\'s is refused in one sentence', async () => {
  const place = mkdtempSync(path.join(scratch, 'refused-'))
  process.env.TMPDIR = place
  writeFileSync(runsFolder(), 'not a folder')
  const opening = openProcessRuntime({ runId: 'refused', logsDir: path.join(scratch, 'logs', 'refused') })
  await expect(opening).rejects.toThrow(/is not a folder of this user: remove it, or set TMPDIR/)
  process.env.TMPDIR = scratch
})

/** The supervisor noted beside the harness, in the run's folder. */
function supervisorOf(runId: string): number {
  const owner = JSON.parse(readFileSync(path.join(runsFolder(), runId, 'owner.json'), 'utf8')) as { supervisor: { pid: number } }
  return owner.supervisor.pid
}
