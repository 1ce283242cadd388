/** Creates that must be refused: two lifetimes at once, and values that are none. */
import type { Interpreter } from '../step.ts'

export interface RefusedCreates {
  kind: 'refused-creates'
  creates: { name: string; headers: Record<string, string> }[]
}

/** Sends each create, then asks whether the stream exists after all. */
export function refusedCreates(creates: RefusedCreates['creates']): RefusedCreates {
  return { kind: 'refused-creates', creates }
}

export const refusedCreatesInterpreter: Interpreter<RefusedCreates> = async (step, context) => {
  const { operations, world } = context
  for (const create of step.creates) {
    const path = `${world.capabilities.streamBase}refused-${create.name}`
    const headers = { 'content-type': 'text/plain', ...create.headers }
    await operations.exchange(`refused-create/${create.name}`, 'origin', 'PUT', path, headers)
    await operations.exchange(`refused-look/${create.name}`, 'origin', 'GET', `${path}?offset=-1`)
  }
}
