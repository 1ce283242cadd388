/** What applications do with the client library's idempotent producer, as a table. */

/** One writer's next action: [writer, how many records, how]. A fenced writer has been replaced, and must be told so. */
export type Write = [writer: string, records: number, how?: { also?: 'restart' | 'close'; isFenced?: true }]

export interface ClientWriterCase {
  id: string
  writers: Record<string, { epoch?: number; autoClaim?: true; maxInFlight?: number; lingerMs?: number }>
  /** Writes of a round are under way together; rounds follow one another. */
  rounds: Write[][]
}

const inTurn = (...writes: Write[]): Write[][] => writes.map((write) => [write])
const fenced = { isFenced: true } as const
const oneBatchEach = { lingerMs: 0 }

export const clientWriterCases: readonly ClientWriterCase[] = [
  { id: 'pipelined', writers: { a: { maxInFlight: 5, ...oneBatchEach } }, rounds: inTurn(['a', 40], ['a', 20]) },
  { id: 'batched', writers: { a: { lingerMs: 20 } }, rounds: inTurn(['a', 60]) },
  {
    id: 'explicit-epoch-takes-over',
    writers: { a: { epoch: 0, ...oneBatchEach }, b: { epoch: 1, ...oneBatchEach } },
    rounds: inTurn(['a', 3], ['b', 3], ['a', 1, fenced], ['b', 2]),
  },
  { id: 'restarts-its-epoch', writers: { a: oneBatchEach }, rounds: inTurn(['a', 3], ['a', 3, { also: 'restart' }], ['a', 2]) },
  { id: 'closes-with-a-last-record', writers: { a: oneBatchEach }, rounds: inTurn(['a', 4], ['a', 2, { also: 'close' }]) },
  {
    id: 'auto-claim-after-explicit-epoch',
    writers: { a: { epoch: 3, ...oneBatchEach }, b: { autoClaim: true, ...oneBatchEach } },
    rounds: inTurn(['a', 3], ['b', 3], ['a', 1, fenced], ['b', 2]),
  },
  {
    id: 'auto-claim-while-more-is-under-way',
    writers: { a: { epoch: 3, ...oneBatchEach }, b: { autoClaim: true, maxInFlight: 5, ...oneBatchEach } },
    rounds: inTurn(['a', 2], ['b', 30], ['b', 5]),
  },
  {
    id: 'auto-claim-after-auto-claim',
    writers: { a: { autoClaim: true, ...oneBatchEach }, b: { autoClaim: true, ...oneBatchEach } },
    rounds: inTurn(['a', 3], ['b', 5]),
  },
  {
    id: 'two-auto-claims-at-once',
    writers: { a: { autoClaim: true, ...oneBatchEach }, b: { autoClaim: true, ...oneBatchEach } },
    rounds: [[['a', 1], ['b', 1]], ...inTurn(['b', 1])],
  },
]
