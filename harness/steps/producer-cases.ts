/** What idempotent producers do, as a table: PROTOCOL.md 5.2.1 in the order of its sections. */

/** One append of one producer: [epoch, sequence, how]. */
export type Send = [epoch: number, seq: number, how?: SendOptions]

export interface SendOptions {
  /** The record that was sent with this epoch and sequence before, once more. */
  again?: true
  /** The server takes it; the writer never learns. */
  answerIsLost?: true
  closes?: true
  /** Another process with the same producer id. */
  writer?: 'second'
}

export interface ProducerCase {
  id: string
  /** Sends of a round are under way together; rounds follow one another. */
  rounds: Send[][]
}

const inTurn = (...sends: Send[]): Send[][] => sends.map((send) => [send])
const again = { again: true } as const
const second = { writer: 'second' } as const
const secondAgain = { writer: 'second', again: true } as const

export const producerCases: readonly ProducerCase[] = [
  { id: 'in-order', rounds: inTurn([0, 0], [0, 1], [0, 2], [0, 3]) },
  { id: 'first-epoch-is-not-zero', rounds: inTurn([5, 0], [5, 1]) },
  { id: 'every-append-sent-twice', rounds: inTurn([0, 0], [0, 0, again], [0, 1], [0, 1, again], [0, 2], [0, 2, again], [0, 0, again]) },
  {
    id: 'crash-before-the-answer',
    rounds: inTurn([0, 0], [0, 1, { answerIsLost: true }], [0, 1, again], [0, 2, { answerIsLost: true }], [0, 2, again], [0, 3]),
  },
  { id: 'first-answer-is-lost', rounds: inTurn([0, 0, { answerIsLost: true }], [0, 0, again], [0, 1]) },
  { id: 'gap', rounds: inTurn([0, 0], [0, 2], [0, 9], [0, 1], [0, 2, again], [0, 3]) },
  { id: 'first-sequence-is-not-zero', rounds: inTurn([0, 3], [0, 0], [0, 1]) },
  {
    id: 'zombie',
    rounds: inTurn([0, 0], [0, 1], [1, 0, second], [0, 2], [0, 1, again], [1, 1, second], [0, 3], [1, 1, secondAgain], [1, 2, second]),
  },
  {
    id: 'crash-before-the-answer-to-a-claim',
    rounds: inTurn([0, 0], [1, 0, { writer: 'second', answerIsLost: true }], [0, 1], [1, 0, secondAgain], [1, 1, second], [0, 1, again]),
  },
  { id: 'new-epoch-begins-at-zero', rounds: inTurn([0, 0], [1, 1], [0, 1], [1, 0, second], [0, 2]) },
  { id: 'epochs-are-skipped', rounds: inTurn([0, 0], [7, 0, second], [7, 1, second], [3, 0], [6, 9], [8, 0]) },
  {
    id: 'two-claims-at-once',
    rounds: [[[0, 0]], [[1, 0, second], [2, 0]], ...inTurn([2, 1], [1, 1, second], [2, 2])],
  },
  {
    id: 'overtaking',
    rounds: [
      [[0, 4], [0, 3], [0, 2], [0, 1], [0, 0]],
      ...inTurn([0, 0, again], [0, 1, again], [0, 2, again], [0, 3, again], [0, 4, again]),
    ],
  },
  {
    id: 'pipelined',
    rounds: [
      [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4]],
      ...inTurn([0, 0, again], [0, 1, again], [0, 2, again], [0, 3, again], [0, 4, again], [0, 5]),
    ],
  },
  { id: 'same-append-many-times-at-once', rounds: [[[0, 0]], [[0, 1], [0, 1, again], [0, 1, again], [0, 1, again]], [[0, 2]]] },
  {
    id: 'closes-the-stream',
    rounds: inTurn([0, 0], [0, 1, { closes: true }], [0, 1, { again: true, closes: true }], [0, 2], [0, 0, again]),
  },
  {
    id: 'crash-before-the-answer-to-the-close',
    rounds: inTurn([0, 0], [0, 1, { closes: true, answerIsLost: true }], [0, 1, { again: true, closes: true }], [1, 0, second]),
  },
  { id: 'fenced-writer-may-not-close', rounds: inTurn([0, 0], [1, 0, second], [0, 1, { closes: true }], [1, 1, second]) },
]

/** Producer headers that a server must refuse with 400. */
export const malformedHeaders: readonly [what: string, headers: Record<string, string>][] = [
  ['no-epoch', { 'producer-id': 'p', 'producer-seq': '0' }],
  ['no-sequence', { 'producer-id': 'p', 'producer-epoch': '0' }],
  ['no-id', { 'producer-epoch': '0', 'producer-seq': '0' }],
  ['empty-id', { 'producer-id': '', 'producer-epoch': '0', 'producer-seq': '0' }],
  ['epoch-is-no-number', { 'producer-id': 'p', 'producer-epoch': 'one', 'producer-seq': '0' }],
  ['negative-sequence', { 'producer-id': 'p', 'producer-epoch': '0', 'producer-seq': '-1' }],
  ['sequence-is-no-integer', { 'producer-id': 'p', 'producer-epoch': '0', 'producer-seq': '0.5' }],
]
