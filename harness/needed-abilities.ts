/** What a scenario needs of the runtime before it can begin: read from its value. */
import { faultKind, type Fault } from './faults/faults.ts'
import type { Ability, Runtime } from './runtime/runtime.ts'
import type { Scenario } from './scenario.ts'

/** Why this runtime cannot hold the scenario, as a clause; null when it can. */
export async function whatIsLacking({ steps, healed, world }: Scenario, runtime: Runtime): Promise<string | null> {
  const needed = new Set<Ability>(faultsIn([...steps, ...healed]).flatMap((fault) => faultKind(fault).needs(fault)))
  if (world.dataVolumeBytes !== undefined) needed.add('limited-volume')
  if (world.dataDiskBytes !== undefined) needed.add('disk')
  for (const ability of needed) {
    const because = await runtime.lacks(ability)
    if (because !== null) return because
  }
  return null
}

/** Steps hold steps under whatever name; a fault is known by its kind. */
function faultsIn(value: unknown): Fault[] {
  if (Array.isArray(value)) return value.flatMap(faultsIn)
  if (typeof value !== 'object' || value === null) return []
  const own = 'kind' in value && value.kind === 'fault' && 'what' in value ? [value.what as Fault] : []
  return [...own, ...Object.values(value).flatMap(faultsIn)]
}
