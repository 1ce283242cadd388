/**
 * Live readers by every way at once, and a writer: how long each event takes from its
 * acknowledgement to each reader. A hop that buffers shows as a way that is late.
 */
import { request, type Dispatcher } from 'undici'
import { Agent } from 'undici'
import type { Interpreter, StepContext } from '../step.ts'
import { unverified, type Endpoint, type KnownStream } from '../operations.ts'
import { monotonicMs } from '../clock.ts'
import type { Via } from '../history.ts'
import { findRecords } from '../record.ts'
import { within } from '../until.ts'
import { newStream, recordId } from './create-streams.ts'

export interface Passages {
  kind: 'passages'
  via: Via[]
  mode: 'long-poll' | 'sse'
  events: number
}

/** One reader by each way follows a stream while `events` records are appended, one after another. */
export function passages(options: Omit<Passages, 'kind'>): Passages {
  return { kind: 'passages', ...options }
}

const arrivalTimeoutMs = 5_000
/** Once a reader got nothing for so long, the next events are not waited for as long again. */
const afterMissTimeoutMs = 500

export const passagesInterpreter: Interpreter<Passages> = async (step, context) => {
  const kind = { id: 'followed', contentType: 'text/plain', records: 0, payloadBytes: 60 }
  const stream = newStream(context, kind, `followed-${step.mode}`)
  const created = await context.operations.create('creator', stream, 'origin', {
    streamKind: kind.id,
    contentType: kind.contentType,
  })
  const offset = created.headers?.['stream-next-offset'] ?? '-1'
  const stop = new AbortController()
  const board = new ArrivalBoard()
  const readers = step.via.map((via) => follow(context, stream, via, step.mode, offset, board, stop.signal))
  try {
    await within(board.attached(step.via.length), { for: `${step.via.length} live readers to attach`, timeoutMs: 10_000 })
    let waitMs = arrivalTimeoutMs
    for (let n = 0; n < step.events; n += 1) {
      const all = await appendAndAwait(step, context, stream, board, waitMs)
      if (!all) waitMs = afterMissTimeoutMs
    }
  } finally {
    stop.abort()
    await Promise.allSettled(readers)
  }
}

async function appendAndAwait(step: Passages, context: StepContext, stream: KnownStream, board: ArrivalBoard, waitMs: number): Promise<boolean> {
  const record = recordId(stream)
  const outcome = await context.operations.append('writer', stream, 'origin', record, 60)
  const ackAtMs = monotonicMs()
  if (outcome.kind !== 'ok') return true
  // A reader that gets nothing is an observation: the check sees the missing arrival.
  await within(board.arrivals(record, step.via.length), { for: record, timeoutMs: waitMs }).catch(() => {})
  let all = true
  for (const via of step.via) {
    const atMs = board.arrivalOf(record, via)
    if (atMs === undefined) {
      all = false
      context.recorder.record({ kind: 'sample', name: `no-arrival/${step.mode}/${via}`, value: 1, label: record })
      continue
    }
    context.recorder.record({
      kind: 'arrival',
      mode: step.mode,
      via,
      stream: stream.name,
      actor: `follower-${via}`,
      record,
      appendAckAtMs: ackAtMs,
      afterAckMs: atMs - ackAtMs,
    })
  }
  return all
}

/** Who has seen what, when; lets the writer wait for its readers. */
class ArrivalBoard {
  #attached = 0
  #seen = new Map<string, number>()
  #waiting: { met(): boolean; resolve(): void }[] = []

  attach(): void {
    this.#attached += 1
    this.#wake()
  }

  arrive(record: string, via: Via): void {
    const key = `${record} ${via}`
    if (!this.#seen.has(key)) this.#seen.set(key, monotonicMs())
    this.#wake()
  }

  arrivalOf(record: string, via: Via): number | undefined {
    return this.#seen.get(`${record} ${via}`)
  }

  attached(n: number): Promise<void> {
    return this.#when(() => this.#attached >= n)
  }

  arrivals(record: string, n: number): Promise<void> {
    return this.#when(() => [...this.#seen.keys()].filter((key) => key.startsWith(`${record} `)).length >= n)
  }

  #when(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ met, resolve })
    return promise
  }

  #wake(): void {
    for (const waiter of this.#waiting) if (waiter.met()) waiter.resolve()
  }
}

async function follow(
  context: StepContext,
  stream: KnownStream,
  via: Via,
  mode: 'long-poll' | 'sse',
  offset: string,
  board: ArrivalBoard,
  signal: AbortSignal,
): Promise<void> {
  const endpoint = context.world.endpoint(via)
  const agent = new Agent({ connections: 1, ...unverified(endpoint) })
  try {
    const reader = { endpoint, agent, stream, via, board, signal }
    if (mode === 'sse') await followEvents(reader, offset)
    else await followPolls(reader, offset)
  } catch (error) {
    // The end of the step cuts the reader off; everything else shows as a missing arrival.
    if (!signal.aborted) {
      context.recorder.record({ kind: 'sample', name: `reader-failed/${mode}/${via}`, value: 1, label: String(error) })
    }
  } finally {
    await agent.destroy()
  }
}

interface Follower {
  endpoint: Endpoint
  agent: Agent
  stream: KnownStream
  via: Via
  board: ArrivalBoard
  signal: AbortSignal
}

function get(reader: Follower, query: string): Promise<Dispatcher.ResponseData> {
  return request(`${reader.endpoint.url}${reader.stream.path}?${query}`, {
    dispatcher: reader.agent,
    headers: { host: reader.endpoint.authority, ...reader.endpoint.headers },
    signal: reader.signal,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

async function followEvents(reader: Follower, offset: string): Promise<void> {
  const response = await get(reader, `live=sse&offset=${encodeURIComponent(offset)}`)
  reader.board.attach()
  let text = ''
  for await (const chunk of response.body) {
    text += (chunk as Buffer).toString('utf8')
    const events = text.split('\n\n')
    text = events.pop()!
    for (const event of events) reportRecords(reader, dataOf(event))
  }
}

function dataOf(event: string): string {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'))
  return lines.map((line) => line.slice('data:'.length)).join('\n')
}

async function followPolls(reader: Follower, first: string): Promise<void> {
  let offset = first
  let cursor = ''
  reader.board.attach()
  while (!reader.signal.aborted) {
    const response = await get(reader, `${cursor}live=long-poll&offset=${encodeURIComponent(offset)}`)
    const body = await response.body.text()
    reportRecords(reader, body)
    offset = String(response.headers['stream-next-offset'] ?? offset)
    const given = response.headers['stream-cursor']
    cursor = given === undefined ? '' : `cursor=${encodeURIComponent(String(given))}&`
  }
}

function reportRecords(reader: Follower, text: string): void {
  for (const record of findRecords(Buffer.from(text), 'text/plain').records) reader.board.arrive(record, reader.via)
}
