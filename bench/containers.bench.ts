/**
 * One crowd's scenario by the public command, in containers and in processes, in turns: what the
 * containers cost, and that the crowd is served alike.
 */
import { mkdtempDisposable, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import type { Result } from '../harness/report/result.ts'
import { openEngine } from '../harness/runtime/engine.ts'
import { measure, type BenchGroup, type BenchOptions, type Samples } from './benchmark.ts'

const cli = path.resolve(import.meta.dirname, '../harness/cli.ts')
const runtimes = ['processes', 'containers'] as const
const scenario = 'fan-out-long-poll'
const runMsMax = 300_000

type FanOut = NonNullable<Result['scenarios'][number]['measurements']['fanOut']>

/** Over the crowds behind the cache; the few readers without it are there for comparison only. */
const figures: Record<string, { goal: string; unit: string; of(crowds: FanOut, result: Result): number }> = {
  'containers-scenario': { goal: 'at most twice the time of processes', unit: 's', of: (_, { scenarios }) => scenarios[0]!.durationMs / 1_000 },
  'containers-crowd-p99': { goal: 'as with processes, within noise', unit: 'ms', of: (crowds) => Math.max(...crowds.map(({ spreadP99Ms }) => spreadP99Ms)) },
  'containers-upstream': { goal: 'one request a crowd', unit: 'requests', of: (crowds) => Math.max(...crowds.map(({ upstreamRequests }) => upstreamRequests)) },
  'containers-not-identical': { goal: 'none', unit: 'readers', of: (crowds) => crowds.reduce((sum, { readers, identical }) => sum + readers - identical, 0) },
}

async function run({ rounds, readers, say }: BenchOptions) {
  const samples: Samples[] = Object.entries(figures).flatMap(([id, { unit }]) => runtimes.map((subject) => ({ id, subject, unit, values: [] })))
  try {
    await openEngine()
  } catch (error) {
    say(`Containers were not measured: ${(error as Error).message}`)
    return []
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const runtime of runtimes) {
      say(`${scenario}, round ${round} of ${rounds}, ${runtime}`)
      const result = await simulate(runtime, readers)
      const crowds = result.scenarios[0]!.measurements.fanOut!.filter(({ path: way }) => way !== 'direct')
      for (const sample of samples) if (sample.subject === runtime) sample.values.push(figures[sample.id]!.of(crowds, result))
    }
  }
  return measure(samples, 'processes')
}

async function simulate(runtime: (typeof runtimes)[number], readers: number): Promise<Result> {
  await using out = await mkdtempDisposable(path.join(tmpdir(), 'bench-containers-'))
  const args = [cli, scenario, '--runtime', runtime, '--readers', String(readers), '--config', 'none', '--out', out.path]
  await execa(process.execPath, args, { reject: false, timeout: runMsMax, stdio: ['ignore', 'ignore', 'pipe'] })
  const result = JSON.parse(await readFile(path.join(out.path, 'latest', 'result.json'), 'utf8')) as Result
  const { verdict, because, measurements } = result.scenarios[0]!
  if (!measurements.fanOut?.length) throw new Error(`${scenario} in ${runtime} measured nothing: ${verdict}, ${because}`)
  return result
}

export default {
  benchmarks: Object.fromEntries(Object.entries(figures).map(([id, { goal }]) => [id, goal])),
  run,
} satisfies BenchGroup
