/** Runs a fleet as its own program, with the parts of the plan that a test does not care about. */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { spawnProgram } from '../../../bench/spawn-program.ts'
import type { ReaderRow } from '../../../harness/load/fleet/columns.ts'
import type { FleetEvent } from '../../../harness/load/fleet/events.ts'
import { launchFleet, type Fleet, type FleetResult } from '../../../harness/load/fleet/launch.ts'
import type { FleetPlan } from '../../../harness/load/fleet/plan.ts'

export type PartialPlan = Partial<Omit<FleetPlan, 'target'>> & {
  port: number
  target?: Partial<FleetPlan['target']>
}

export function planFor({ port, target, ...rest }: PartialPlan): FleetPlan {
  return {
    readers: 1,
    transport: 'http1',
    target: { host: '127.0.0.1', port, authority: 'streams.test', ...target },
    requests: [{ path: '/' }],
    read: { kind: 'response' },
    connectsInFlightMax: 64,
    arrivalSpanMs: 0,
    deadlineMs: 20_000,
    captureHeaders: [],
    columnsFile: path.join(tmpdir(), `fleet-${randomUUID()}.columns`),
    ...rest,
  }
}

export interface Ran extends FleetResult {
  rows: ReaderRow[]
  events: FleetEvent[]
}

/** Runs a plan to its end; `during` acts meanwhile. */
export async function runPlan(
  partial: PartialPlan,
  during: (fleet: Fleet) => Promise<void> | void = () => {},
): Promise<Ran> {
  const plan = planFor(partial)
  const events: FleetEvent[] = []
  const onEvent = (event: FleetEvent) => void events.push(event)
  try {
    await using fleet = await launchFleet(plan, spawnProgram, { onEvent })
    await Promise.race([during(fleet), fleet.done])
    const result = await fleet.done
    const rows = Array.from({ length: plan.readers }, (_, i) => result.columns.row(i))
    return { ...result, rows, events }
  } finally {
    await rm(plan.columnsFile, { force: true })
  }
}
