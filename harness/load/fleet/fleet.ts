/**
 * The reader fleet, a program of its own: a plan on standard input, events on standard output,
 * every reader's story in a column file. It ends with its standard input, since then the harness
 * is gone.
 */
import { createInterface } from 'node:readline'
import { exitCodes, UsageError } from '../../errors.ts'
import { clockSource, monotonicMs } from '../../clock.ts'
import { writeColumns } from './columns.ts'
import { Crowd, type Milestone } from './crowd.ts'
import type { FleetEvent } from './events.ts'
import { H2Transport } from './h2.ts'
import { Http1Transport } from './http1.ts'
import { openFilesMax } from './limits.ts'
import type { Outcome } from './outcomes.ts'
import { checkPlan, controlSchema, type CheckedFleetPlan } from './plan.ts'
import { Receiver } from './receiver.ts'
import { summarize } from './summary.ts'
import type { Transport } from './transport.ts'

const progressEveryMs = 250
/** How long a run that is done waits for the control events of its last data events. */
const controlsWithinMs = 5_000

class FleetRun {
  readonly #plan: CheckedFleetPlan
  readonly #crowd: Crowd
  readonly #receiver: Receiver
  readonly #transport: Transport
  readonly #startMs = monotonicMs()
  readonly #startCpu = process.cpuUsage()
  readonly #idleKb = residentKb()
  #heldKb = 0
  #ended = false

  constructor(plan: CheckedFleetPlan) {
    this.#plan = plan
    const shape = {
      readers: plan.readers,
      requests: plan.requests.length,
      captureHeaders: plan.captureHeaders,
      sse: plan.read.kind === 'sse',
    }
    this.#crowd = new Crowd(shape, (milestone) => this.#reached(milestone))
    this.#receiver = new Receiver(plan, this.#crowd)
    const Way = plan.transport === 'h2' ? H2Transport : Http1Transport
    this.#transport = new Way(plan, this.#crowd, this.#receiver)
  }

  begin(): void {
    setTimeout(() => this.finishAll('deadline'), this.#plan.deadlineMs)
    setInterval(() => this.#tick(), progressEveryMs)
    this.#transport.begin()
  }

  /** Ends the stories of those who are not done, and with them the run. */
  finishAll(outcome: Outcome): void {
    for (let i = 0; i < this.#plan.readers; i++) this.#crowd.finish(i, outcome)
  }

  #reached(milestone: Milestone): void {
    if (milestone === 'sent') this.#heldKb = residentKb()
    if (milestone === 'done') this.#end(monotonicMs() + controlsWithinMs)
    else if (milestone !== 'open' || this.#plan.read.kind === 'sse') {
      const count = this.#crowd.reached[milestone]
      const atMs = monotonicMs()
      const failed = this.#plan.readers - count
      emit({ event: milestone, count, failed, ms: atMs - this.#startMs, atMs })
    }
  }

  #tick(): void {
    this.#transport.hangUpDone()
    emit({ event: 'progress', ...this.#crowd.reached, atMs: monotonicMs() })
  }

  /** Ends the run in a turn of its own, when the last readers' control events are there. */
  #end(deadlineMs: number): void {
    const wait = this.#receiver.controlsDue > 0 && monotonicMs() < deadlineMs
    setTimeout(() => (wait ? this.#end(deadlineMs) : this.#close()), wait ? 5 : 0)
  }

  #close(): void {
    if (this.#ended) return
    this.#ended = true
    const durationMs = monotonicMs() - this.#startMs
    const memory = this.#memory()
    this.#transport.stop()
    writeColumns(this.#plan.columnsFile, this.#crowd)
    const inShort = summarize(this.#crowd)
    const cpu = process.cpuUsage(this.#startCpu)
    const summary = {
      ...inShort,
      memory,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      durationMs,
      clock: clockSource(),
      columnsFile: this.#plan.columnsFile,
    }
    emit({ event: 'done', summary }, () => process.exit(0))
  }

  #memory() {
    const heldKb = Math.max(this.#heldKb, this.#idleKb)
    return {
      idleKb: this.#idleKb,
      heldKb,
      peakKb: process.resourceUsage().maxRSS,
      kbPerReader: (heldKb - this.#idleKb) / this.#plan.readers,
    }
  }
}

function emit(event: FleetEvent, written?: () => void): void {
  process.stdout.write(`${JSON.stringify(event)}\n`, written)
}

function residentKb(): number {
  return process.memoryUsage.rss() / 1024
}

/** @throws UsageError when the line is not JSON, or its object not a plan */
function parsePlan(line: string): CheckedFleetPlan {
  let input: unknown
  try {
    input = JSON.parse(line)
  } catch {
    throw new UsageError('The first line on standard input must be the plan, as one JSON object.')
  }
  return checkPlan(input)
}

function obey(line: string, run: FleetRun): void {
  const control = controlSchema.safeParse(safeJson(line))
  if (!control.success) throw new UsageError(`The fleet does not know the command ${line}.`)
  run.finishAll('stopped')
}

function safeJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function fail(error: unknown): void {
  const usage = error instanceof UsageError
  const message = usage ? error.message : String((error as Error)?.stack ?? error)
  const exitCode = usage ? exitCodes.usage : exitCodes.harnessFault
  process.stderr.write(`${message}\n`)
  emit({ event: 'failed', message, exitCode }, () => process.exit(exitCode))
}

function main(): void {
  process.on('uncaughtException', fail)
  let run: FleetRun | undefined
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    try {
      if (run) return obey(line, run)
      run = new FleetRun(parsePlan(line))
      run.begin()
    } catch (error) {
      fail(error)
    }
  })
  lines.on('close', () => process.exit(exitCodes.interrupted))
  emit({ event: 'ready', openFilesMax: openFilesMax('self', 'soft') ?? 0, clock: clockSource() })
}

main()
