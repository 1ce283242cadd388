/** One client doing the held-reader job once, watched from outside. */
import { readFileSync } from 'node:fs'
import { HarnessError } from '../../harness/errors.ts'
import { monotonicMs } from '../../harness/clock.ts'
import type { FleetProgram } from '../../harness/load/fleet/launch.ts'
import { spawnProgram, type ChildProgram } from '../spawn-program.ts'

export interface Job {
  mode: 'response' | 'sse'
  readers: number
  /** For event streams: so many waves of one event to everybody, so far apart. */
  waves: number
  gapMs: number
}

/** What a client tells at its end. */
export interface Told {
  cpuSeconds: number
  /** Absent where a client knows no single reader's times. */
  lastByteP99AtMs?: number
  complete: number
}

export interface Client {
  subject: string
  modes: readonly Job['mode'][]
  command(port: number, job: Job): { program: string; args: string[]; firstLine: string }
  /** From its last line. */
  told(done: Record<string, unknown>): Told
}

export interface JobFigures {
  connectMs: number
  kbPerReader: number
  cpuSeconds: number
  /** From the beginning of the last wave's writing to the 99th reader in a hundred. */
  spreadP99Ms: number | undefined
}

const jobTimeoutMs = 120_000
const memoryEveryMs = 50

/** The holding server with nobody in it. */
export class HoldingServer implements AsyncDisposable {
  readonly port: number
  readonly #program: ChildProgram
  readonly #lines: AsyncIterator<string>

  private constructor(program: ChildProgram, lines: AsyncIterator<string>, port: number) {
    this.#program = program
    this.#lines = lines
    this.port = port
  }

  static async start(program: string, job: Job): Promise<HoldingServer> {
    const server = spawnProgram(program, [job.mode, String(job.readers)])
    const lines = server.lines[Symbol.asyncIterator]()
    const port = Number(await nextLine(lines, 'port'))
    return new HoldingServer(server, lines, port)
  }

  /** When the last reader's request had come. */
  async held(): Promise<number> {
    return Number(await nextLine(this.#lines, 'held'))
  }

  /** Answers everybody, wave by wave; when the last wave began. */
  async release(job: Job): Promise<number> {
    const waves = job.mode === 'sse' ? job.waves : 1
    this.#program.write(job.mode === 'sse' ? `events ${waves} ${job.gapMs}` : 'release')
    let begin = Number.NaN
    for (let i = 0; i < waves; i++) {
      begin = Number((await nextLine(this.#lines, 'released')).split(' ')[0])
    }
    return begin
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill()
  }
}

/** Lets a client do the job against a server of its own. */
export async function runJob(client: Client, serverProgram: string, job: Job): Promise<JobFigures> {
  await using server = await HoldingServer.start(serverProgram, job)
  return await runClient(client, server, server.port, job)
}

/** Lets a client do the job through whatever listens on `port` in front of the server. */
export async function runClient(
  client: Client,
  server: HoldingServer,
  port: number,
  job: Job,
): Promise<JobFigures> {
  const { program, args, firstLine } = client.command(port, job)
  const child = spawnProgram(program, args)
  const timer = setTimeout(() => void child.kill(), jobTimeoutMs)
  try {
    const lines = child.lines[Symbol.asyncIterator]()
    await nextEvent(child, lines, 'ready')
    const idleKb = residentKb(child.pid) ?? 0
    const beginMs = monotonicMs()
    child.write(firstLine)
    const done = nextEvent(child, lines, 'done').then((event) => client.told(event))
    const heldMs = await Promise.race([server.held(), rejectionOf(done, client)])
    const peak = watchMemory(child.pid)
    const releasedMs = await server.release(job)
    const told = await done
    const peakKb = peak.stop()
    if (told.complete !== job.readers) {
      throw new HarnessError(`${client.subject} completed ${told.complete} of ${job.readers}.`)
    }
    return {
      connectMs: heldMs - beginMs,
      kbPerReader: (peakKb - idleKb) / job.readers,
      cpuSeconds: told.cpuSeconds,
      spreadP99Ms: told.lastByteP99AtMs && told.lastByteP99AtMs - releasedMs,
    }
  } finally {
    clearTimeout(timer)
    await child.kill()
  }
}

/** Waits for a client that must not end yet. */
async function rejectionOf(done: Promise<Told>, client: Client): Promise<never> {
  const { complete } = await done
  throw new HarnessError(`${client.subject} was done before its readers were released; ${complete} of them were answered.`)
}

/** The largest resident set from now on. */
function watchMemory(pid: number): { stop(): number } {
  let peakKb = residentKb(pid) ?? 0
  const look = () => void (peakKb = Math.max(peakKb, residentKb(pid) ?? 0))
  const timer = setInterval(look, memoryEveryMs)
  return {
    stop() {
      look()
      clearInterval(timer)
      return peakKb
    },
  }
}

function residentKb(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1])
  } catch {
    return undefined
  }
}

async function nextLine(lines: AsyncIterator<string>, word: string): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next()
    if (done) throw new HarnessError(`The holding server ended before it said ${word}.`)
    if (value.startsWith(`${word} `)) return value.slice(word.length + 1)
  }
}

async function nextEvent(
  program: FleetProgram,
  lines: AsyncIterator<string>,
  event: string,
): Promise<Record<string, unknown>> {
  for (;;) {
    const { value, done } = await lines.next()
    if (done) {
      const { code, signal } = await program.exited
      throw new HarnessError(`A client ended (${signal ?? code}) before it said ${event}.`)
    }
    const told = JSON.parse(value) as Record<string, unknown>
    if (told.event === event) return told
    if (told.event === 'failed') throw new HarnessError(String(told.message))
  }
}
