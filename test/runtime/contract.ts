/** What every runtime has to do, with real programs: one set of tests for processes and containers. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { Running, Runtime, Service, StartOutcome } from '../../harness/runtime/runtime.ts'
import { until, within } from '../../harness/until.ts'
import { accepts, fixtureService, httpService } from './services.ts'

/** unix(7): 108, with the zero at its end. */
const socketPathBytesMax = 107

/** statfs(2) */
const tmpfsType = 0x01021994

export interface RuntimeKind {
  open(options: { runId: string; logsDir: string; signal?: AbortSignal }): Promise<Runtime>
  /** Processes or containers of the run that are there now. */
  left(runId: string): number | Promise<number>
}

/** The runtime of the test under way. */
export interface UnderTest {
  runId: string
  runtime: Runtime
  logsDir: string
}

/** Opens a runtime for each test of the file, and closes it after it. */
export function runtimeForEach({ open, left }: RuntimeKind): UnderTest {
  const logsDir = mkdtempSync(path.join(tmpdir(), 'runtime-test-'))
  const underTest = { logsDir } as UnderTest
  let started = 0
  beforeEach(async () => {
    underTest.runId = `runtime-test-${process.pid}-${(started += 1)}`
    underTest.runtime = await open({ runId: underTest.runId, logsDir: path.join(logsDir, underTest.runId) })
  })
  afterEach(async () => {
    await underTest.runtime[Symbol.asyncDispose]()
    expect(await left(underTest.runId)).toBe(0)
  })
  afterAll(() => rmSync(logsDir, { recursive: true }))
  return underTest
}

export async function startReady(runtime: Runtime, service: Service) {
  const outcome = await runtime.start(service)
  if (!outcome.ready) throw new Error(outcome.because)
  return outcome.running
}

export function expectFailed(outcome: StartOutcome): Extract<StartOutcome, { ready: false }> {
  if (outcome.ready) throw new Error('it became ready')
  return outcome
}

async function strayIsThere(running: Running): Promise<void> {
  await until(async () => (await running.usage()).processes === 2, { for: 'the stray to be started', timeoutMs: 10_000 })
}

