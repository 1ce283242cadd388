/** The runtime of plain processes, with real programs. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { HarnessError } from '../../harness/errors.ts'
import { openProcessRuntime } from '../../harness/runtime/processes.ts'
import type { Runtime, Service, StartOutcome } from '../../harness/runtime/runtime.ts'
import { until, within } from '../../harness/until.ts'
import { serviceProgram } from './fixtures/service.ts'
import { accepts, fixtureService, httpService, processesOfRun } from './services.ts'

const logsDir = mkdtempSync(path.join(tmpdir(), 'runtime-test-'))
let runId: string
let runtime: Runtime
let started = 0

beforeEach(async () => {
  runId = `processes-test-${process.pid}-${(started += 1)}`
  runtime = await openProcessRuntime({ runId, logsDir: path.join(logsDir, runId) })
})
afterEach(async () => {
  await runtime[Symbol.asyncDispose]()
  expect(processesOfRun(runId)).toEqual([])
})
afterAll(() => rmSync(logsDir, { recursive: true }))

async function startReady(service: Service) {
  const outcome = await runtime.start(service)
  if (!outcome.ready) throw new Error(outcome.because)
  return outcome.running
}

function expectFailed(outcome: StartOutcome): Extract<StartOutcome, { ready: false }> {
  if (outcome.ready) throw new Error('it became ready')
  return outcome
}

test('a service that answers is ready, keeps its log, and stops when asked', async () => {
  const port = await runtime.leasePort()
  const outcome = await runtime.start(httpService('plain', port, { behaviour: 'serve', port }))
  if (!outcome.ready) throw new Error(outcome.because)
  expect(outcome.readyMs).toBeGreaterThan(0)
  expect(await accepts(port)).toBe(true)
  const { exit, killed } = await outcome.running.stop()
  expect(exit).toMatchObject({ code: null, signal: 'SIGTERM', expected: true })
  expect(killed).toBe(false)
  expect(await outcome.running.lastLogLines(5)).toEqual(['listening'])
  expect(await accepts(port)).toBe(false)
})

test('the log of a second start follows the first, told apart', async () => {
  const port = await runtime.leasePort()
  const service = httpService('again', port, { behaviour: 'serve', port })
  await (await startReady(service)).kill()
  const second = await startReady(service)
  expect(await second.lastLogLines(10)).toEqual(['listening'])
  const log = readFileSync(second.logFile, 'utf8')
  expect(log.match(/--- .* start of .* ---/g)).toHaveLength(2)
  expect(log.match(/^listening$/gm)).toHaveLength(2)
})

test('a service that exits before it is ready is told at once, with its last words', async () => {
  const service = fixtureService('short', { behaviour: 'exit', code: 3, says: 'no such volume' }, {})
  const outcome = expectFailed(await runtime.start(service))
  expect(outcome).toMatchObject({ reason: 'exited', exit: { code: 3, expected: false } })
  expect(outcome.because).toBe('short ended with exit code 3 before it was ready.')
  expect(outcome.lastLogLines).toContain('no such volume')
  expect(outcome.waitedMs).toBeLessThan(5_000)
})

test('a program that does not exist is not started', async () => {
  const service = { ...fixtureService('none', { behaviour: 'hang' }, {}), program: '/no/such/program' }
  expect(expectFailed(await runtime.start(service))).toMatchObject({ reason: 'not-started', exit: null })
  const elsewhere = { ...fixtureService('none', { behaviour: 'hang' }, {}), cwd: '/no/such/folder' }
  expect(expectFailed(await runtime.start(elsewhere)).because).toContain('there is no such folder')
})

test('a start that hangs is ended at its deadline, with its stacks in the lines', async () => {
  const port = await runtime.leasePort()
  const service = httpService('stuck', port, { behaviour: 'hang' }, { readyWithinMs: 700, stackSignal: 'SIGQUIT' })
  const outcome = expectFailed(await runtime.start(service))
  expect(outcome.reason).toBe('deadline')
  expect(outcome.because).toContain(`GET /ready on port ${port} to be answered with 200`)
  expect(outcome.waitedMs).toBeGreaterThanOrEqual(700)
  expect(outcome.waitedMs).toBeLessThan(1_500)
  expect(outcome.lastLogLines).toEqual(['goroutine 1 [select]:', 'stuck.here()'])
  expect(outcome.exit).toMatchObject({ expected: true })
})

test('a service that answers something else until its deadline is told with that answer', async () => {
  const port = await runtime.leasePort()
  const service = httpService('refusing', port, { behaviour: 'serve', port, answers: 503 }, { readyWithinMs: 2_000 })
  const { because } = expectFailed(await runtime.start(service))
  expect(because).toContain(`GET /ready on port ${port} to be answered with 200, and it was 503`)
})

test('a service that leaves one of its ports closed is not ready', async () => {
  const [port, other] = [await runtime.leasePort(), await runtime.leasePort()]
  const service = httpService('half', port, { behaviour: 'serve', port }, { ports: [port, other], readyWithinMs: 4_000 })
  const outcome = expectFailed(await runtime.start(service))
  expect(outcome).toMatchObject({ reason: 'deadline', because: expect.stringContaining(`its socket on port ${other}`) })
})

test('a port that another program has is told, with that program', async () => {
  const port = await runtime.leasePort()
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve))
  try {
    const outcome = expectFailed(await runtime.start(httpService('late', port, { behaviour: 'serve', port })))
    expect(outcome.reason).toBe('port-taken')
    expect(outcome.because).toContain(`port ${port} is listened on by process ${process.pid} (`)
    expect(outcome.exit).toMatchObject({ code: 1, expected: false })
    expect(outcome.lastLogLines.join()).toContain('EADDRINUSE')
  } finally {
    holder.close()
  }
})

test.each([
  ['answers in its place', 200],
  ['leaves it to answer now and then', 503],
])('a port that another program silently shares is told as taken: it %s', async (_, answers) => {
  const port = await runtime.leasePort()
  const plan = JSON.stringify({ behaviour: 'serve', port, reusePort: true, answers })
  const sharer = spawn(process.execPath, [serviceProgram, plan], { stdio: 'ignore' })
  const exited = new Promise((resolve) => sharer.once('exit', resolve))
  try {
    await until(() => accepts(port), { for: 'the sharer to listen', timeoutMs: 10_000 })
    const service = httpService('sharing', port, { behaviour: 'serve', port, reusePort: true })
    const outcome = expectFailed(await runtime.start(service))
    expect(outcome).toMatchObject({ reason: 'port-taken', because: expect.stringContaining(`process ${sharer.pid} (`) })
  } finally {
    sharer.kill('SIGKILL')
    await exited
  }
  const alone = await startReady(httpService('sharing', port, { behaviour: 'serve', port, reusePort: true }))
  expect(alone.isRunning()).toBe(true)
})

test('a stop that outlasts its grace becomes a kill and says so', async () => {
  const port = await runtime.leasePort()
  const behaviour = { behaviour: 'serve', port, ignores: 'SIGTERM' } as const
  const running = await startReady(httpService('stubborn', port, behaviour))
  const { exit, killed, tookMs } = await running.stop({ graceMs: 300 })
  expect({ exit, killed }).toMatchObject({ exit: { signal: 'SIGKILL', expected: true }, killed: true })
  expect(tookMs).toBeGreaterThanOrEqual(300)
  expect(await running.lastLogLines(1)).toEqual(['ignored SIGTERM'])
  expect(await accepts(port)).toBe(false)
})

test('a crash is not an expected exit, even when it is stopped or killed afterwards', async () => {
  const port = await runtime.leasePort()
  const running = await startReady(httpService('crashing', port, { behaviour: 'crash', port, afterMs: 300 }))
  const exit = await within(running.exited, { for: 'the crash', timeoutMs: 5_000 })
  expect(exit).toMatchObject({ code: 7, expected: false })
  expect(running.isRunning()).toBe(false)
  expect(await running.stop()).toMatchObject({ exit: { code: 7, expected: false }, killed: false, tookMs: 0 })
  expect(await running.kill()).toMatchObject({ code: 7, expected: false })
})

test.each([true, false])('a kill reaches a descendant in a session of its own (environment kept: %s)', async (keepsEnvironment) => {
  const [port, strayPort] = [await runtime.leasePort(), await runtime.leasePort()]
  const running = await startReady(httpService('stray', port, { behaviour: 'stray', port, strayPort, keepsEnvironment }))
  await until(() => accepts(strayPort), { for: 'the stray to listen', timeoutMs: 10_000 })
  expect((await running.usage()).processes).toBe(2)
  const exit = await running.kill()
  expect(exit).toMatchObject({ signal: 'SIGKILL', expected: true })
  await until(async () => !(await accepts(strayPort)), { for: 'the stray to be gone', timeoutMs: 2_000 })
})

test('what a service leaves behind when it stops is ended too', async () => {
  const [port, strayPort] = [await runtime.leasePort(), await runtime.leasePort()]
  const running = await startReady(httpService('stray', port, { behaviour: 'stray', port, strayPort, keepsEnvironment: true }))
  await until(() => accepts(strayPort), { for: 'the stray to listen', timeoutMs: 10_000 })
  await running.stop()
  expect(await accepts(strayPort)).toBe(false)
})

test('usage is that of the service, and tells its data files apart', async () => {
  const folder = await runtime.temporaryFolder('data')
  const file = path.join(folder, 'segment')
  writeFileSync(file, '')
  const port = await runtime.leasePort()
  const running = await startReady(httpService('using', port, { behaviour: 'serve', port, opens: file }))
  const usage = await running.usage(folder)
  expect(usage).toMatchObject({ processes: 1, openDataFiles: 1 })
  expect(usage.rssBytes).toBeGreaterThan(20 * 1024 ** 2)
  expect(usage.rssBytes).toBeLessThan(500 * 1024 ** 2)
  expect(usage.threads).toBeGreaterThan(1)
  expect(usage.openFiles).toBeGreaterThan(3)
  expect(usage.openFiles).toBeLessThan(usage.openFilesMax)
  expect((await running.usage()).openDataFiles).toBe(0)
})

test('a paused service answers nothing until it is resumed', async () => {
  const port = await runtime.leasePort()
  const running = await startReady(httpService('pausing', port, { behaviour: 'serve', port }))
  await running.pause()
  const answer = fetch(`http://127.0.0.1:${port}/ready`).then(({ status }) => status)
  const { promise: patience, resolve } = Promise.withResolvers<string>()
  setTimeout(() => resolve('no answer'), 200)
  expect(await Promise.race([answer, patience])).toBe('no answer')
  await running.resume()
  expect(await answer).toBe(200)
  await running.pause()
  expect(await running.kill()).toMatchObject({ signal: 'SIGKILL', expected: true })
})

test('two services of one name at a time have a log each', async () => {
  const [port, other] = [await runtime.leasePort(), await runtime.leasePort()]
  const first = await startReady(httpService('twin', port, { behaviour: 'serve', port }))
  const second = await startReady(httpService('twin', other, { behaviour: 'serve', port: other }))
  expect(first.logFile).not.toBe(second.logFile)
})

test('a log is cut when it grows beyond its bound', async () => {
  const service = fixtureService('talker', { behaviour: 'talk', bytes: 60_000_000 }, { ready: { kind: 'line', text: 'the last line' } })
  const running = await startReady({ ...service, readyWithinMs: 30_000 })
  const isCut = () => readFileSync(running.logFile, 'latin1').includes('log cut: its first')
  await until(isCut, { for: 'the log to be cut', timeoutMs: 10_000, everyMs: 100 })
  expect(readFileSync(running.logFile).length).toBeLessThan(6 * 1024 ** 2)
  expect(await running.lastLogLines(1)).toEqual(['the last line'])
})

test('a short program runs to its end, or is ended at its deadline', async () => {
  const result = await runtime.run('/bin/sh', ['-c', 'echo out; echo err >&2; exit 5'], { timeoutMs: 5_000 })
  expect(result).toEqual({ code: 5, stdout: 'out\n', stderr: 'err\n' })
  const endless = runtime.run('/bin/sh', ['-c', 'sleep 60 & sleep 60'], { timeoutMs: 200 })
  await expect(endless).rejects.toThrow(/did not end within 200 ms/)
  expect(processesOfRun(runId)).toEqual([])
  await expect(runtime.run('/no/such/program', [], { timeoutMs: 1_000 })).rejects.toThrow(HarnessError)
})

test('nothing of the environment reaches a service', async () => {
  const { stdout } = await runtime.run('/usr/bin/env', [], { timeoutMs: 5_000 })
  const names = stdout.split('\n').filter(Boolean).map((line) => line.split('=')[0])
  expect(names.sort()).toEqual(['DURABLE_STREAMS_SIMULATION_RUN', 'DURABLE_STREAMS_SIMULATION_SERVICE', 'LANG', 'PATH'])
})

test('a conversation goes line by line and ends with its input', async () => {
  const conversation = await runtime.converse('cat', '/bin/cat', [])
  const lines: string[] = []
  conversation.write('one')
  conversation.write('two')
  conversation.end()
  for await (const line of conversation.lines) lines.push(line)
  expect(lines).toEqual(['one', 'two'])
  expect(await conversation.exited).toMatchObject({ code: 0 })
})

test('a spawned program is talked to by its streams, and its log keeps what it complains of', async () => {
  const program = await runtime.spawn('speaker', '/bin/sh', ['-c', 'read line; echo "$line"; echo oh no >&2; exit 4'])
  program.stdin.write('hello\n')
  const [said, complained] = await Promise.all([text(program.stdout), text(program.stderr)])
  expect([said, complained]).toEqual(['hello\n', 'oh no\n'])
  expect(await program.exited).toMatchObject({ code: 4, expected: false })
  expect(readFileSync(path.join(logsDir, runId, 'speaker.log'), 'utf8')).toContain('oh no')
})

test('closing ends everything and removes the folders, twice without harm', async () => {
  const port = await runtime.leasePort()
  const folder = await runtime.temporaryFolder('data')
  const running = await startReady(httpService('left', port, { behaviour: 'serve', port, ignores: 'SIGTERM' }))
  await runtime[Symbol.asyncDispose]()
  await runtime[Symbol.asyncDispose]()
  expect(await running.exited).toMatchObject({ signal: 'SIGKILL', expected: true })
  expect(existsSync(folder)).toBe(false)
  expect(runtime.fault.aborted).toBe(false)
  await expect(runtime.start(httpService('after', port, { behaviour: 'serve', port }))).rejects.toThrow(/closed/)
})

test('an aborted run ends the start under way', async () => {
  const controller = new AbortController()
  const ownId = `${runId}-aborted`
  await using aborted = await openProcessRuntime({ runId: ownId, logsDir: path.join(logsDir, ownId), signal: controller.signal })
  const outcome = aborted.start(fixtureService('stuck', { behaviour: 'hang' }, { readyWithinMs: 30_000 }))
  await until(() => processesOfRun(ownId).length > 0, { for: 'the service to be started', timeoutMs: 5_000 })
  controller.abort(new Error('interrupted'))
  await expect(outcome).rejects.toThrow('interrupted')
  expect(processesOfRun(ownId)).toEqual([])
})
