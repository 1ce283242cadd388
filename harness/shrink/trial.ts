/**
 * Tries schedules on the real world: as many at once as there are, each on paths of its own, several
 * times, since a race is not lost each time. One that fails once fails.
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { CheckSpec } from '../check-spec.ts'
import { HarnessError } from '../errors.ts'
import { simulateOnce } from '../mutants/simulation.ts'
import type { Scenario } from '../scenario.ts'
import type { Move } from '../schedule/moves.ts'
import { failingPaths } from './failing-paths.ts'

export interface TrialWorld {
  scenario: Scenario
  spec: CheckSpec
  /** As the failing run was started. */
  flags: string[]
  /** Each trial leaves its run here. */
  folder: string
  copies: number
  signal: AbortSignal
}

const prefix = 'trial'
let trials = 0

/** Of each candidate, why it fails, or null where no copy of it did. */
export async function tryAll(candidates: Move[][], world: TrialWorld): Promise<(string | null)[]> {
  const id = `trial-${(trials += 1)}`
  const moves = candidates.flatMap((candidate, n) =>
    Array.from({ length: world.copies }, (_, copy) => candidate.map((move) => ({ ...move, stream: `${n}-${copy}` }))).flat(),
  )
  const scenario: Scenario = {
    ...world.scenario,
    id,
    timeoutMs: { quick: 120_000, full: 120_000 },
    steps: [{ kind: 'schedule', moves, paths: 0, atOnce: candidates.length * world.copies, endless: false, prefix }],
    healed: [],
    checks: [world.spec],
  }
  const file = path.join(world.folder, `${id}.ts`)
  await writeFile(file, `export default ${JSON.stringify(scenario)}\n`)
  const ran = await simulateOnce({ scenarios: [file], flags: world.flags, out: path.join(world.folder, id), brokeDown: /^\b$/, signal: world.signal })
  if (ran.result === null) throw new HarnessError(`A trial could not be run: ${ran.said}`)
  const failing = await failingPaths(path.join(world.folder, id, 'latest'), id, world.spec)
  return candidates.map((_, n) => [...failing].find(([stream]) => stream.startsWith(`${prefix}-${n}-`))?.[1] ?? null)
}
