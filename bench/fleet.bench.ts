/**
 * The reader fleet against a minimal epoll client in C, undici and autocannon: all hold the same
 * readers at the same holding server (C, epoll, one thread), in turns.
 */
import type { BenchGroup, BenchOptions, Measurement, Samples } from './benchmark.ts'
import { measure } from './benchmark.ts'
import {
  autocannonClient,
  epollClient,
  fleetClient,
  removeColumns,
  undiciClient,
} from './held-readers/clients.ts'
import { compilePrograms } from './held-readers/compile.ts'
import { runJob, type Client, type Job, type JobFigures } from './held-readers/job.ts'

const floor = 'c-epoll'
const waves = 20
const gapMs = 250

const benchmarks = {
  'fleet-memory-per-reader': 'resident set a reader, above the idle process (goal: 4 KB)',
  'fleet-cpu': 'processor time for the whole job (goal: 2 x the floor)',
  'fleet-spread-p99': 'from release to the 99th reader in a hundred (goal: 1.25 x the floor)',
  'fleet-connect': 'until all requests are with the server (goal: 1.0 s or 1.5 x the floor)',
  'fleet-sse-memory-per-reader': 'the same for event streams with 20 events each',
  'fleet-sse-cpu': 'the same for event streams with 20 events each',
  'fleet-sse-spread-p99': 'the same for the last of 20 events (goal: 1.25 x the floor)',
}

type Id = keyof typeof benchmarks

const units: Record<Id, string> = {
  'fleet-memory-per-reader': 'KB',
  'fleet-cpu': 's',
  'fleet-spread-p99': 'ms',
  'fleet-connect': 'ms',
  'fleet-sse-memory-per-reader': 'KB',
  'fleet-sse-cpu': 's',
  'fleet-sse-spread-p99': 'ms',
}

function figuresOf(mode: Job['mode'], figures: JobFigures): [Id, number | undefined][] {
  if (mode === 'sse') {
    return [
      ['fleet-sse-memory-per-reader', figures.kbPerReader],
      ['fleet-sse-cpu', figures.cpuSeconds],
      ['fleet-sse-spread-p99', figures.spreadP99Ms],
    ]
  }
  return [
    ['fleet-memory-per-reader', figures.kbPerReader],
    ['fleet-cpu', figures.cpuSeconds],
    ['fleet-spread-p99', figures.spreadP99Ms],
    ['fleet-connect', figures.connectMs],
  ]
}

async function run(options: BenchOptions): Promise<Measurement[]> {
  await using programs = await compilePrograms()
  if (!programs) {
    options.say('No C compiler: no holding server and no floor, so the fleet is not measured.')
    return []
  }
  const clients = [
    epollClient(programs.epollClient),
    fleetClient(),
    undiciClient,
    autocannonClient,
  ]
  const samples = new Map<string, Samples>()
  for (const mode of ['response', 'sse'] as const) {
    const wanted = [...options.ids].some((id) => id in benchmarks && isSse(id) === (mode === 'sse'))
    const able = clients.filter((client) => client.modes.includes(mode))
    if (!wanted) continue
    for (let round = 1; round <= options.rounds; round++) {
      const job = { mode, readers: options.readers, waves, gapMs }
      for (const client of able) {
        await oneRound(client, programs.holdingServer, job, samples, options)
      }
      await removeColumns()
      options.say(`${mode}: round ${round} of ${options.rounds} done`)
    }
  }
  return measure([...samples.values()], floor)
}

function isSse(id: string): boolean {
  return id.startsWith('fleet-sse-')
}

async function oneRound(
  client: Client,
  server: string,
  job: Job,
  samples: Map<string, Samples>,
  options: BenchOptions,
): Promise<void> {
  try {
    for (const [id, value] of figuresOf(job.mode, await runJob(client, server, job))) {
      if (value === undefined) continue
      const key = `${id} ${client.subject}`
      const of = samples.get(key) ?? { id, subject: client.subject, unit: units[id], values: [] }
      of.values.push(value)
      samples.set(key, of)
    }
  } catch (error) {
    // A client that cannot do the job must not take the others' figures with it.
    options.say(`${client.subject}, ${job.mode}: not measured: ${(error as Error).message}`)
  }
}

export default { benchmarks, run } satisfies BenchGroup
