/** The engine for tests, where one answers; else its tests are skipped, and say so loudly. */
import { openEngine, type Engine } from '../../harness/runtime/engine.ts'

export const engine: Engine | null = await openEngine().catch((error: Error) => {
  console.warn(`SKIPPED, no container was tested: ${error.message}`)
  return null
})
