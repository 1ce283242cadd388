/**
 * A scenario as it runs, in plain numbers and lists: what profile, sizes and seed decide is written out, so
 * that it can be made smaller piece by piece, and is the same wherever it is run. Pure.
 */
import { isObject, type Json, type JsonObject } from '../confine/json.ts'
import { resolveSize, type Sizes } from '../run-scenario.ts'
import type { Scenario } from '../scenario.ts'
import { movesOfPath } from '../schedule/generate.ts'
import type { Sized } from '../step.ts'
import type { Schedule } from '../steps/schedule.ts'
import { everyKind } from '../streams.ts'

/** A step is known by its kind. */
export function isStep(value: Json | undefined): value is JsonObject & { kind: string } {
  return isObject(value) && typeof value.kind === 'string'
}

/** The scenario under another id, with everything written out. */
export function concrete(scenario: Scenario, id: string, sizes: Sizes, seed: number): Scenario {
  const write = (steps: Scenario['steps']) => written(steps as unknown as Json, sizes, seed) as unknown as Scenario['steps']
  return { ...scenario, id, steps: write(scenario.steps), healed: write(scenario.healed) }
}

function written(value: Json, sizes: Sizes, seed: number): Json {
  if (Array.isArray(value)) return value.map((one) => written(one, sizes, seed))
  if (!isObject(value)) return value
  if (isSized(value)) return resolveSize(value as unknown as Sized, sizes)
  const fields = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, written(field, sizes, seed)]))
  if (fields.kind === 'create-streams' && fields.kinds === 'every') return { ...fields, kinds: everyKind.map((kind) => kind.id) }
  if (fields.kind === 'schedule') return drawn(fields as unknown as Schedule, seed) as unknown as Json
  return fields
}

/** `{ quick, full }` or `{ option }`. */
function isSized(value: JsonObject): boolean {
  const names = Object.keys(value).toSorted().join(' ')
  return names === 'full quick' || (typeof value.option === 'string' && ['readers', 'streams', 'forMs'].includes(value.option))
}

/** One that goes on until others are done has no end to be written out. */
function drawn(step: Schedule, seed: number): Schedule {
  if (step.moves !== undefined || step.endless) return step
  const moves = Array.from({ length: step.paths as number }, (_, index) => movesOfPath(seed, index)).flat()
  return { ...step, moves, paths: 0 }
}
