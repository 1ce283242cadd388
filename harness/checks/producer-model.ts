/**
 * What a server may answer to one idempotent producer on one stream (PROTOCOL.md 5.2.1). The model
 * holds every state the server can be in: an append without an answer may have happened or not, and
 * appends in flight together in either order. An answer that fits none of them is wrong.
 */

/** What the server knows of a producer; null before its first append. */
export type ProducerState = { epoch: number; lastSeq: number } | null

export interface ProducerRequest {
  epoch: number
  seq: number
  /** Closes the stream with the same request. */
  closes: boolean
}

export interface ProducerAnswer {
  status: number
  /** `Producer-Epoch`, `Producer-Seq`, `Producer-Expected-Seq`, `Producer-Received-Seq`; null where absent. */
  epoch: number | null
  seq: number | null
  expectedSeq: number | null
  receivedSeq: number | null
  /** `Stream-Closed: true`. */
  closed: boolean
}

/** A request's right answer in one state, and the state after it. */
interface Transition {
  answer: Partial<ProducerAnswer> & { status: number }
  after: State
}

interface State {
  producer: ProducerState
  /** The epoch and sequence that closed the stream; null while it is open. */
  closedBy: { epoch: number; seq: number } | null
}

/** One way in which things may have happened so far. */
interface Possibility {
  state: State
  /** Requests under way that have taken effect already, with the answer they must get. */
  done: Map<number, Transition['answer']>
}

const possibilitiesMax = 2_000

/** The rules of PROTOCOL.md 5.2.1, "Validation Logic" and "Stream Closure with Idempotent Producers". */
export function transitionOf(state: State, request: ProducerRequest): Transition {
  const { producer, closedBy } = state
  const { epoch, seq, closes } = request
  if (closedBy !== null) {
    const same = closedBy.epoch === epoch && closedBy.seq === seq
    return { answer: same ? { status: 204, closed: true } : { status: 409, closed: true }, after: state }
  }
  if (producer !== null && epoch < producer.epoch) return { answer: { status: 403, epoch: producer.epoch }, after: state }
  if (producer !== null && epoch > producer.epoch && seq !== 0) return { answer: { status: 400 }, after: state }
  const lastSeq = producer === null || epoch > producer.epoch ? -1 : producer.lastSeq
  if (seq <= lastSeq) return { answer: { status: 204, epoch, seq: lastSeq }, after: state }
  if (seq > lastSeq + 1) return { answer: { status: 409, expectedSeq: lastSeq + 1, receivedSeq: seq }, after: state }
  const after = { producer: { epoch, lastSeq: seq }, closedBy: closes ? { epoch, seq } : null }
  return { answer: { status: 200, epoch, seq }, after }
}

/** Where the right answer to this is: for the words of a finding. */
export function wordsOf(answer: Partial<ProducerAnswer> & { status: number }): string {
  const parts = [
    answer.epoch == null ? '' : `Producer-Epoch ${answer.epoch}`,
    answer.seq == null ? '' : `Producer-Seq ${answer.seq}`,
    answer.expectedSeq == null ? '' : `Producer-Expected-Seq ${answer.expectedSeq}`,
    answer.receivedSeq == null ? '' : `Producer-Received-Seq ${answer.receivedSeq}`,
    answer.closed ? 'Stream-Closed' : '',
  ].filter(Boolean)
  return `${answer.status}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`
}

function fits(right: Transition['answer'], given: ProducerAnswer): boolean {
  return (Object.keys(right) as (keyof ProducerAnswer)[]).every((key) => right[key] === given[key])
}

export class ProducerModel {
  #possible: Possibility[] = [{ state: { producer: null, closedBy: null }, done: new Map() }]
  #pending = new Map<number, ProducerRequest>()
  /** Of these, those that will get no answer: they may take effect at any time, or never. */
  #unanswered = new Set<number>()
  /** Why nothing more is judged of this producer; empty while something is. */
  givenUp = ''

  /** A request is about to be sent. */
  invoke(id: number, request: ProducerRequest): void {
    if (!this.givenUp) this.#pending.set(id, request)
  }

  /** It certainly never reached the server. */
  neverHappened(id: number): void {
    this.#possible = this.#possible.filter(({ done }) => !done.has(id))
    this.#forget(id)
  }

