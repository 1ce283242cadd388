/** Two runs at once on one machine are judged as one alone, and keep to their own. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Result } from '../../harness/report/result.ts'
import { simulate, type Ended, type Simulation } from './simulation.ts'

/** Kills, restarts and timings: what another run's signals, ports and folders would disturb. */
const args = ['restart-keeps-forks', 'tls-edge-passes-everything', '--origin', 'reference']

function verdicts(result: Result): Record<string, string> {
  return Object.fromEntries(result.scenarios.flatMap((one) => one.checks.map((check) => [`${one.id} ${check.id}`, check.verdict])))
}

function expectLike(alone: Result, ended: Ended, result: Result): void {
  expect(ended.code, ended.stderr).toBe(alone.exitCode)
  expect(verdicts(result)).toEqual(verdicts(alone))
}

function folders(simulation: Simulation, out: string): string[] {
  return readdirSync(out === '' ? simulation.out : out).filter((name) => name !== 'latest')
}

test('two at once are judged like one alone', { timeout: 90_000 }, async () => {
  const alone = await simulate([...args, '--keep'])
  await using first = alone.simulation
  const expected = first.result()
  expect(Object.values(verdicts(expected))).not.toContain('fail')
  // The two write to the folder that the first one has written to.
  const both = await Promise.all([1, 2].map(() => simulate([...args, '--out', first.out])))
  await using one = both[0]!.simulation
  await using other = both[1]!.simulation
  const runs = folders(first, '')
  expect(runs).toHaveLength(3)
  for (const [n, ended] of both.entries()) {
    const runId = runs.filter((name) => name !== expected.runId)[n]!
    expectLike(expected, ended, first.result(runId))
  }
  expect(runs).toContain(readlinkSync(path.join(first.out, 'latest')))
  for (const simulation of [first, one, other]) await simulation.leavesNothing({ processes: [], listeners: [] })
  expectKept(first, alone, expected)
})

/** `--keep`: what the scenarios wrote is below the run's folder, and where is told. */
function expectKept(simulation: Simulation, ended: Ended, { runId }: Result): void {
  const kept = path.join(simulation.out, runId, 'kept')
  expect(ended.stderr).toMatch(/^Kept: the temporary data of each scenario, its data_dir among it, in (\S+)$/m)
  const told = /^Kept: .* in (\S+)$/m.exec(ended.stderr)![1]!
  expect(path.resolve(simulation.scratch, 'work', told)).toBe(kept)
  const scenarios = args.slice(0, 2)
  const names = readdirSync(kept).toSorted()
  expect(names.map((name) => name.replace(/-[^-]{6}$/, ''))).toEqual(scenarios.toSorted())
  for (const name of names) expect(readdirSync(path.join(kept, name, 'data', 'streams')).length, name).toBeGreaterThan(0)
  const others = readdirSync(simulation.out).filter((name) => name !== runId && name !== 'latest')
  for (const other of others) expect(existsSync(path.join(simulation.out, other, 'kept'))).toBe(false)
}
