/**
 * Crowds by the public command, in containers and in processes, in turns: what the containers cost, and
 * that every crowd is served alike.
 */
import { mkdtempDisposable, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import type { Result, ScenarioResult } from '../harness/report/result.ts'
import { openEngine } from '../harness/runtime/engine.ts'
import { measure, type BenchGroup, type BenchOptions, type Samples } from './benchmark.ts'

const cli = path.resolve(import.meta.dirname, '../harness/cli.ts')
const runtimes = ['processes', 'containers'] as const
const modes = ['catch-up', 'long-poll', 'sse'] as const
const runMsMax = 600_000

type Mode = (typeof modes)[number]
type Crowds = NonNullable<ScenarioResult['measurements']['fanOut']>

interface Figure {
  goal: string
  unit: string
  /** Of which scenarios; of all where it is not given. */
  mode?: Mode
  /** Crowds are those behind the cache; the few readers without it are there for comparison only. */
  of(crowds: Crowds, scenarios: ScenarioResult[]): number
}

const most = (values: number[]) => Math.max(...values)
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
const hopsOf = (scenarios: ScenarioResult[]) => scenarios.flatMap(({ measurements }) => measurements.usage?.hops ?? [])
const asWithProcesses = 'as with processes, within noise'

const figures: Record<string, Figure> = {
  'containers-scenarios': { goal: 'at most twice the time of processes', unit: 's', of: (_, scenarios) => sum(scenarios.map(({ durationMs }) => durationMs)) / 1_000 },
  ...Object.fromEntries(modes.flatMap((mode) => [
    [`containers-${mode}-upstream`, { goal: mode === 'catch-up' ? 'one request a crowd, and one more for each --stale-ms that it took to arrive' : 'one request a crowd', unit: 'requests', mode, of: (crowds) => most(crowds.map(({ upstreamRequests }) => upstreamRequests)) }],
    [`containers-${mode}-p99`, { goal: asWithProcesses, unit: 'ms', mode, of: (crowds) => most(crowds.map(({ spreadP99Ms }) => spreadP99Ms)) }],
  ] satisfies [string, Figure][])),
  'containers-not-identical': { goal: 'none', unit: 'readers', of: (crowds) => sum(crowds.map(({ readers, identical }) => readers - identical)) },
  'containers-fleet-connect': { goal: asWithProcesses, unit: 'ms', of: (crowds) => most(crowds.map(({ connectMs }) => connectMs)) },
  'containers-fleet-memory-per-reader': { goal: asWithProcesses, unit: 'KB', of: (crowds) => most(crowds.map(({ readerBytes }) => readerBytes)) / 1_024 },
  'containers-hops-cpu': { goal: asWithProcesses, unit: 's', of: (_, scenarios) => sum(hopsOf(scenarios).map(({ cpuMs }) => cpuMs)) / 1_000 },
  'containers-edge-memory': { goal: asWithProcesses, unit: 'MiB', of: (_, scenarios) => most(hopsOf(scenarios).flatMap(({ hop, memoryBytesMax }) => (hop === 'edge' ? memoryBytesMax : []))) / 2 ** 20 },
}

async function run({ rounds, readers, ids, say }: BenchOptions) {
  const asked = Object.entries(figures).filter(([id]) => ids.has(id))
  const samples: Samples[] = asked.flatMap(([id, { unit }]) => runtimes.map((subject) => ({ id, subject, unit, values: [] })))
  try {
    await openEngine()
  } catch (error) {
    say(`Containers were not measured: ${(error as Error).message}`)
    return []
  }
  const needed = modes.filter((mode) => asked.some(([, figure]) => (figure.mode ?? mode) === mode))
  for (let round = 1; round <= rounds; round += 1) {
    for (const runtime of runtimes) {
      say(`${needed.join(', ')}: round ${round} of ${rounds}, ${runtime}`)
      const scenarios = await simulate(needed, runtime, readers)
      for (const { id, subject, values } of samples) if (subject === runtime) values.push(valueOf(figures[id]!, scenarios))
    }
  }
  return measure(samples, 'processes')
}

function valueOf({ mode, of }: Figure, all: ScenarioResult[]): number {
  const scenarios = all.filter(({ id }) => mode === undefined || id === scenarioOf(mode))
  return of(scenarios.flatMap(({ measurements }) => measurements.fanOut!.filter(({ path: way }) => way !== 'direct')), scenarios)
}

function scenarioOf(mode: Mode): string {
  return `fan-out-${mode}`
}

async function simulate(needed: Mode[], runtime: (typeof runtimes)[number], readers: number): Promise<ScenarioResult[]> {
  await using out = await mkdtempDisposable(path.join(tmpdir(), 'bench-containers-'))
  const args = [cli, ...needed.map(scenarioOf), '--runtime', runtime, '--readers', String(readers), '--config', 'none', '--out', out.path]
  await execa(process.execPath, args, { reject: false, timeout: runMsMax, stdio: ['ignore', 'ignore', 'pipe'] })
  const { scenarios } = JSON.parse(await readFile(path.join(out.path, 'latest', 'result.json'), 'utf8')) as Result
  for (const { id, verdict, because, measurements } of scenarios) {
    if (!measurements.fanOut?.length) throw new Error(`${id} in ${runtime} measured nothing: ${verdict}, ${because}`)
  }
  return scenarios
}

export default {
  benchmarks: Object.fromEntries(Object.entries(figures).map(([id, { goal }]) => [id, goal])),
  run,
} satisfies BenchGroup
