/** A power cut: what the history says of it, and that one that did not happen ends the scenario. */
import { expect, it } from 'vitest'
import type { HistoryEvent } from '../../harness/history.ts'
import { Recorder, Sequence } from '../../harness/recorder.ts'
import { WorldBroken, type StepContext } from '../../harness/step.ts'
import { cutPower, cutPowerInterpreter } from '../../harness/steps/cut-power.ts'

async function cut(found: { kept: boolean; lost: boolean }) {
  const events: HistoryEvent[] = []
  const done: unknown[] = []
  const recorder = new Recorder('test', new Sequence(), [{ write: (event) => void events.push(event) }])
  const world = {
    dataDisk: () => ({
      cutPower: async () => {
        done.push('cut')
        return { ...found, canaryBytes: 4_096 }
      },
    }),
  }
  const context = { recorder, world, run: async (steps: { kind: string }[]) => void done.push(...steps.map(({ kind }) => kind)) }
  const ended = await cutPowerInterpreter(cutPower(), context as unknown as StepContext).then(() => null, (error: unknown) => error)
  return { events, done, ended }
}

it('comes after the kill, and is proven by what is gone and what is there', async () => {
  const { events, done, ended } = await cut({ kept: true, lost: true })
  expect(ended).toBeNull()
  expect(done).toEqual(['kill', 'cut'])
  expect(events).toMatchObject([{ kind: 'fault', fault: 'power-cut', proven: true, proof: '4,096 bytes that were not forced to the disk were gone afterwards, 4,096 that had been were there' }])
})

it.each([{ kept: true, lost: false }, { kept: false, lost: true }])('ends the scenario where it did not happen so: %o', async (found) => {
  const { events, ended } = await cut(found)
  expect(ended).toBeInstanceOf(WorldBroken)
  expect(events).toMatchObject([{ proven: false }])
})
