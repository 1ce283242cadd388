/** Timings moved on purpose: when, by how much, and the same from the same seed. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { pauseBy, perturbationOf } from '../harness/perturbation.ts'

afterEach(() => vi.restoreAllMocks())

/** How long each of so many pauses of this actor is, in ms; 0 where it does not wait. */
async function pauses(upToMs: number, actor: string, seed = 7): Promise<number[]> {
  const pause = pauseBy({ seed, upToMs })
  const lasted: number[] = []
  for (let n = 0; n < 40; n += 1) {
    const beganAt = performance.now()
    await pause(actor)
    lasted.push(performance.now() - beganAt)
  }
  return lasted
}

describe('the timings of a repeated replay', () => {
  test('stay as they are in the first run and in every fifth after it, and are moved by more and more between', () => {
    expect([1, 2, 3, 4, 5, 6].map((nth) => perturbationOf(7, nth)?.upToMs ?? 0)).toEqual([0, 2, 8, 20, 50, 0])
    expect(perturbationOf(7, 2)!.seed).not.toBe(perturbationOf(7, 7)!.seed)
    expect(perturbationOf(2 ** 31 - 1, 5)!.seed).toBeLessThan(2 ** 31)
  })

  test('are not moved without a perturbation', async () => {
    const beganAt = performance.now()
    for (let n = 0; n < 100; n += 1) await pauseBy(null)('writer')
    expect(performance.now() - beganAt).toBeLessThan(50)
  })

  test('are moved about every other time, another actor otherwise', async () => {
    const [one, other] = [await pauses(8, 'writer-0'), await pauses(8, 'writer-1')]
    const waits = (lasted: number[]) => lasted.map((ms) => (ms >= 0.9 ? 'w' : '.')).join('')
    expect(one.filter((ms) => ms >= 0.9).length).toBeGreaterThan(8)
    expect(one.filter((ms) => ms < 0.9).length).toBeGreaterThan(8)
    expect(waits(one)).not.toBe(waits(other))
  })
})
