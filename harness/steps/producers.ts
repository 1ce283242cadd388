/** Idempotent producers: what they may do, case by case, and how they go on after something happened. */
import type { Via } from '../history.ts'
import { encodeRecord } from '../record.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { streamKind } from '../streams.ts'
import type { KnownStream } from '../operations.ts'
import { createOne, inParallel, recordId } from './create-streams.ts'
import { malformedHeaders, producerCases, type ProducerCase, type Send } from './producer-cases.ts'

export interface Producers {
  kind: 'producers'
  /** 'every', or ids of producer-cases.ts. */
  cases: 'every' | string[]
  /** Kinds of stream; each case gets a stream of its own of each. */
  kinds: string[]
  /** By which ways they write, in turn: each case by each of them where there are more kinds than ways. */
  via: Via[]
  prefix: string
}

export interface ProducersGoOn {
  kind: 'producers-go-on'
  via: Via[]
  prefix: string
}

/** Lets producers do what the table says, each case on streams of its own. */
export function producers(options: { cases: 'every' | string[]; kinds: string[]; via: Via[]; prefix?: string }): Producers {
  return { kind: 'producers', prefix: 'producer', ...options }
}

/**
 * Each producer of the streams that begin with `prefix` sends its last append again, one of the epoch
 * before, one beyond a gap, and its next one: what it had acknowledged must still count.
 */
export function producersGoOn(options: { via: Via[]; prefix?: string }): ProducersGoOn {
  return { kind: 'producers-go-on', prefix: 'producer', ...options }
}

const payloadBytes = 60
const concurrencyMax = 16

export const producersInterpreter: Interpreter<Producers> = async (step, context) => {
  const cases = step.cases === 'every' ? producerCases : step.cases.map(caseOf)
  const jobs = cases.flatMap((one, row) =>
    step.kinds.map((kind, column) => () => runCase(context, step.prefix, one, kind, step.via[(row + column) % step.via.length]!)),
  )
  context.progress(`${jobs.length} cases of idempotent producers`)
  await inParallel(jobs, concurrencyMax, context.signal)
  if (step.cases === 'every') await sendMalformed(context, step.prefix)
}

function caseOf(id: string): ProducerCase {
  const found = producerCases.find((one) => one.id === id)
  if (!found) throw new TypeError(`no case of producers is called "${id}"`)
  return found
}

async function runCase(context: StepContext, prefix: string, one: ProducerCase, kind: string, via: Via): Promise<void> {
  const stream = await createOne(context, { ...streamKind(kind), records: 0 }, `${prefix}-${one.id}-${kind}-${via}`)
  stream.producer = { id: one.id, epoch: 0, nextSeq: 0 }
  const records = new Map<string, string>()
  for (const round of one.rounds) {
    context.signal.throwIfAborted()
    await Promise.all(round.map((send) => sendOne(context, stream, via, send, records)))
  }
}

async function sendOne(context: StepContext, stream: KnownStream, via: Via, send: Send, records: Map<string, string>): Promise<void> {
  const [epoch, seq, { again, answerIsLost, closes, writer = 'first' } = {}] = send
  const key = `${epoch}/${seq}`
  // Named before anything is sent: what is under way together shares the record.
  const record = (again && records.get(key)) || recordId(stream)
  records.set(key, record)
  const told = { ...(again ? { retry: true } : {}), ...(closes ? { closes } : {}), ...(answerIsLost ? { loseAnswer: true } : {}) }
  const outcome = await context.operations.append(`${writer}-writer`, stream, via, record, payloadBytes, {
    producer: { id: stream.producer!.id, epoch, seq },
    ...told,
  })
  if (outcome.kind !== 'ok') return
  remember(stream, epoch, seq, record)
  if (closes) stream.closed = true
}

/** What the producer knows of itself after an acknowledged append. */
function remember(stream: KnownStream, epoch: number, seq: number, record: string): void {
  const known = stream.producer!
  if (epoch < known.epoch || (epoch === known.epoch && seq < known.nextSeq)) return
  stream.producer = { ...known, epoch, nextSeq: seq + 1, lastRecord: record }
}

async function sendMalformed(context: StepContext, prefix: string): Promise<void> {
  const stream = await createOne(context, { ...streamKind('no-expiry'), records: 1 }, `${prefix}-malformed`)
  const body = encodeRecord(context.seed, recordId(stream), stream.contentType, payloadBytes)
  for (const [what, headers] of malformedHeaders) {
    await context.operations.exchange(`malformed-producer/${what}`, 'origin', 'POST', stream.path, { 'content-type': stream.contentType, ...headers }, body)
  }
}

export const producersGoOnInterpreter: Interpreter<ProducersGoOn> = async (step, context) => {
  const streams = [...context.streams.values()].filter((stream) => stream.name.startsWith(step.prefix) && stream.producer?.lastRecord !== undefined)
  if (streams.length === 0) throw new Error(`producersGoOn: no producer has written a stream that begins with "${step.prefix}"`)
  const jobs = streams.map((stream, index) => () => goOn(context, stream, step.via[index % step.via.length]!))
  await inParallel(jobs, concurrencyMax, context.signal)
}

async function goOn(context: StepContext, stream: KnownStream, via: Via): Promise<void> {
  const { epoch, nextSeq, lastRecord } = stream.producer!
  const records = new Map([[`${epoch}/${nextSeq - 1}`, lastRecord!]])
  const closes = stream.closed ? ({ closes: true } as const) : {}
  const sends: Send[] = [
    [epoch, nextSeq - 1, { again: true, ...closes }],
    ...(epoch > 0 ? [[epoch - 1, 0] as Send] : []),
    [epoch, nextSeq + 3],
    [epoch, nextSeq],
  ]
  for (const send of sends) await sendOne(context, stream, via, send, records)
}
