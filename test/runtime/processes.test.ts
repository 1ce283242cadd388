/** The runtime of plain processes, with real programs. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { HarnessError } from '../../harness/errors.ts'
import { openProcessRuntime } from '../../harness/runtime/processes.ts'
import { until } from '../../harness/until.ts'
import { expectFailed, runtimeForEach, startReady, testRuntime, type RuntimeKind } from './contract.ts'
import { serviceProgram } from './fixtures/service.ts'
import { accepts, fixtureService, httpService, processesOfRun } from './services.ts'

const processes: RuntimeKind = { open: openProcessRuntime, left: (runId) => processesOfRun(runId).length }
const underTest = runtimeForEach(processes)
testRuntime(processes, underTest)

test('a port that another program has is told, with that program', async () => {
  const port = await underTest.runtime.leasePort()
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve))
  try {
    const outcome = expectFailed(await underTest.runtime.start(httpService('late', port, { behaviour: 'serve', port })))
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
  const port = await underTest.runtime.leasePort()
  const plan = JSON.stringify({ behaviour: 'serve', port, reusePort: true, answers })
  const sharer = spawn(process.execPath, [serviceProgram, plan], { stdio: 'ignore' })
  const exited = new Promise((resolve) => sharer.once('exit', resolve))
  try {
    await until(() => accepts(port), { for: 'the sharer to listen', timeoutMs: 10_000 })
    const service = httpService('sharing', port, { behaviour: 'serve', port, reusePort: true })
    const outcome = expectFailed(await underTest.runtime.start(service))
    expect(outcome).toMatchObject({ reason: 'port-taken', because: expect.stringContaining(`process ${sharer.pid} (`) })
  } finally {
    sharer.kill('SIGKILL')
    await exited
  }
  const alone = await startReady(underTest.runtime, httpService('sharing', port, { behaviour: 'serve', port, reusePort: true }))
  expect(alone.isRunning()).toBe(true)
})

test('a log is cut when it grows beyond its bound', async () => {
  const service = fixtureService('talker', { behaviour: 'talk', bytes: 60_000_000 }, { ready: { kind: 'line', text: 'the last line' } })
  const running = await startReady(underTest.runtime, { ...service, readyWithinMs: 30_000 })
  const isCut = () => readFileSync(running.logFile, 'latin1').includes('log cut: its first')
  await until(isCut, { for: 'the log to be cut', timeoutMs: 10_000, everyMs: 100 })
  expect(readFileSync(running.logFile).length).toBeLessThan(6 * 1024 ** 2)
  expect(await running.lastLogLines(1)).toEqual(['the last line'])
})

test('a short program runs to its end, or is ended at its deadline', async () => {
  const result = await underTest.runtime.run('/bin/sh', ['-c', 'echo out; echo err >&2; exit 5'], { timeoutMs: 5_000 })
  expect(result).toEqual({ code: 5, stdout: 'out\n', stderr: 'err\n' })
  const endless = underTest.runtime.run('/bin/sh', ['-c', 'sleep 60 & sleep 60'], { timeoutMs: 200 })
  await expect(endless).rejects.toThrow(/did not end within 200 ms/)
  expect(processesOfRun(underTest.runId)).toEqual([])
  await expect(underTest.runtime.run('/no/such/program', [], { timeoutMs: 1_000 })).rejects.toThrow(HarnessError)
})

test('nothing of the environment reaches a service', async () => {
  const { stdout } = await underTest.runtime.run('/usr/bin/env', [], { timeoutMs: 5_000 })
  const names = stdout.split('\n').filter(Boolean).map((line) => line.split('=')[0])
  expect(names.sort()).toEqual(['DURABLE_STREAMS_SIMULATION_RUN', 'DURABLE_STREAMS_SIMULATION_SERVICE', 'LANG', 'PATH'])
})

test('a conversation goes line by line and ends with its input', async () => {
  const conversation = await underTest.runtime.converse('cat', '/bin/cat', [])
  const lines: string[] = []
  conversation.write('one')
  conversation.write('two')
  conversation.end()
  for await (const line of conversation.lines) lines.push(line)
  expect(lines).toEqual(['one', 'two'])
  expect(await conversation.exited).toMatchObject({ code: 0 })
})

test('a spawned program is talked to by its streams, and its log keeps what it complains of', async () => {
  const program = await underTest.runtime.spawn('speaker', '/bin/sh', ['-c', 'read line; echo "$line"; echo oh no >&2; exit 4'])
  program.stdin.write('hello\n')
  const [said, complained] = await Promise.all([text(program.stdout), text(program.stderr)])
  expect([said, complained]).toEqual(['hello\n', 'oh no\n'])
  expect(await program.exited).toMatchObject({ code: 4, expected: false })
  expect(readFileSync(path.join(underTest.logsDir, underTest.runId, 'speaker.log'), 'utf8')).toContain('oh no')
})

