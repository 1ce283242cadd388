/** What a command costs that has everything it needs already, beside the program that it starts. */
import path from 'node:path'
import { programs } from '../harness/bootstrap/programs.mjs'
import { HarnessError } from '../harness/errors.ts'
import { measure, type BenchGroup, type BenchOptions, type Measurement } from './benchmark.ts'
import { spawnProgram } from './spawn-program.ts'

const id = 'warm-start'
const benchmarks = { [id]: 'npm run simulate -- --list, and its program alone (goal: 100 ms more)' }
const root = path.resolve(import.meta.dirname, '..')
const asked = ['--list']

async function run({ rounds, say }: BenchOptions): Promise<Measurement[]> {
  const { entry, flags } = programs.simulate
  const ways = [
    { subject: 'program', args: [...flags, path.join(root, entry), ...asked], values: [] as number[] },
    { subject: 'command', args: [path.join(root, 'harness', 'bootstrap.mjs'), 'simulate', ...asked], values: [] as number[] },
  ]
  for (let round = 0; round <= rounds; round += 1) {
    for (const { args, values } of ways) {
      const tookMs = await timeOf(args)
      // The first of each reads its files from the disk.
      if (round > 0) values.push(tookMs)
    }
  }
  say(`warm start: ${rounds} rounds`)
  return measure(ways.map(({ subject, values }) => ({ id, subject, unit: 'ms', values })), 'program')
}

async function timeOf(args: string[]): Promise<number> {
  const startedAt = performance.now()
  const program = spawnProgram(process.execPath, args)
  await Array.fromAsync(program.lines)
  const { code } = await program.exited
  if (code !== 0) throw new HarnessError(`${args.join(' ')} ended with ${code}.`)
  return performance.now() - startedAt
}

export default { benchmarks, run } satisfies BenchGroup
