/**
 * The search for a smaller scenario that still fails: what a family of reductions allows is tried, largest
 * first and several at a time, until a whole round changes nothing. Whether one fails is for the caller to
 * find out, since each takes a real run. Pure but for that.
 */
import type { Scenario } from '../scenario.ts'
import type { Family, Reduction } from './reductions.ts'

export interface Search {
  families: readonly Family[]
  /** Which of these scenarios fail as the first one does; null for one of which that was not told, since another one fails. */
  fail(candidates: Scenario[]): Promise<(boolean | null)[]>
  /** So many at once. */
  candidatesMax: number
  /** Time is over: what is best so far is the answer. */
  isOver(): boolean
  /** Told of each smaller one that fails. */
  onBetter(scenario: Scenario): void | Promise<void>
}

/** The smallest that was found to fail; the given one where none smaller does. */
export async function shrinkScenario(scenario: Scenario, search: Search): Promise<Scenario> {
  const tried = new Set([JSON.stringify(scenario)])
  let best = scenario
  for (let before = ''; before !== JSON.stringify(best) && !search.isOver(); ) {
    before = JSON.stringify(best)
    for (const family of search.families) best = await sweep(best, family, tried, search)
  }
  return best
}

/** What did not go is not tried again in this round, though the rest has become another. */
async function sweep(scenario: Scenario, family: Family, tried: Set<string>, search: Search): Promise<Scenario> {
  const stubborn = new Set<string>()
  let best = scenario
  while (!search.isOver()) {
    const batch = nextOf(family(best), search.candidatesMax, tried, stubborn)
    if (batch.length === 0) return best
    const failing = await search.fail(batch.map((reduction) => reduction.scenario))
    const found = batch.findIndex((_, index) => failing[index])
    for (const [index, reduction] of batch.entries()) {
      // One that fails as well, or may, is tried again on what is best now.
      if (failing[index] !== false && index !== found) continue
      tried.add(JSON.stringify(reduction.scenario))
      if (!failing[index]) stubborn.add(reduction.key)
    }
    if (found < 0) continue
    best = batch[found]!.scenario
    await search.onBetter(best)
  }
  return best
}

/** The first ones that were not tried, each once. */
function nextOf(reductions: readonly Reduction[], countMax: number, tried: ReadonlySet<string>, stubborn: ReadonlySet<string>): Reduction[] {
  const seen = new Set<string>()
  const next: Reduction[] = []
  for (const reduction of reductions) {
    if (next.length === countMax) break
    if (stubborn.has(reduction.key)) continue
    const text = JSON.stringify(reduction.scenario)
    if (tried.has(text) || seen.has(text)) continue
    seen.add(text)
    next.push(reduction)
  }
  return next
}
