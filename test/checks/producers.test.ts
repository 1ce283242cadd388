import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProducerModel, transitionOf, type ProducerAnswer, type ProducerRequest } from '../../harness/checks/producer-model.ts'
import type { EventBody } from '../../harness/history.ts'
import { producerCases } from '../../harness/steps/producer-cases.ts'
import { created, judge, killed, operation, read } from './judging.ts'

const none: ProducerAnswer = { status: 0, epoch: null, seq: null, expectedSeq: null, receivedSeq: null, closed: false }
const append = (epoch: number, seq: number, closes = false): ProducerRequest => ({ epoch, seq, closes })

/** A server that does what the protocol says, one request after another. */
class RightServer {
  #state: Parameters<typeof transitionOf>[0] = { producer: null, closedBy: null }
  handle(request: ProducerRequest): ProducerAnswer {
    const { answer, after } = transitionOf(this.#state, request)
    this.#state = after
    return { ...none, ...answer }
  }
}

/** Sends in turn; gives the right answers to the first that was wrong, and its index. */
function judged(sends: [ProducerRequest, Partial<ProducerAnswer>][]): { index: number; right: string[] } | null {
  const model = new ProducerModel()
  for (const [index, [request, answer]] of sends.entries()) {
    model.invoke(index, request)
    const right = model.answered(index, { ...none, ...answer })
    if (right.length > 0) return { index, right }
  }
  return null
}

describe('the model of a producer', () => {
  it('allows the answers of the protocol, and no others', () => {
    const first: [ProducerRequest, Partial<ProducerAnswer>] = [append(0, 0), { status: 200, epoch: 0, seq: 0 }]
    expect(judged([first, [append(0, 1), { status: 200, epoch: 0, seq: 1 }]])).toBeNull()
    expect(judged([first, [append(0, 0), { status: 204, epoch: 0, seq: 0 }]])).toBeNull()
    expect(judged([first, [append(0, 0), { status: 200, epoch: 0, seq: 0 }]])).toEqual({ index: 1, right: ['204 (Producer-Epoch 0, Producer-Seq 0)'] })
    expect(judged([first, [append(0, 2), { status: 409, expectedSeq: 1, receivedSeq: 2 }]])).toBeNull()
    expect(judged([first, [append(0, 2), { status: 200, epoch: 0, seq: 2 }]])?.index).toBe(1)
    expect(judged([first, [append(0, 2), { status: 409, expectedSeq: 2, receivedSeq: 2 }]])?.index).toBe(1)
    expect(judged([first, [append(1, 1), { status: 400 }]])).toBeNull()
    expect(judged([first, [append(1, 0), { status: 200, epoch: 1, seq: 0 }], [append(0, 1), { status: 403, epoch: 1 }]])).toBeNull()
    expect(judged([first, [append(1, 0), { status: 200, epoch: 1, seq: 0 }], [append(0, 1), { status: 200, epoch: 0, seq: 1 }]])?.index).toBe(2)
    expect(judged([first, [append(1, 0), { status: 200, epoch: 1, seq: 0 }], [append(0, 1), { status: 403 }]])?.index).toBe(2)
  })

  it('knows the request that closed the stream again, and refuses every other', () => {
    const close: [ProducerRequest, Partial<ProducerAnswer>] = [append(0, 0, true), { status: 200, epoch: 0, seq: 0, closed: true }]
    expect(judged([close, [append(0, 0, true), { status: 204, closed: true }], [append(0, 1), { status: 409, closed: true }]])).toBeNull()
    expect(judged([close, [append(0, 1), { status: 200, epoch: 0, seq: 1 }]])?.index).toBe(1)
  })

  it('takes an append without an answer as done or not, but not as both', () => {
    const model = new ProducerModel()
    model.invoke(1, append(0, 0))
    model.unanswered(1)
    model.invoke(2, append(0, 0))
    expect(model.answered(2, { ...none, status: 204, epoch: 0, seq: 0 })).toEqual([])
    model.invoke(3, append(0, 1))
    expect(model.answered(3, { ...none, status: 409, expectedSeq: 0, receivedSeq: 1 })).not.toEqual([])
  })

  it('lets an append without an answer happen until the server ends, and not after', () => {
    const late = (ended: boolean) => {
      const model = new ProducerModel()
      model.invoke(1, append(0, 0))
      model.unanswered(1)
      if (ended) model.serverEnded()
      model.invoke(2, append(0, 1))
      const first = model.answered(2, { ...none, status: 409, expectedSeq: 0, receivedSeq: 1 })
      model.invoke(3, append(0, 1))
      return [first, model.answered(3, { ...none, status: 200, epoch: 0, seq: 1 })]
    }
    expect(late(false)).toEqual([[], []])
    expect(late(true)).toEqual([[], ['409 (Producer-Expected-Seq 0, Producer-Received-Seq 1)']])
  })

  it('takes nothing from an append that was never connected', () => {
    const model = new ProducerModel()
    model.invoke(1, append(0, 0))
    model.neverHappened(1)
    model.invoke(2, append(0, 0))
    expect(model.answered(2, { ...none, status: 204, epoch: 0, seq: 0 })).toEqual(['200 (Producer-Epoch 0, Producer-Seq 0)'])
  })

  it('stays small however often an append is tried in vain', () => {
    const model = new ProducerModel()
    for (let id = 0; id < 5_000; id += 1) {
      model.invoke(id, append(0, 0))
      model.unanswered(id)
    }
    model.invoke(5_000, append(0, 0))
    expect(model.answered(5_000, { ...none, status: 200, epoch: 0, seq: 0 })).toEqual([])
    expect(model.givenUp).toBe('')
  })

  const request = fc.record({ epoch: fc.nat({ max: 2 }), seq: fc.nat({ max: 3 }), closes: fc.boolean() })
  /** Overlapping requests: each is under way while `overlap` further ones begin, and takes effect anywhere in between. */
  const plan = fc.array(fc.record({ request, effectAfter: fc.nat({ max: 2 }), answered: fc.boolean() }), { maxLength: 12 })

  it('never blames a right server, in whatever order overlapping requests took effect and whichever answers were lost', () => {
    fc.assert(
      fc.property(plan, (sends) => {
        const server = new RightServer()
        const model = new ProducerModel()
        const open: { id: number; due: number; answered: boolean; request: ProducerRequest }[] = []
        const settle = (until: number) => {
          for (const one of open.filter(({ due }) => due <= until)) {
            open.splice(open.indexOf(one), 1)
            const answer = server.handle(one.request)
            if (one.answered) expect(model.answered(one.id, answer)).toEqual([])
            else model.unanswered(one.id)
          }
        }
        for (const [id, send] of sends.entries()) {
          model.invoke(id, send.request)
          open.push({ id, due: id + send.effectAfter, answered: send.answered, request: send.request })
          settle(id)
        }
        settle(Infinity)
        expect(model.givenUp).toBe('')
      }),
      { numRuns: 300 },
    )
  })

  it('finds one wrong status among right answers that came in turn', () => {
    const wrong = fc.tuple(fc.array(request, { minLength: 1, maxLength: 10 }), fc.nat(), fc.constantFrom(200, 204, 400, 403, 409))
    fc.assert(
      fc.property(wrong, ([sends, at, status]) => {
        const server = new RightServer()
        const answers = sends.map((one): [ProducerRequest, ProducerAnswer] => [one, server.handle(one)])
        const index = at % sends.length
        fc.pre(answers[index]![1].status !== status)
        answers[index]![1] = { ...answers[index]![1], status }
        expect(judged(answers)?.index).toBe(index)
      }),
    )
  })
})

describe('the cases of producers', () => {
  it('meet each answer of the protocol', () => {
    const statuses = producerCases.flatMap(({ rounds }) => {
      const server = new RightServer()
      return rounds.flat().map(([epoch, seq, how]) => server.handle({ epoch, seq, closes: how?.closes === true }).status)
    })
    expect([...new Set(statuses)].toSorted()).toEqual([200, 204, 400, 403, 409])
  })
})

describe('producer-answers-are-right', () => {
  const verdict = (events: [number, EventBody][]) => judge('producer-answers-are-right', {}, events)
  const send = (atMs: number, epoch: number, seq: number, status: number | undefined, headers: Record<string, string> = {}) => {
    const kind = status === undefined ? 'info' : status < 400 ? 'ok' : status < 500 ? 'fail' : 'info'
    const append = { record: `s/1.${atMs}`, bytes: 10, producer: { id: 'p', epoch, seq } }
    const sent = operation(atMs, atMs + 1, { op: 'append', kind, append, headers })
    return status === undefined ? sent.map(([at, body]): [number, EventBody] => [at, { ...body, status: undefined } as unknown as EventBody]) : sent.map(([at, body]): [number, EventBody] => [at, 'status' in body ? ({ ...body, status } as EventBody) : body])
  }
  const right = [...created(0), ...send(10, 0, 0, 200, { 'producer-epoch': '0', 'producer-seq': '0' })]

  it('passes on right answers, and is unknown without one', () => {
    expect(verdict(right)).toMatchObject({ verdict: 'pass', examined: 1, value: 0 })
    expect(verdict(created(0)).verdict).toBe('unknown')
  })

  it('fails on a duplicate that is answered as new, and says what would have been right', () => {
    const wrong = verdict([...right, ...send(20, 0, 0, 200, { 'producer-epoch': '0', 'producer-seq': '0' })])
    expect(wrong).toMatchObject({ verdict: 'fail', value: 1, fingerprint: 'producer-answers-are-right/204-answered-200/no-expiry/none/origin' })
    expect(wrong.evidence[0]).toContain('right: 204 (Producer-Epoch 0, Producer-Seq 0)')
  })

  it('fails on a header that is missing where the status is right', () => {
    const wrong = verdict([...right, ...send(20, 0, 5, 409, { 'producer-received-seq': '5' })])
    expect(wrong.fingerprint).toBe('producer-answers-are-right/headers-of-409/no-expiry/none/origin')
  })

  it('takes a server error for no answer, and follows a producer across a kill', () => {
    const unclear = [...right, ...send(20, 0, 1, 503), ...killed(30, 1, 20)]
    const echo = { 'producer-epoch': '0', 'producer-seq': '1' }
    expect(verdict([...unclear, ...send(40, 0, 1, 200, echo)]).verdict).toBe('pass')
    expect(verdict([...unclear, ...send(40, 0, 1, 204, echo)]).verdict).toBe('pass')
    expect(verdict([...unclear, ...send(40, 0, 0, 200, echo)])).toMatchObject({ verdict: 'fail', fingerprint: 'producer-answers-are-right/204-answered-200/no-expiry/kill/origin' })
  })

  it('fails where malformed headers are taken', () => {
    const exchange = (status: number): [number, EventBody][] => [
      [50, { kind: 'exchange', label: 'malformed-producer/no-id', via: 'origin', method: 'POST', path: '/', invokedAtMs: 49, status, headers: {}, bytes: 0 }],
    ]
    expect(verdict([...right, ...exchange(400)])).toMatchObject({ verdict: 'pass', examined: 2 })
    expect(verdict([...right, ...exchange(204)]).fingerprint).toBe('producer-answers-are-right/malformed-no-id-answered-204/any/none/origin')
  })
})

describe('nothing-refused-is-stored', () => {
  it('takes a refused retry of a stored append for what it is', () => {
    const one = operation(10, 20, { op: 'append', append: { record: 's/1.1', bytes: 10 } })
    const zombie = operation(30, 40, { op: 'append', kind: 'fail', status: 403, append: { record: 's/1.1', bytes: 10, retry: true } })
    const back = read(50, 60, ['s/1.1'])
    expect(judge('nothing-refused-is-stored', {}, [...created(0), ...one, ...zombie, ...back]).verdict).toBe('pass')
  })
})
