/**
 * Starts a fleet and follows it. How the program is started is the caller's: as a process, or in
 * the network namespace of a container.
 */
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { exitCodes, HarnessError, UsageError } from '../../errors.ts'
import { Columns, readColumns } from './columns.ts'
import { fleetEventSchema, type FleetEvent, type FleetMilestone, type FleetSummary } from './events.ts'
import { checkPlan, type FleetPlan } from './plan.ts'

export interface SpawnedProgram {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves, and never rejects, when the program has ended. */
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  kill(): void
}

export type SpawnProgram = (
  program: string,
  args: string[],
) => SpawnedProgram | Promise<SpawnedProgram>

export interface FleetResult {
  summary: FleetSummary
  columns: Columns
}

export interface FleetOptions {
  /** Node's executable; this one unless told. */
  program?: string
  /** How to end a fleet from outside, and its events as they come. */
  onEvent?(event: FleetEvent): void
}

/** Small young generations: a crowd is long-lived, and the rest is garbage at once. */
export const fleetNodeFlags = ['--max-semi-space-size=4']
export const fleetProgram = fileURLToPath(new URL('./fleet.ts', import.meta.url))

/**
 * Starts a fleet with its plan.
 * @throws UsageError when the plan is not valid or leaves loopback
 */
export async function launchFleet(
  plan: FleetPlan,
  spawn: SpawnProgram,
  options: FleetOptions = {},
): Promise<Fleet> {
  checkPlan(plan)
  const program = await spawn(options.program ?? process.execPath, [...fleetNodeFlags, fleetProgram])
  return new Fleet(plan, program, options)
}

/** A fleet under way. Its promises reject with a HarnessError when it ends without a result. */
export class Fleet implements AsyncDisposable {
  /** All connections are up, or failed. */
  readonly connected: Promise<FleetMilestone>
  /** All requests are written. */
  readonly sent: Promise<FleetMilestone>
  /** Event streams: all readers have their first event. Resolves for no other kind of read. */
  readonly open: Promise<FleetMilestone>
  readonly done: Promise<FleetResult>
  readonly #program: SpawnedProgram

  constructor(plan: FleetPlan, program: SpawnedProgram, options: FleetOptions) {
    this.#program = program
    const steps = {
      connected: Promise.withResolvers<FleetMilestone>(),
      sent: Promise.withResolvers<FleetMilestone>(),
      open: Promise.withResolvers<FleetMilestone>(),
    }
    this.connected = steps.connected.promise
    this.sent = steps.sent.promise
    this.open = steps.open.promise
    let summary: FleetSummary | undefined
    const said = eachEvent(program.stdout, (event) => {
      if (event.event === 'done') summary = event.summary
      else if (event.event !== 'ready' && event.event !== 'progress') {
        steps[event.event].resolve(event)
      }
      options.onEvent?.(event)
    })
    this.done = this.#finish(said, () => summary)
    this.done.catch((error: unknown) => {
      for (const step of Object.values(steps)) step.reject(error)
    })
    // Whoever awaits one of them hears of a failure; nobody has to await all.
    for (const step of Object.values(steps)) step.promise.catch(() => {})
    // A program that died cannot be written to; `exited` tells.
    program.stdin.on('error', () => {})
    program.stdin.write(`${JSON.stringify(plan)}\n`)
  }

  /** Ends the run early: readers that are not done have the outcome `stopped`. */
  stop(): void {
    this.#program.stdin.write('{"stop":true}\n')
  }

  /** Ends the program, whatever it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#program.kill()
    await this.#program.exited
  }

  async #finish(
    said: Promise<void>,
    summary: () => FleetSummary | undefined,
  ): Promise<FleetResult> {
    const [complaint, { code, signal }] = await Promise.all([
      textOf(this.#program.stderr),
      this.#program.exited,
      said,
    ])
    const result = summary()
    if (code === 0 && result) return { summary: result, columns: readColumns(result.columnsFile) }
    if (code === exitCodes.usage) throw new UsageError(complaint.trim())
    const end = signal ?? `exit code ${code}`
    throw new HarnessError(`The reader fleet ended without a result (${end}): ${complaint.trim()}`)
  }
}

async function eachEvent(stdout: Readable, visit: (event: FleetEvent) => void): Promise<void> {
  for await (const line of createInterface({ input: stdout })) {
    visit(fleetEventSchema.parse(JSON.parse(line)))
  }
}

const complaintCharsMax = 8_192

async function textOf(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream) {
    if (text.length < complaintCharsMax) text += String(chunk)
  }
  return text.slice(0, complaintCharsMax)
}