export function testRuntime({ open, left }: RuntimeKind, underTest: UnderTest): void {
  test('a service that answers is ready, keeps its log, and stops when asked', async () => {
    const port = await underTest.runtime.leasePort()
    const outcome = await underTest.runtime.start(httpService('plain', port, { behaviour: 'serve', port }))
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
    const port = await underTest.runtime.leasePort()
    const service = httpService('again', port, { behaviour: 'serve', port })
    await (await startReady(underTest.runtime, service)).kill()
    const second = await startReady(underTest.runtime, service)
    expect(await second.lastLogLines(10)).toEqual(['listening'])
    const log = readFileSync(second.logFile, 'utf8')
    expect(log.match(/--- .* start of .* ---/g)).toHaveLength(2)
    expect(log.match(/^listening$/gm)).toHaveLength(2)
  })

  test('a service that exits before it is ready is told at once, with its last words', async () => {
    const service = fixtureService('short', { behaviour: 'exit', code: 3, says: 'no such volume' }, {})
    const outcome = expectFailed(await underTest.runtime.start(service))
    expect(outcome).toMatchObject({ reason: 'exited', exit: { code: 3, expected: false } })
    expect(outcome.because).toBe('short ended with exit code 3 before it was ready.')
    expect(outcome.lastLogLines).toContain('no such volume')
    expect(outcome.waitedMs).toBeLessThan(10_000)
  })

  test('a program that does not exist is not started', async () => {
    const service = { ...fixtureService('none', { behaviour: 'hang' }, {}), program: '/no/such/program' }
    expect(expectFailed(await underTest.runtime.start(service))).toMatchObject({ reason: 'not-started', exit: null })
    const elsewhere = { ...fixtureService('none', { behaviour: 'hang' }, {}), cwd: '/no/such/folder' }
    expect(expectFailed(await underTest.runtime.start(elsewhere)).because).toContain('there is no such folder')
  })

  test('a start that hangs is ended at its deadline, with its stacks in the lines', async () => {
    const port = await underTest.runtime.leasePort()
    const service = httpService('stuck', port, { behaviour: 'hang' }, { readyWithinMs: 3_000, stackSignal: 'SIGQUIT' })
    const outcome = expectFailed(await underTest.runtime.start(service))
    expect(outcome.reason).toBe('deadline')
    expect(outcome.because).toContain(`port ${port}`)
    expect(outcome.waitedMs).toBeGreaterThanOrEqual(3_000)
    expect(outcome.lastLogLines).toEqual(['goroutine 1 [select]:', 'stuck.here()'])
    expect(outcome.exit).toMatchObject({ expected: true })
  })

  test('a service that answers something else until its deadline is told with that answer', async () => {
    const port = await underTest.runtime.leasePort()
    const service = httpService('refusing', port, { behaviour: 'serve', port, answers: 503 }, { readyWithinMs: 4_000 })
    const { because } = expectFailed(await underTest.runtime.start(service))
    expect(because).toContain(`GET /ready on port ${port} to be answered with 200, and it was 503`)
  })

  test('a service that leaves one of its ports closed is not ready', async () => {
    const [port, other] = [await underTest.runtime.leasePort(), await underTest.runtime.leasePort()]
    const service = httpService('half', port, { behaviour: 'serve', port }, { ports: [port, other], readyWithinMs: 4_000 })
    const outcome = expectFailed(await underTest.runtime.start(service))
    expect(outcome).toMatchObject({ reason: 'deadline', because: expect.stringContaining(`its socket on port ${other}`) })
  })

  test('a stop that outlasts its grace becomes a kill and says so', async () => {
    const port = await underTest.runtime.leasePort()
    const behaviour = { behaviour: 'serve', port, ignores: 'SIGTERM' } as const
    const running = await startReady(underTest.runtime, httpService('stubborn', port, behaviour))
    const { exit, killed, tookMs } = await running.stop({ graceMs: 300 })
    expect({ exit, killed }).toMatchObject({ exit: { signal: 'SIGKILL', expected: true }, killed: true })
    expect(tookMs).toBeGreaterThanOrEqual(300)
    expect(await running.lastLogLines(1)).toEqual(['ignored SIGTERM'])
    expect(await accepts(port)).toBe(false)
  })

  test('a crash is not an expected exit, even when it is stopped or killed afterwards', async () => {
    const port = await underTest.runtime.leasePort()
    const running = await startReady(underTest.runtime, httpService('crashing', port, { behaviour: 'crash', port, afterMs: 1_500 }))
    const exit = await within(running.exited, { for: 'the crash', timeoutMs: 5_000 })
    expect(exit).toMatchObject({ code: 7, expected: false })
    expect(running.isRunning()).toBe(false)
    expect(await running.stop()).toMatchObject({ exit: { code: 7, expected: false }, killed: false, tookMs: 0 })
    expect(await running.kill()).toMatchObject({ code: 7, expected: false })
  })

  test.each([true, false])('a kill reaches a descendant in a session of its own (environment kept: %s)', async (keepsEnvironment) => {
    const [port, strayPort] = [await underTest.runtime.leasePort(), await underTest.runtime.leasePort()]
    const running = await startReady(underTest.runtime, httpService('stray', port, { behaviour: 'stray', port, strayPort, keepsEnvironment }))
    await strayIsThere(running)
    const exit = await running.kill()
    expect(exit).toMatchObject({ signal: 'SIGKILL', expected: true })
    await until(async () => !(await accepts(strayPort)), { for: 'the stray to be gone', timeoutMs: 2_000 })
  })

  test('what a service leaves behind when it stops is ended too', async () => {
    const [port, strayPort] = [await underTest.runtime.leasePort(), await underTest.runtime.leasePort()]
    const running = await startReady(underTest.runtime, httpService('stray', port, { behaviour: 'stray', port, strayPort, keepsEnvironment: true }))
    await strayIsThere(running)
    await running.stop()
    expect(await accepts(strayPort)).toBe(false)
  })

  test('sockets have a folder with a short path', async () => {
    const socket = path.join(await underTest.runtime.socketFolder(), 'admin.sock')
    expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(socketPathBytesMax)
    const server = createServer().listen(socket)
    await once(server, 'listening')
    await new Promise((resolve) => server.close(resolve))
  })

  test('usage is that of the service, and tells its data files apart', async () => {
    const folder = await underTest.runtime.temporaryFolder('data')
    const file = path.join(folder, 'segment')
    writeFileSync(file, '')
    const port = await underTest.runtime.leasePort()
    const running = await startReady(underTest.runtime, httpService('using', port, { behaviour: 'serve', port, opens: file }))
    const usage = await running.usage(folder)
    expect(usage).toMatchObject({ processes: 1, openDataFiles: 1 })
    expect(usage.rssBytes).toBeGreaterThan(20 * 1024 ** 2)
    expect(usage.rssBytes).toBeLessThan(500 * 1024 ** 2)
    expect(usage.threads).toBeGreaterThan(1)
    expect(usage.openFiles).toBeGreaterThan(3)
    expect(usage.openFiles).toBeLessThan(usage.openFilesMax)
    expect((await running.usage()).openDataFiles).toBe(0)
  })

  test('usage counts processor time, what goes to a disk, and all that is read and written', async () => {
    const folder = await underTest.runtime.temporaryFolder('stored')
    const port = await underTest.runtime.leasePort()
    const running = await startReady(underTest.runtime, httpService('counted', port, { behaviour: 'eat', port, stores: path.join(folder, 'file') }))
    const ask = (what: string) => fetch(`http://127.0.0.1:${port}/${what}`).then((answer) => answer.text())
    const [before, loopbackBefore] = [await running.usage(), await underTest.runtime.loopbackBytes()]
    const bytes = 4 * 1024 ** 2
    const startedAt = performance.now()
    // A busy machine gives it less of a processor than it asks for.
    const hasWorked = async () => {
      await ask('work?200')
      return (await running.usage()).cpuMs - before.cpuMs >= 200
    }
    await until(hasWorked, { for: '200 ms of work', timeoutMs: 20_000 })
    await ask(`store?${bytes}`)
    const after = await running.usage()
    const grown = (name: 'cpuMs' | 'diskWrittenBytes' | 'writtenBytes' | 'readBytes') => after[name] - before[name]
    expect(grown('cpuMs')).toBeLessThan((performance.now() - startedAt) * availableParallelism() + 50)
    expect(grown('writtenBytes')).toBeGreaterThanOrEqual(bytes)
    expect(grown('readBytes')).toBeGreaterThan(0)
    // What is in memory only has no disk.
    const isOnDisk = statfsSync(folder).type !== tmpfsType
    expect(grown('diskWrittenBytes')).toBeGreaterThanOrEqual(isOnDisk ? bytes : 0)
    expect((await underTest.runtime.loopbackBytes())! - loopbackBefore!).toBeGreaterThan(100)
  })

  test('a paused service answers nothing until it is resumed', async () => {
    const port = await underTest.runtime.leasePort()
    const running = await startReady(underTest.runtime, httpService('pausing', port, { behaviour: 'serve', port }))
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

  const eater = async (limitable: boolean) => {
    const port = await underTest.runtime.leasePort()
    const running = await startReady(underTest.runtime, httpService('eater', port, { behaviour: 'eat', port }, { limitable }))
    const ask = (what: string) => fetch(`http://127.0.0.1:${port}/${what}`).then((answer) => answer.text(), () => 'no answer')
    return { running, ask }
  }

  test('a service that needs more memory than its limit is ended by the kernel, and the limit counts it', async ({ skip }) => {
    const lacking = await underTest.runtime.lacks('memory-limit')
    skip(lacking !== null, `NOT TESTED, a limit of memory: ${lacking}`)
    const { running, ask } = await eater(true)
    const { memoryBytes } = await running.limitCounters()
    expect(memoryBytes).toBeGreaterThan(5 * 1024 ** 2)
    await running.limit({ memoryBytes: memoryBytes + 64 * 1024 ** 2 })
    expect(await ask(`take?${16 * 1024 ** 2}`)).toBe('0')
    expect((await running.limitCounters()).memoryPeakBytes).toBeGreaterThan(memoryBytes + 15 * 1024 ** 2)
    // Lifted, it takes what it was not given before.
    await running.limit({ memoryBytes: null })
    expect(await ask(`take?${128 * 1024 ** 2}`)).toBe('0')
    const now = await running.limitCounters()
    await running.limit({ memoryBytes: now.memoryBytes + 32 * 1024 ** 2 })
    const asked = ask(`take?${256 * 1024 ** 2}`)
    await until(async () => !running.isRunning() || (await running.limitCounters()).memoryHits > now.memoryHits, { for: 'the limit to be met', timeoutMs: 20_000, everyMs: 5 })
    expect(await asked).toBe('no answer')
    expect(await running.exited).toMatchObject({ signal: 'SIGKILL', expected: false })
  })

  test('a service with a share of a processor is throttled, and works on when that is lifted', async ({ skip }) => {
    const lacking = await underTest.runtime.lacks('cpu-limit')
    skip(lacking !== null, `NOT TESTED, a limit of processors: ${lacking}`)
    const { running, ask } = await eater(true)
    const before = { ...(await running.limitCounters()), cpuMs: (await running.usage()).cpuMs }
    await running.limit({ cpus: 0.1 })
    await ask('work?1500')
    const limited = { ...(await running.limitCounters()), cpuMs: (await running.usage()).cpuMs }
    expect(limited.cpuThrottled).toBeGreaterThan(before.cpuThrottled + 5)
    // A tenth of 1,500 ms, and what a period more or less makes.
    expect(limited.cpuMs - before.cpuMs).toBeLessThan(700)
    await running.limit({ cpus: null })
    const { cpuThrottled } = await running.limitCounters()
    await ask('work?500')
    expect((await running.limitCounters()).cpuThrottled).toBeLessThanOrEqual(cpuThrottled + 1)
  })

  test('a volume of its own size can be full while the rest is not, and has room again', async ({ skip }) => {
    const lacking = await underTest.runtime.lacks('limited-volume')
    skip(lacking !== null, `NOT TESTED, a volume of its own size: ${lacking}`)
    const volume = await underTest.runtime.limitedVolume('small', 4 * 1024 ** 2)
    const file = path.join(volume.path, 'data')
    writeFileSync(file, 'a')
    expect(await volume.freeBytes()).toBe(4 * 1024 ** 2 - 4_096)
    await volume.fill()
    expect(await volume.freeBytes()).toBe(0)
    // As a service sees it, which in a container is not this process's view.
    const script = `try { require('node:fs').writeFileSync(${JSON.stringify(`${file}-more`)}, 'a'.repeat(8192)); console.log('written') } catch (error) { console.log(error.code) }`
    const write = async () => {
      const writing = await underTest.runtime.converse('writing', process.execPath, ['--eval', script])
      for await (const line of writing.lines) return line
      return 'nothing'
    }
    expect(await write()).toBe('ENOSPC')
    await volume.drain()
    expect(await write()).toBe('written')
    await underTest.runtime[Symbol.asyncDispose]()
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(volume.path)
    expect(existsSync(volume.path)).toBe(false)
  })

  test('a disk whose power is cut holds what was forced to it, and nothing else', async ({ skip }) => {
    const lacking = await underTest.runtime.lacks('disk')
    skip(lacking !== null, `NOT TESTED, a disk of its own: ${lacking}`)
    const disk = await underTest.runtime.disk('powered', 16 * 1024 ** 2)
    const script = `
      const { openSync, writeSync, fsyncSync, readdirSync } = require('node:fs')
      const write = (name, forced) => {
        const file = openSync(${JSON.stringify(disk.path)} + '/' + name, 'a')
        writeSync(file, 'a'.repeat(5000))
        if (forced) fsyncSync(file)
      }
      console.log(readdirSync(${JSON.stringify(disk.path)}).filter((name) => name.startsWith('own')).join())
      for (const name of process.argv.slice(1)) write(name, name.endsWith('forced'))
      console.log('written')`
    // As a service sees it, which in a container is not this process's view.
    const work = async (...names: string[]) => {
      const working = await underTest.runtime.converse('working', process.execPath, ['--eval', script, '--', ...names])
      const lines = await Array.fromAsync(working.lines)
      expect(lines.at(-1)).toBe('written')
      return lines[0]
    }
    expect(await work('own-1-forced', 'own-2')).toBe('')
    expect(await disk.cutPower()).toMatchObject({ kept: true, lost: true })
    expect(await work('own-3')).toBe('own-1-forced')
    expect(await disk.cutPower()).toMatchObject({ kept: true, lost: true })
    expect(await work()).toBe('own-1-forced')
    await underTest.runtime[Symbol.asyncDispose]()
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(disk.path)
    expect(existsSync(disk.path)).toBe(false)
  })

  test('two services of one name at a time have a log each', async () => {
    const [port, other] = [await underTest.runtime.leasePort(), await underTest.runtime.leasePort()]
    const first = await startReady(underTest.runtime, httpService('twin', port, { behaviour: 'serve', port }))
    const second = await startReady(underTest.runtime, httpService('twin', other, { behaviour: 'serve', port: other }))
    expect(first.logFile).not.toBe(second.logFile)
  })

  test('closing ends everything and removes the folders, twice without harm', async () => {
    const port = await underTest.runtime.leasePort()
    const folder = await underTest.runtime.temporaryFolder('data')
    const running = await startReady(underTest.runtime, httpService('left', port, { behaviour: 'serve', port, ignores: 'SIGTERM' }))
    await underTest.runtime[Symbol.asyncDispose]()
    await underTest.runtime[Symbol.asyncDispose]()
    expect(await running.exited).toMatchObject({ signal: 'SIGKILL', expected: true })
    expect(existsSync(folder)).toBe(false)
    expect(underTest.runtime.fault.aborted).toBe(false)
    await expect(underTest.runtime.start(httpService('after', port, { behaviour: 'serve', port }))).rejects.toThrow(/closed/)
  })

  test('an aborted run ends the start under way', async () => {
    const controller = new AbortController()
    const ownId = `${underTest.runId}-aborted`
    await using aborted = await open({ runId: ownId, logsDir: path.join(underTest.logsDir, ownId), signal: controller.signal })
    const before = await left(ownId)
    const outcome = aborted.start(fixtureService('stuck', { behaviour: 'hang' }, { readyWithinMs: 30_000 }))
    await until(async () => (await left(ownId)) > before, { for: 'the service to be started', timeoutMs: 5_000 })
    controller.abort(new Error('interrupted'))
    await expect(outcome).rejects.toThrow('interrupted')
    expect(await left(ownId)).toBe(before)
  })
}
