/** The runtime of containers, with real ones, where an engine answers. */
import { createServer } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { openContainerRuntime } from '../../harness/runtime/containers.ts'
import type { Engine } from '../../harness/runtime/engine.ts'
import { runLabel } from '../../harness/runtime/engine-cleanup.ts'
import { expectFailed, runtimeForEach, startReady, testRuntime, type RuntimeKind } from './contract.ts'
import { engine, imagesForTests } from './engine-for-tests.ts'
import { until } from '../../harness/until.ts'
import { accepts, httpService } from './services.ts'

const imagesMsMax = 600_000

describe.skipIf(engine === null)('containers', () => {
  const containers: RuntimeKind = {
    open: (options) => openContainerRuntime({ ...options, engine: engine!, images: () => imagesForTests() }),
    left: (runId) => containersOf(engine!, runId),
  }
  // Made once; with a slow mirror that takes its time.
  beforeAll(async () => void (await imagesForTests()), imagesMsMax)
  const underTest = runtimeForEach(containers)
  testRuntime(containers, underTest)

  test('a port that a program of this host has is told, and the service does not stay', async () => {
    const port = await underTest.runtime.leasePort()
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve))
    try {
      const outcome = expectFailed(await underTest.runtime.start(httpService('late', port, { behaviour: 'serve', port })))
      expect(outcome).toMatchObject({ reason: 'port-taken', because: expect.stringContaining(`port ${port} of this host`) })
    } finally {
      holder.close()
    }
  })

  test('a port that another service of the world silently shares is told as taken', async () => {
    const port = await underTest.runtime.leasePort()
    const service = (id: string) => httpService(id, port, { behaviour: 'serve', port, reusePort: true })
    await startReady(underTest.runtime, service('first'))
    const outcome = expectFailed(await underTest.runtime.start(service('second')))
    expect(outcome).toMatchObject({ reason: 'port-taken', because: expect.stringContaining(`port ${port} is listened on by process`) })
  })

  test('services meet on the loopback of a namespace of their own, and nothing else is there', async () => {
    const port = await underTest.runtime.leasePort()
    await startReady(underTest.runtime, httpService('inside', port, { behaviour: 'serve', port }))
    const script = `
      const { networkInterfaces } = require('node:os')
      fetch('http://127.0.0.1:${port}/ready').then((answer) => console.log(answer.status, Object.keys(networkInterfaces()).join()))`
    const asking = await underTest.runtime.converse('asking', process.execPath, ['--eval', script])
    const lines: string[] = []
    for await (const line of asking.lines) lines.push(line)
    expect(lines).toEqual(['200 lo'])
    expect(await asking.exited).toMatchObject({ code: 0 })
  })

  test('a conversation goes line by line and ends with its input; what it complains of is in its log', async () => {
    const script = 'process.stdin.on("data", (line) => process.stdout.write(line)).on("end", () => console.error("over"))'
    const conversation = await underTest.runtime.converse('echo', process.execPath, ['--eval', script])
    conversation.write('one')
    conversation.write('two')
    conversation.end()
    const lines: string[] = []
    for await (const line of conversation.lines) lines.push(line)
    expect(lines).toEqual(['one', 'two'])
    expect(await conversation.exited).toMatchObject({ code: 0, signal: null })
    expect(await conversation.lastLogLines(1)).toEqual(['over'])
  })

  test('what is told of a service is what the engine counts of its container', async () => {
    const port = await underTest.runtime.leasePort()
    const running = await startReady(underTest.runtime, httpService('weighed', port, { behaviour: 'eat', port }))
    await fetch(`http://127.0.0.1:${port}/take?${64 * 1024 ** 2}`)
    const hasWorked = async () => {
      await fetch(`http://127.0.0.1:${port}/work?500`)
      return (await running.usage()).cpuMs > 500
    }
    await until(hasWorked, { for: 'half a second of work', timeoutMs: 20_000 })
    const container = await containerOf(underTest.runId, 'weighed')
    const [told, counted] = [await running.usage(), await container.stats({ stream: false, 'one-shot': true })]
    const { cpu_stats: cpu, memory_stats: memory, pids_stats: pids } = counted
    // Ticks of 10 ms, of two processes, and what ran between the two questions.
    expect(Math.abs(told.cpuMs - cpu.cpu_usage.total_usage / 1e6)).toBeLessThan(150)
    // The engine counts the files that it has read, too, and what its program shares with nobody here.
    expect(told.ownBytes).toBeGreaterThan(64 * 1024 ** 2)
    expect(told.ownBytes).toBeLessThan(memory.usage + 8 * 1024 ** 2)
    // With the engine's own init.
    expect(Math.abs(pids!.current! - told.threads)).toBeLessThanOrEqual(3)
  })

  test('a service is refused from outside as soon as it is down', async () => {
    const port = await underTest.runtime.leasePort()
    const running = await startReady(underTest.runtime, httpService('down', port, { behaviour: 'serve', port }))
    expect(await accepts(port)).toBe(true)
    await running.kill()
    expect(await accepts(port)).toBe(false)
  })

  test('a program of the host runs beside a service in its container', async () => {
    const port = await underTest.runtime.leasePort()
    await startReady(underTest.runtime, httpService('beside', port, { behaviour: 'serve', port }))
    const result = await underTest.runtime.run(process.execPath, ['--eval', 'console.log(process.ppid); process.exit(5)'], { timeoutMs: 20_000, beside: 'beside' })
    expect(result).toMatchObject({ code: 5, stdout: '0\n' })
  })

  test('nothing of the environment reaches a program', async () => {
    const asking = await underTest.runtime.converse('asking', process.execPath, ['--eval', 'console.log(Object.keys(process.env).sort().join())'])
    const lines: string[] = []
    for await (const line of asking.lines) lines.push(line)
    expect(lines.join().split(',').filter((name) => !['HOME', 'HOSTNAME', 'PATH', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'].includes(name))).toEqual([])
  })
})

async function containerOf(runId: string, service: string) {
  const { docker } = engine!
  const found = await docker.listContainers({ filters: { label: [`${runLabel}=${runId}`] } })
  return docker.getContainer(found.find(({ Names }) => Names[0]!.endsWith(`-${service}`))!.Id)
}

async function containersOf({ docker }: Engine, runId: string): Promise<number> {
  return (await docker.listContainers({ all: true, filters: { label: [`${runLabel}=${runId}`] } })).length
}
