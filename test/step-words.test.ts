import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadScenarios } from '../harness/plan.ts'
import { resolveSize } from '../harness/run-scenario.ts'
import type { AnyStep, Sized } from '../harness/step.ts'
import { stepWords } from '../harness/step-words.ts'
import { append } from '../harness/steps/append.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { crowd } from '../harness/steps/crowd.ts'
import { during } from '../harness/steps/during.ts'
import { repeat } from '../harness/steps/repeat.ts'
import { kill, start, stop } from '../harness/steps/start-stop.ts'

const sizes = { profile: 'quick', readers: 10_000, streams: 1_000, forMs: 600_000, staleMs: 1_000 } as const
const size = (sized: Sized) => resolveSize(sized, sizes)

describe('a step in words', () => {
  it.each<[AnyStep, string | null]>([
    [kill('origin', { after: { event: 'append.ok', n: 400 } }), 'kill the origin after 400 acknowledged appends'],
    [kill('origin', { after: { event: 'append.ok', n: 25, upToMore: 25 } }), 'kill the origin after 25 to 50 acknowledged appends'],
    [stop('origin'), 'stop the origin (SIGTERM)'],
    [start('origin', { settings: { maxFileHandles: 8 } }), 'start the origin with max_file_handles 8'],
    [append({ writers: 12 }), 'append with 12 writers'],
    [createStreams({ kinds: ['json'], each: 990 }), 'create 990 json streams'],
    [createStreams({ kinds: ['json'], each: { quick: 0, full: 9 } }), null],
    [
      crowd({ mode: 'long-poll', path: 'tls-h2', readers: { option: 'readers' }, generations: 2, late: 10 }),
      '10,000 readers, long-poll through TLS and the cache over h2, 2 crowds and a late one',
    ],
    [during(append({ writers: 1 }), []), null],
    [repeat(3, []), null],
  ])('%j', (step, words) => {
    expect(stepWords(step, size)).toBe(words)
  })

  it('is no bare name of a kind in any scenario', async () => {
    const scenarios = await loadScenarios(path.join(import.meta.dirname, '..', 'scenarios'))
    const said = scenarios.flatMap((scenario) => [...scenario.steps, ...scenario.healed].flatMap(withinIt).map((step) => [step.kind, stepWords(step, size)]))
    expect(said.length).toBeGreaterThan(scenarios.length)
    expect(said.filter(([kind, words]) => words !== null && (words === kind || /undefined|NaN|\[object/.test(words!)))).toEqual([])
  })
})

/** A step and all that it holds. */
function withinIt(step: AnyStep): AnyStep[] {
  const { load = [], steps = [] } = step as { load?: AnyStep[]; steps?: AnyStep[] }
  return [step, ...[...load, ...steps].flatMap(withinIt)]
}
