/**
 * Kill cycles by the public command: the scenario kill-under-load on the reference server and, in turns
 * with it, on the server that DURABLE_STREAMS_SERVER_BIN names.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { programs } from '../harness/bootstrap/programs.mjs'
import { exitCodes, HarnessError } from '../harness/errors.ts'
import { readHistory } from '../harness/history-file.ts'
import type { Result } from '../harness/report/result.ts'
import { measure, medianOf, type BenchGroup, type BenchOptions, type Measurement, type Samples } from './benchmark.ts'
import { KillCycles, type Cycle } from './kill-cycles/cycles.ts'
import { spawnProgram } from './spawn-program.ts'

const benchmarks = {
  'kill-cycles-per-hour': 'appends under load, kill -9, start, ready (goal: 10,000 an hour)',
  'kill-cycle-own': 'what a cycle costs beyond load and readiness (goal: 50 ms)',
}

const root = path.resolve(import.meta.dirname, '..')
const scenario = 'kill-under-load'
const hourMs = 3_600_000
/** A server that hangs after a kill ends the scenario; fewer cycles than this are no measurement. */
const cyclesMin = 3
const runLimitMs = 180_000

async function run(options: BenchOptions): Promise<Measurement[]> {
  const samples: Samples[] = []
  const origins = process.env.DURABLE_STREAMS_SERVER_BIN ? ['caddy', 'reference'] : ['reference']
  for (let round = 1; round <= options.rounds; round++) {
    for (const origin of origins) addRound(samples, await oneRound(origin, round), (what) => options.say(`kill cycles, round ${round} of ${options.rounds}: ${what}`))
  }
  return measure(samples)
}

function addRound(samples: Samples[], { subject, cycles }: Round, say: (what: string) => void): void {
  say(`${cycles.length} on the ${subject} server${cycles.length < cyclesMin ? ', too few to measure: it was not ready again after a kill' : ''}`)
  if (cycles.length < cyclesMin) return
  add(samples, 'kill-cycles-per-hour', subject, 'cycles', (hourMs * cycles.length) / cycles.reduce((sum, { tookMs }) => sum + tookMs, 0))
  add(samples, 'kill-cycle-own', subject, 'ms', medianOf(cycles.map(({ ownMs }) => ownMs)))
}

function add(samples: Samples[], id: string, subject: string, unit: string, value: number): void {
  const known = samples.find((one) => one.id === id && one.subject === subject)
  if (known) known.values.push(value)
  else samples.push({ id, subject, unit, values: [value] })
}

interface Round {
  subject: string
  cycles: Cycle[]
}

async function oneRound(origin: string, seed: number): Promise<Round> {
  const out = await mkdtemp(path.join(tmpdir(), 'kill-cycles-'))
  try {
    await simulate(['--origin', origin, '--out', out, '--seed', String(seed)])
    const folder = path.join(out, 'latest')
    const { subject } = JSON.parse(await readFile(path.join(folder, 'result.json'), 'utf8')) as Result
    const found = new KillCycles()
    await readHistory(folder, (event) => found.take(event))
    return { subject: subject.kind, cycles: found.cycles }
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

async function simulate(args: string[]): Promise<void> {
  const { entry, flags } = programs.simulate
  const program = spawnProgram(process.execPath, [...flags, path.join(root, entry), scenario, ...args])
  const limit = setTimeout(() => void program.kill(), runLimitMs)
  await Array.fromAsync(program.lines)
  const { code, signal } = await program.exited
  clearTimeout(limit)
  // Only named scenarios were run: the verdict is unknown, whatever they showed.
  if (code !== exitCodes.unknown) throw new HarnessError(`${scenario} ended with ${signal ?? code}.`)
}

export default { benchmarks, run } satisfies BenchGroup