  /**
   * Its answer has come. Returns the right answers where this is none of them; the model then follows
   * nothing of this producer any more, so that one mistake of the server is told once.
   */
  answered(id: number, given: ProducerAnswer): string[] {
    const request = this.#pending.get(id)
    if (request === undefined) return []
    const reached = this.#possible.flatMap((one) => this.#reach(one, id))
    if (this.givenUp) return []
    const right = new Set(reached.map((one) => wordsOf(one.done.get(id)!)))
    const fitting = reached.filter((one) => fits(one.done.get(id)!, given))
    this.#pending.delete(id)
    for (const { done } of fitting) done.delete(id)
    this.#keep(fitting)
    if (fitting.length > 0) return []
    this.#giveUp('an answer of the server was wrong')
    return [...right]
  }

  /** No answer will come. A second request of the same epoch and sequence can do no more than the first. */
  unanswered(id: number): void {
    const request = this.#pending.get(id)
    if (request === undefined) return
    const twin = [...this.#unanswered].some((other) => sameAppend(this.#pending.get(other)!, request))
    if (twin) return this.#forget(id)
    this.#unanswered.add(id)
    for (const { done } of this.#possible) if (done.has(id)) done.set(id, untold)
  }

  /** The server has ended: what was under way without an answer has happened by now, or never will. */
  serverEnded(): void {
    for (const id of this.#unanswered) {
      const reached = [...this.#possible, ...this.#possible.flatMap((one) => this.#reach(one, id))]
      if (this.givenUp) return
      this.#possible = reached
      this.#forget(id)
    }
    this.#keep(this.#possible)
  }

  /** It plays no part any more, whether it has taken effect or not. */
  #forget(id: number): void {
    this.#pending.delete(id)
    this.#unanswered.delete(id)
    for (const { done } of this.#possible) done.delete(id)
  }

  /** All that may be so once this request has taken effect, others under way perhaps before it. */
  #reach(from: Possibility, id: number): Possibility[] {
    const found: Possibility[] = []
    const open = [from]
    const seen = new Set<string>()
    while (open.length > 0) {
      const one = open.pop()!
      const key = keyOf(one)
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > possibilitiesMax) {
        this.#giveUp('too many appends of it were under way at once')
        return []
      }
      if (one.done.has(id)) found.push(one)
      else for (const next of this.#pending.keys()) if (!one.done.has(next)) open.push(...this.#take(one, next, id))
    }
    return found
  }

  /** The next request takes effect. One without an answer need not, where it would change nothing. */
  #take({ state, done }: Possibility, next: number, asked: number): Possibility[] {
    const { answer, after } = transitionOf(state, this.#pending.get(next)!)
    const isUntold = this.#unanswered.has(next)
    if (isUntold && after === state && next !== asked) return []
    return [{ state: after, done: new Map(done).set(next, isUntold ? untold : answer) }]
  }

  #keep(possible: Possibility[]): void {
    this.#possible = possible
    for (const id of this.#unanswered) {
      const request = this.#pending.get(id)!
      if (possible.every(({ state }) => isOver(state, request))) this.#forget(id)
    }
    const byKey = new Map(possible.map((one) => [keyOf(one), one]))
    this.#possible = [...byKey.values()]
    if (byKey.size > possibilitiesMax) this.#giveUp('too many of its appends had no answer')
  }

  #giveUp(because: string): void {
    this.givenUp = because
    this.#possible = []
    this.#pending.clear()
    this.#unanswered.clear()
  }
}

/** In place of the answer to a request that will get none. */
const untold: Transition['answer'] = { status: 0 }

function sameAppend(a: ProducerRequest, b: ProducerRequest): boolean {
  return a.epoch === b.epoch && a.seq === b.seq && a.closes === b.closes
}

/** Whatever comes, this request can have no effect any more: a stream stays closed, epochs and sequences only grow. */
function isOver({ producer, closedBy }: State, { epoch, seq }: ProducerRequest): boolean {
  if (closedBy !== null) return true
  return producer !== null && (epoch < producer.epoch || (epoch === producer.epoch && seq <= producer.lastSeq))
}

function keyOf({ state, done }: Possibility): string {
  return JSON.stringify([state, [...done].toSorted(([a], [b]) => a - b)])
}
