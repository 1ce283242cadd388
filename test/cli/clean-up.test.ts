/** However a run ends, ten seconds later nothing of it runs, listens or lies about; what it saw is there. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { validateResult } from '../../harness/report/validate.ts'
import { signalQuietly } from '../../harness/runtime/process-table.ts'
import { until } from '../../harness/until.ts'
import { simulate, startSimulation, type Belongings, type Simulation, type SimulationOptions } from './simulation.ts'

const args = ['fan-out-long-poll', '--origin', 'reference', '--readers', '150']

/** A run in which all hops are up and 150 readers are held. */
async function heldCrowd(options: SimulationOptions = {}): Promise<{ simulation: Simulation; before: Belongings }> {
  const simulation = startSimulation(args, options)
  await simulation.holdsReaders(150)
  // A crowd may be answered between two looks; the next one is held as well.
  const before = await until(() => allHops(simulation), { for: 'all hops and a crowd', timeoutMs: 20_000, everyMs: 5 })
  expect(before.listeners.length).toBeGreaterThanOrEqual(4)
  expect(simulation.temporary()).not.toEqual([])
  return { simulation, before }
}

/** What the run has, when each hop and each of the harness's own programs is there; else null. */
function allHops(simulation: Simulation): Belongings | null {
  const before = simulation.belongings()
  const count = (words: string) => before.processes.filter((one) => one.command.includes(words)).length
  // varnishd is two: the manager and the cache itself.
  const found = ['varnishd -F', 'caddy run', 'reference-origin.ts', 'tap.ts', 'fleet.ts', 'supervisor.ts', 'cli.ts'].map(count)
  return found.join() === '2,1,1,1,1,1,1' ? before : null
}

function harnessOf(simulation: Simulation): number {
  return simulation.running('harness/cli.ts')[0]!.pid
}

/** A result that stands for itself, whatever cut it short. */
function expectEvidence(simulation: Simulation, because: RegExp): void {
  const result = simulation.result()
  const validation = validateResult(result)
  expect(validation.valid ? [] : validation.problems).toEqual([])
  expect(result.verdict).toBe('unknown')
  expect(result.because).toMatch(because)
  expect([...result.scenarios, ...result.notRun].map((one) => one.id)).toContain('fan-out-long-poll')
  expect(readFileSync(path.join(simulation.runFolder, 'report.html'), 'utf8')).toContain(result.runId)
  expect(existsSync(path.join(simulation.runFolder, 'logs', 'fan-out-long-poll.edge.log'))).toBe(true)
}

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s to the whole group, as a terminal sends it, ends with %i and a report', async (signal, exitCode) => {
    const { simulation, before } = await heldCrowd()
    await using _ = simulation
    process.kill(-simulation.pid, signal)
    const ended = await simulation.ended()
    expect(ended).toMatchObject({ code: exitCode, signal: null })
    expect(ended.stdout).toMatch(/^UNKNOWN — The run was interrupted\./)
    await simulation.leavesNothing(before)
    expectEvidence(simulation, /^The run was interrupted\./)
    expect(simulation.result()).toMatchObject({ exitCode, scenarios: [{ id: 'fan-out-long-poll', verdict: 'unknown' }] })
  })

  test('ends a run whose services have all hung, with its report', async () => {
    const { simulation, before } = await heldCrowd()
    await using _ = simulation
    hang(before)
    process.kill(-simulation.pid, 'SIGINT')
    expect(await simulation.ended()).toMatchObject({ code: 130 })
    await simulation.leavesNothing(before)
    expectEvidence(simulation, /^The run was interrupted\./)
  })

  test('that comes twice does not wait for them, and leaves nothing all the same', async () => {
    const { simulation, before } = await heldCrowd()
    await using _ = simulation
    hang(before)
    process.kill(-simulation.pid, 'SIGINT')
    // Within a second it is taken for the same keystroke, which arrives by several ways.
    const again = setTimeout(() => process.kill(-simulation.pid, 'SIGINT'), 1_100)
    const ended = await simulation.ended()
    clearTimeout(again)
    expect(ended).toMatchObject({ code: 130, stdout: '' })
    await simulation.leavesNothing(before)
    expectEvidence(simulation, /^The run has not ended, or was killed/)
  })
})

