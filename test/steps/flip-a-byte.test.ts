/** A byte that is changed: in which record of which streams, what the history says of it, and when there was none. */
import { expect, it } from 'vitest'
import type { Damage, FlippedByte, SoughtRecord } from '../../harness/data-dir/flip-a-byte.ts'
import type { HistoryEvent } from '../../harness/history.ts'
import { Recorder, Sequence } from '../../harness/recorder.ts'
import { WorldBroken, type StepContext } from '../../harness/step.ts'
import { flipAByte, flipAByteInterpreter } from '../../harness/steps/flip-a-byte.ts'
import { start } from '../../harness/steps/start-stop.ts'

const streamOf = (name: string, recordsWritten = 7) => ({ name, path: `/${name}`, kind: 'no-expiry', contentType: 'text/plain', incarnation: 2, closed: false, deleted: false, recordsWritten })
const byte: FlippedByte = { file: 'streams/a/data.seg', at: 1_234, before: 97, after: 96 }

interface Fake {
  change?: (sought: SoughtRecord, damage: Damage) => Promise<FlippedByte | null>
  isRunning?: boolean
  /** Records that the start takes off the disk; it fails where this is an error. */
  takes?: string[]
  failsBy?: Error
}

async function flip(where: 'payload' | 'length', { change = async () => byte, isRunning = false, takes = [], failsBy }: Fake) {
  const events: HistoryEvent[] = []
  const recorder = new Recorder('test', new Sequence(), [{ write: (event) => void events.push(event) }])
  // In the order in which they came to be made.
  const streams = new Map(['a-5', 'a-1', 'a-4', 'a-2', 'a-3', 'b-1'].map((name) => [name, streamOf(name)]))
  streams.set('a-0', streamOf('a-0', 2))
  const ran: unknown[] = []
  const world = {
    flipAByte: change,
    usage: async () => (isRunning ? {} : null),
    recordsOnDisk: async (sought: SoughtRecord[]) => new Set(sought.map(({ record }) => record).filter((record) => ran.length === 0 || !takes.includes(record))),
  }
  const run = async (steps: unknown[]) => {
    ran.push(...steps)
    if (failsBy) throw failsBy
  }
  const step = flipAByte('a-', { where, steps: [start('origin')] })
  const ended = await flipAByteInterpreter(step, { recorder, seed: 1, streams, world, run } as unknown as StepContext).then(() => null, (error: unknown) => error)
  return { events, ended, ran }
}

it('is in the middle of each stream of that name that has a middle, in each byte of a length in turn', async () => {
  const asked: unknown[] = []
  const change = async (...all: unknown[]) => {
    asked.push(all)
    return byte
  }
  const { events, ended, ran } = await flip('length', { change })
  expect(ended).toBeNull()
  expect(ran).toMatchObject([{ kind: 'start', hop: 'origin' }])
  const lengthBytes = [0, 1, 2, 3, 0]
  expect(asked).toEqual([1, 2, 3, 4, 5].map((n, index) => [{ record: `a-${n}/2.4`, contentType: 'text/plain' }, { where: 'length', lengthByte: lengthBytes[index] }]))
  expect(events.slice(0, -1)).toMatchObject([1, 2, 3, 4, 5].map((n) => ({ kind: 'damaged-record', stream: `a-${n}`, incarnation: 2, record: `a-${n}/2.4`, where: 'length', ...byte })))
  const proof = [1, 2, 3].map((n) => `byte 1,234 of streams/a/data.seg (a-${n}/2.4) went from 97 to 96`).join(', ')
  expect(events.at(-1)).toMatchObject({ kind: 'fault', fault: 'flipped-length', phase: 'injected', proven: true, proof: `${proof} and 2 more` })
})

it.each([undefined, new WorldBroken('the origin was not ready')])('tells which other records the files hold no longer, also after a start that ended with %s', async (failsBy) => {
  const { events, ended } = await flip('payload', { takes: ['a-2/2.4', 'a-2/2.5', 'a-2/2.6', 'a-4/2.7', 'b-1/2.7'], ...(failsBy ? { failsBy } : {}) })
  expect(ended).toBe(failsBy ?? null)
  expect(events.filter(({ kind }) => kind === 'records-gone')).toMatchObject([
    { stream: 'a-2', incarnation: 2, records: ['a-2/2.5', 'a-2/2.6'] },
    { stream: 'a-4', incarnation: 2, records: ['a-4/2.7'] },
  ])
})

it.each([
  ['was not found below data_dir', async () => null],
  ['cannot be changed (EACCES)', async () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }))],
  ['cannot be changed (Error: not its length)', async () => Promise.reject(new Error('not its length'))],
])('ends the scenario where the data of one %s', async (words, otherwise) => {
  const { events, ended, ran } = await flip('payload', { change: async ({ record }) => (record.startsWith('a-3') ? otherwise() : byte) })
  expect(ended).toBeInstanceOf(WorldBroken)
  expect(ran).toEqual([])
  expect(events.filter(({ kind }) => kind === 'damaged-record')).toHaveLength(4)
  expect(events.at(-1)).toMatchObject({ proven: false, proof: `the data of a-3/2.4 ${words}` })
})

it('changes nothing below a server that runs', async () => {
  const { events, ended } = await flip('payload', { isRunning: true })
  expect(String(ended)).toContain('the origin is running')
  expect(events).toEqual([])
})
