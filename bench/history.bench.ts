/**
 * What a long run costs the harness: a million operations are recorded and judged as they come, and the
 * result is made; then the history is judged again from its files.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { programs } from '../harness/bootstrap/programs.mjs'
import { monotonicMs } from '../harness/clock.ts'
import { exitCodes, HarnessError } from '../harness/errors.ts'
import { measure, type BenchGroup, type BenchOptions, type Measurement, type Samples } from './benchmark.ts'
import type { Played } from './million-operations/program.ts'
import { watchResidentMax } from './resident-memory.ts'
import { spawnProgram } from './spawn-program.ts'

const benchmarks = {
  'finish-after-1m-operations': 'from the last event to result.json and report.html (goal: 1 s)',
  'finish-after-1m-operations-memory': 'resident set at most, checks fed live (goal: 300 MB)',
  'rejudge-1m-operations': 'the command from its start to its end (goal: 10 s)',
  'rejudge-1m-operations-memory': 'resident set at most (goal: 300 MB)',
}

const root = path.resolve(import.meta.dirname, '..')
const programLimitMs = 600_000

async function run(options: BenchOptions): Promise<Measurement[]> {
  const samples = Object.keys(benchmarks).map((id): Samples => ({ id, subject: 'harness', unit: id.endsWith('memory') ? 'MB' : 'ms', values: [] }))
  for (let round = 1; round <= options.rounds; round++) {
    const values = await oneRound(options.operations)
    samples.forEach((sample, index) => sample.values.push(values[index]!))
    options.say(`history of ${options.operations} operations: round ${round} of ${options.rounds} done`)
  }
  return measure(samples)
}

/** In the order of the benchmarks. */
async function oneRound(operations: number): Promise<number[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'million-operations-'))
  try {
    const played = await play(folder, operations)
    const rejudged = await rejudge(folder)
    return [played.finishMs, played.residentMaxKb / 1024, rejudged.tookMs, rejudged.residentMaxKb / 1024]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function play(folder: string, operations: number): Promise<Played> {
  const entry = path.join(import.meta.dirname, 'million-operations/program.ts')
  const { output } = await runToItsEnd([...programs.simulate.flags, entry, folder, String(operations)], exitCodes.ready)
  return JSON.parse(output) as Played
}

async function rejudge(folder: string): Promise<{ tookMs: number; residentMaxKb: number }> {
  const { flags, entry } = programs.rejudge
  const beginMs = monotonicMs()
  const { output, residentMaxKb } = await runToItsEnd([...flags, path.join(root, entry), folder], exitCodes.unknown)
  const tookMs = monotonicMs() - beginMs
  if (!output.includes('The saved result says the same.')) throw new HarnessError(`Judged again, it is another result: ${output}`)
  return { tookMs, residentMaxKb }
}

async function runToItsEnd(args: string[], expectedExit: number): Promise<{ output: string; residentMaxKb: number }> {
  const program = spawnProgram(process.execPath, args)
  const memory = watchResidentMax(program.pid)
  const limit = setTimeout(() => void program.kill(), programLimitMs)
  try {
    const lines = await Array.fromAsync(program.lines)
    const { code, signal } = await program.exited
    if (code !== expectedExit) throw new HarnessError(`${args.join(' ')} ended with ${signal ?? code}: ${lines.join(' ')}`)
    return { output: lines.join('\n'), residentMaxKb: memory.stop() }
  } finally {
    clearTimeout(limit)
    memory.stop()
  }
}

export default { benchmarks, run } satisfies BenchGroup