/** Stops all services and the harness's own programs in their tracks. */
function hang(before: Belongings): void {
  const hung = before.processes.filter((one) => /varnishd|caddy run|reference-origin|tap\.ts|fleet\.ts/.test(one.command))
  for (const one of hung) signalQuietly(one.pid, 'SIGSTOP')
}

/** Loaded into the harness alone: an error that nobody catches, when it is told to. */
const planted = `if (process.argv[1]?.endsWith('cli.ts')) process.on('SIGUSR2', () => { throw new Error('a planted failure') })`

test('an error that nobody caught is 70, no verdict, and leaves nothing', async () => {
  const preload = `--import=data:text/javascript,${encodeURIComponent(planted)}`
  const { simulation, before } = await heldCrowd({ env: { NODE_OPTIONS: preload } })
  await using _ = simulation
  process.kill(harnessOf(simulation), 'SIGUSR2')
  const ended = await simulation.ended()
  expect(ended).toMatchObject({ code: 70 })
  expect(ended.stderr).toMatch(/The harness failed; this says nothing of your server\.\nError: a planted failure\n/)
  await simulation.leavesNothing(before)
  expectEvidence(simulation, /^The harness failed: a planted failure\./)
  expect(simulation.result().exitCode).toBe(70)
})

describe('SIGKILL', () => {
  test('of the harness leaves nothing but what it had seen', async () => {
    const { simulation, before } = await heldCrowd()
    await using _ = simulation
    process.kill(harnessOf(simulation), 'SIGKILL')
    expect(await simulation.ended()).toMatchObject({ code: 137 })
    await simulation.leavesNothing(before)
    expectEvidence(simulation, /^The run has not ended, or was killed/)
  })

  test('of its whole process group and of whoever started it', async () => {
    const { simulation, before } = await heldCrowd()
    await using _ = simulation
    // Stopped first: else who started it may see it killed, and end by itself with 137.
    process.kill(-simulation.pid, 'SIGSTOP')
    process.kill(-harnessOf(simulation), 'SIGKILL')
    process.kill(-simulation.pid, 'SIGKILL')
    expect(await simulation.ended()).toMatchObject({ signal: 'SIGKILL' })
    await simulation.leavesNothing(before)
    expectEvidence(simulation, /^The run has not ended, or was killed/)
  })

  test.each([
    ['a VCL is tried, which no earlier run had', 'varnishd -C', true],
    ['a cache starts', 'varnishd -F', false],
  ])('ends a compiler at work: when %s', async (_when, caller, freshCache) => {
    await using simulation = startSimulation(args, { freshCache })
    const compiling = () => simulation.running(caller).length > 0 && simulation.running('/cc1 ').length > 0
    await until(compiling, { for: 'the compiler', timeoutMs: 20_000, everyMs: 5 })
    const before = simulation.belongings()
    process.kill(-harnessOf(simulation), 'SIGKILL')
    await simulation.ended()
    await simulation.leavesNothing(before)
  })

  test('of harness and supervisor at once is made good by the next run', async () => {
    const { simulation, before } = await heldCrowd()
    await using _ = simulation
    process.kill(before.processes.find((one) => one.command.includes('supervisor.ts'))!.pid, 'SIGKILL')
    process.kill(harnessOf(simulation), 'SIGKILL')
    await simulation.ended()
    expect(simulation.traces(before).join('\n')).toMatch(/varnishd.*\n[^]*listener on port/)
    const wrong = path.join(simulation.scratch, 'wrong.vcl')
    writeFileSync(wrong, 'vcl 4.1;')
    const next = await simulate([...args, '--vcl', wrong], { env: { TMPDIR: simulation.tmp } })
    await using _next = next.simulation
    expect(next.code, next.stderr).toBe(64)
    await simulation.leavesNothing(before)
  })
})
