/**
 * A scenario is data: what it proves, the world it needs, its steps and its checks. It survives
 * JSON.parse(JSON.stringify(...)) unchanged; replay, shrinking and generated schedules rest on that.
 */
import type { Assertions } from './check-spec.ts'
import type { Step } from './steps.ts'
import type { WorldNeeds } from './world.ts'

export interface Scenario extends Assertions {
  /** What it may take; of one that asks for the soak profile, beyond `--for`. */
  timeoutMs: { quick: number; full: number }
  world: WorldNeeds
  /**
   * 'alone' for a scenario that measures load or timing: nothing runs beside it. The others run
   * side by side.
   */
  runs: 'alone' | 'beside-others'
  /** Run only where this was given, and it is then all that is run; 'by-name': only where it is named. */
  asks?: 'data-dir-from' | 'profile soak' | 'by-name'
  steps: Step[]
  /** Run after the steps, once every hop is up again: liveness is asked only after faults have healed. */
  healed: Step[]
}

/** Types the value, and refuses what would not survive JSON. */
export function defineScenario(scenario: Omit<Scenario, 'healed'> & { healed?: Step[] }): Scenario {
  const whole: Scenario = { healed: [], ...scenario }
  return JSON.parse(JSON.stringify(whole)) as Scenario
}
