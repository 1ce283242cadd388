/** `--watch`: a scenario file that is saved is run again as it is then; Ctrl-C ends it. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { startSimulation } from './simulation.ts'

const scenario = (records: number) => `export default {
  id: 'watched', title: 'A stream is read back', why: 'It is small.', proves: ['persistence-data-dir'],
  timeoutMs: { quick: 30_000, full: 30_000 }, world: { hops: ['origin'] }, runs: 'beside-others',
  steps: [{ kind: 'create-streams', kinds: ['no-expiry'], each: 1, prefix: 's', records: ${records} }],
  healed: [{ kind: 'read-all', streams: '', via: ['origin'] }],
  checks: [{ check: 'nothing-acknowledged-is-lost', limits: {} }],
}
`

test('a scenario is run again when its file has changed, also after one that is wrong, until Ctrl-C', { timeout: 120_000 }, async () => {
  await using simulation = startSimulation(['../watched.ts', '--watch', '--origin', 'reference', '--runtime', 'processes'], { command: wait })
  const file = path.join(simulation.scratch, 'watched.ts')
  const times = (words: string) => simulation.stderr.split(words).length - 1
  await until(() => times('A change runs it again') === 1, { for: 'the first run', timeoutMs: 60_000 })
  writeFileSync(file, 'export default {')
  await until(() => /The scenario \S+watched\.ts cannot be loaded/.test(simulation.stderr) && times('A change runs it again') === 2, { for: 'what is wrong', timeoutMs: 30_000 })
  writeFileSync(file, scenario(5))
  await until(() => times('A change runs it again') === 3, { for: 'the second run', timeoutMs: 60_000 })
  process.kill(-simulation.pid, 'SIGINT')
  const ended = await simulation.ended()
  expect(ended.code).toBe(2)
  const examined = simulation.runFolders().toSorted().map((run) => simulation.result(run).scenarios[0]!.checks[0]!.examined)
  expect(examined).toEqual([2, 5])
  await simulation.leavesNothing({ processes: [], listeners: [] })
})

/** The file has to be there when it starts, and its folder is known only then. */
const cli = path.resolve(import.meta.dirname, '../../harness/cli.ts')
const wait = ['sh', '-c', `printf %s "$0" > ../watched.ts; exec "${process.execPath}" "${cli}" "$@"`, scenario(2)]
