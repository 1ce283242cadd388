/**
 * Judges the scenarios of a run as their events come by: live, or again from the file. Pure, and the
 * only way from events to results, so that both give the same.
 */
import type { HistoryEvent, RunBegin, RunEnd, ScenarioBegin } from './history.ts'
import { Judge, type Ending } from './judge.ts'
import type { ScenarioResult } from './report/result.ts'

interface Open {
  judge: Judge
  beganAtMs: number
}

export class RunJudge {
  #beganAtMs: number | null = null
  #open = new Map<string, Open>()
  #results = new Map<string, ScenarioResult>()
  /** What was known of the run before its first scenario; null until the history says so. */
  begin: RunBegin | null = null
  /** How the run ended; null for one that has not, or died. */
  end: RunEnd | null = null

  /** @throws TypeError for a scenario that asserts a check there is none of. */
  write(event: HistoryEvent): void {
    if (event.kind === 'run') this.#takeRun(event)
    else if (event.kind !== 'scenario') this.#open.get(event.scenario)?.judge.write(event)
    else if (event.phase === 'begin') this.#begin(event)
    // What comes later is of steps that were left behind: nobody waited for it.
    else this.#end(event.scenario, event)
  }

  /** The scenarios that have ended, in the order in which they began. */
  get scenarios(): ScenarioResult[] {
    return [...this.#results.values()].toSorted((a, b) => a.startedAtMs - b.startedAtMs)
  }

  /** @throws TypeError for a scenario that has not ended. */
  resultOf(scenario: string): ScenarioResult {
    const result = this.#results.get(scenario)
    if (!result) throw new TypeError(`the history does not hold the end of scenario "${scenario}"`)
    return result
  }

  /** Ends the scenarios that are still open, with this reason; it is not the subject's doing. */
  endOpen(because: string): void {
    for (const scenario of Array.from(this.#open.keys())) this.#end(scenario, { stoppedBecause: because })
  }

  #takeRun(event: (RunBegin | RunEnd) & { atMs: number }): void {
    if (event.phase === 'end') {
      this.end = event
    } else {
      this.begin = event
      this.#beganAtMs = event.atMs
    }
  }

  #begin({ scenario, asserts, atMs }: ScenarioBegin & { atMs: number; scenario: string }): void {
    this.#open.set(scenario, { judge: new Judge(asserts), beganAtMs: atMs })
  }

  #end(scenario: string, ending: Ending): void {
    const open = this.#open.get(scenario)
    if (!open) return
    this.#open.delete(scenario)
    const startedAtMs = Math.round(open.beganAtMs - (this.#beganAtMs ?? open.beganAtMs))
    this.#results.set(scenario, { ...open.judge.finish(ending), startedAtMs })
  }
}
