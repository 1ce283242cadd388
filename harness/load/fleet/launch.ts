/**
 * Starts a fleet and follows it. How the program is started is the caller's: as a process, or in
 * the network namespace of a container.
 */
import { fileURLToPath } from 'node:url'
import { exitCodes, HarnessError, UsageError } from '../../errors.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { CrowdFigures } from '../../world.ts'
import { readColumns, type Columns } from './columns.ts'
import { fleetEventSchema } from './events.ts'
import type { FleetEvent, FleetMilestone, FleetSummary } from './events.ts'
import { crowdFigures } from './figures.ts'
import { checkPlan, type FleetPlan } from './plan.ts'

/** A program one talks to line by line; a runtime's `Conversation` is one. */
export interface FleetProgram {
  write(line: string): void
  /** Its standard output. */
  readonly lines: AsyncIterable<string>
  /** Resolves, and never rejects, when the program has ended. */
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  kill(): Promise<unknown>
}

export type StartProgram = (program: string, args: string[]) => FleetProgram | Promise<FleetProgram>

export interface FleetResult {
  summary: FleetSummary
  columns: Columns
}

export interface FleetOptions {
  /** Node's executable; this one unless told. */
  node?: string
  /** Told each event as it comes. */
  onEvent?(event: FleetEvent): void
}

export const fleetProgram = fileURLToPath(new URL('./fleet.ts', import.meta.url))
/** A small young generation: what a crowd leaves in it is garbage at once, and readers are old. */
export const fleetNodeFlags = ['--max-semi-space-size=4']

/**
 * Starts a fleet with its plan.
 * @throws UsageError when the plan is not valid or leaves loopback
 */
export async function launchFleet(
  plan: FleetPlan,
  start: StartProgram,
  options: FleetOptions = {},
): Promise<Fleet> {
  checkPlan(plan)
  const program = await start(options.node ?? process.execPath, [...fleetNodeFlags, fleetProgram])
  return new Fleet(plan, program, options.onEvent)
}

/**
 * Runs a fleet to its end in a runtime.
 * @param onMilestone told when all readers are connected, have sent, or are open
 * @throws HarnessError when the fleet ends without a result
 */
export async function runFleet(
  runtime: Pick<Runtime, 'converse'>,
  plan: FleetPlan,
  onMilestone: (milestone: FleetMilestone['event']) => void,
): Promise<CrowdFigures> {
  const onEvent = (event: FleetEvent) => {
    if (isMilestone(event)) onMilestone(event.event)
  }
  const start: StartProgram = (program, args) => runtime.converse('fleet', program, args)
  await using fleet = await launchFleet(plan, start, { onEvent })
  return crowdFigures(await fleet.done)
}

/** A fleet under way. Its promises reject when it ends without a result. */
export class Fleet implements AsyncDisposable {
  /** All connections are up, or failed. */
  readonly connected: Promise<FleetMilestone>
  /** All requests are written. */
  readonly sent: Promise<FleetMilestone>
  /** Event streams only: all readers have their first event. */
  readonly open: Promise<FleetMilestone>
  readonly done: Promise<FleetResult>
  readonly #program: FleetProgram

  constructor(plan: FleetPlan, program: FleetProgram, onEvent?: (event: FleetEvent) => void) {
    this.#program = program
    const milestones = {
      connected: Promise.withResolvers<FleetMilestone>(),
      sent: Promise.withResolvers<FleetMilestone>(),
      open: Promise.withResolvers<FleetMilestone>(),
    }
    this.connected = milestones.connected.promise
    this.sent = milestones.sent.promise
    this.open = milestones.open.promise
    this.done = this.#follow((event) => {
      if (isMilestone(event)) milestones[event.event].resolve(event)
      onEvent?.(event)
    })
    this.done.catch((error: unknown) => {
      for (const milestone of Object.values(milestones)) milestone.reject(error)
    })
    // Whoever awaits one of them hears of a failure; nobody has to await all.
    for (const milestone of Object.values(milestones)) milestone.promise.catch(() => {})
    program.write(JSON.stringify(plan))
  }

  /** Ends the run early: readers that are not done have the outcome `stopped`. */
  stop(): void {
    this.#program.write('{"stop":true}')
  }

  /** Ends the program, whatever it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill()
    await this.#program.exited
  }

  async #follow(onEvent: (event: FleetEvent) => void): Promise<FleetResult> {
    let last: FleetEvent | undefined
    for await (const line of this.#program.lines) {
      last = fleetEventSchema.parse(JSON.parse(line))
      onEvent(last)
    }
    const { code, signal } = await this.#program.exited
    if (last?.event === 'done') {
      return { summary: last.summary, columns: readColumns(last.summary.columnsFile) }
    }
    const complaint = last?.event === 'failed' ? last.message : `after ${last?.event ?? 'nothing'}`
    if (code === exitCodes.usage) throw new UsageError(complaint)
    const end = signal ?? `exit code ${code}`
    throw new HarnessError(`The reader fleet ended without a result (${end}): ${complaint}`)
  }
}

function isMilestone(event: FleetEvent): event is FleetMilestone {
  return event.event === 'connected' || event.event === 'sent' || event.event === 'open'
}
