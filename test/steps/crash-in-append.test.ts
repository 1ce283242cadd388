/** A crash in the middle of an append: what the history says of it, and that it is not taken for one that did not happen. */
import { expect, it } from 'vitest'
import type { HistoryEvent } from '../../harness/history.ts'
import { Recorder, Sequence } from '../../harness/recorder.ts'
import { WorldBroken, type StepContext } from '../../harness/step.ts'
import { crashInAppend, crashInAppendInterpreter } from '../../harness/steps/crash-in-append.ts'

const stream = { name: 'a', path: '/a', kind: 'producer', contentType: 'text/plain', incarnation: 1, closed: false, deleted: false, recordsWritten: 3, producer: { id: 'p', epoch: 0, nextSeq: 3 } }

async function crash(leaveACrash: (mark: string, data: Buffer) => Promise<unknown>) {
  const events: HistoryEvent[] = []
  const ran: unknown[] = []
  const recorder = new Recorder('test', new Sequence(), [{ write: (event) => void events.push(event) }])
  const context = { recorder, seed: 1, streams: new Map([['a', structuredClone(stream)]]), world: { leaveACrash }, run: async (steps: unknown[]) => void ran.push(...steps) }
  const ended = await crashInAppendInterpreter(crashInAppend('a', { written: 'whole' }), context as unknown as StepContext).then(() => null, (error: unknown) => error)
  return { events, ran, ended, known: context.streams.get('a')! }
}

it('kills the origin between the sending of the append and what it leaves, and knows no outcome', async () => {
  const marks: string[] = []
  const { events, ran, ended, known } = await crash(async (mark, data) => {
    marks.push(`${mark} ${data.toString().startsWith('@r a/1.4 ')}`)
    return { bytesBefore: 10, bytesAfter: 90 }
  })
  expect(ended).toBeNull()
  expect(ran).toMatchObject([{ kind: 'kill', hop: 'origin' }])
  expect(marks).toEqual(['@r a/1. true'])
  expect(events.map(({ kind }) => kind)).toEqual(['invoke', 'info', 'fault'])
  expect(events[1]).toMatchObject({ append: { record: 'a/1.4', producer: { id: 'p', epoch: 0, seq: 3 } } })
  expect(events[2]).toMatchObject({ proven: true, proof: 'the data of a went from 10 to 90 bytes' })
  expect(known.producer).toMatchObject({ nextSeq: 4, lastRecord: 'a/1.4' })
})

it.each([
  ['was not found below data_dir', async () => null],
  ['cannot be written to (EACCES)', async () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }))],
])('ends the scenario where its data %s', async (words, leaveACrash) => {
  const { events, ended } = await crash(leaveACrash)
  expect(ended).toBeInstanceOf(WorldBroken)
  expect(events.at(-1)).toMatchObject({ proven: false, proof: `the data of a ${words}` })
})
