/** The clients that do the held-reader job side by side. */
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FleetSummary } from '../../harness/load/fleet/events.ts'
import { fleetNodeFlags, fleetProgram } from '../../harness/load/fleet/launch.ts'
import type { FleetPlan } from '../../harness/load/fleet/plan.ts'
import type { Client, Job, Told } from './job.ts'

const connectsInFlightMax = 256
const columnsFile = path.join(tmpdir(), `held-readers-${process.pid}.columns`)

/** Removes the fleet's column file, which is written as in any run and read by nobody here. */
export async function removeColumns(): Promise<void> {
  await rm(columnsFile, { force: true })
}

/** The plan of the held-reader job; `plan` changes what a benchmark wants different. */
export function heldReaderPlan(port: number, job: Job, plan: Partial<FleetPlan> = {}): FleetPlan {
  return {
    readers: job.readers,
    transport: 'http1',
    target: { host: '127.0.0.1', port, authority: 'held.test' },
    requests: [{ path: '/' }],
    read: job.mode === 'sse' ? { kind: 'sse', dataEvents: job.waves } : { kind: 'response' },
    connectsInFlightMax,
    arrivalSpanMs: 0,
    deadlineMs: 100_000,
    captureHeaders: ['stream-next-offset', 'stream-up-to-date', 'stream-cursor', 'x-varnish'],
    columnsFile,
    ...plan,
  }
}

export function fleetClient(change: (port: number) => Partial<FleetPlan> = () => ({})): Client {
  return {
    subject: 'fleet',
    modes: ['response', 'sse'],
    command: (port, job) => ({
      program: process.execPath,
      args: [...fleetNodeFlags, fleetProgram],
      firstLine: JSON.stringify(heldReaderPlan(port, job, change(port))),
    }),
    told: (done) => toldByFleet(done.summary as FleetSummary),
  }
}

/** Complete are those with the right bytes: all readers must have the same, and some. */
function toldByFleet(summary: FleetSummary): Told {
  const same = summary.bodies.distinct === 1 && summary.bodyBytes > 0
  return {
    cpuSeconds: summary.cpuSeconds,
    complete: same ? (summary.outcomes.complete ?? 0) : 0,
    ...(summary.lastByteAtMs && { lastByteP99AtMs: summary.lastByteAtMs.p99 }),
  }
}

export function epollClient(program: string): Client {
  return {
    subject: 'c-epoll',
    modes: ['response', 'sse'],
    command: (port, job) => ({
      program,
      args: [port, job.readers, connectsInFlightMax, job.mode, job.waves].map(String),
      firstLine: 'go',
    }),
    told: toldByClient,
  }
}

export const undiciClient = nodeClient('undici')
export const autocannonClient = nodeClient('autocannon')

function nodeClient(subject: string): Client {
  const script = fileURLToPath(new URL(`./${subject}-client.ts`, import.meta.url))
  return {
    subject,
    modes: ['response'],
    command: (port, job) => ({
      program: process.execPath,
      args: [script, String(port), String(job.readers)],
      firstLine: 'go',
    }),
    told: toldByClient,
  }
}

interface ClientDone {
  cpuSeconds: number
  complete: number
  lastByteAtMs?: { p99: number }
}

function toldByClient(done: Record<string, unknown>): Told {
  const { cpuSeconds, complete, lastByteAtMs } = done as unknown as ClientDone
  return { cpuSeconds, complete, ...(lastByteAtMs && { lastByteP99AtMs: lastByteAtMs.p99 }) }
}
