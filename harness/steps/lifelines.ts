/**
 * Streams with a lifetime, each looked at at set times after its creation. What a look must find is
 * not said here: the check computes it from the history.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Interpreter, Sized, StepContext } from '../step.ts'
import type { KnownStream } from '../operations.ts'
import { monotonicMs } from '../clock.ts'
import type { Via } from '../history.ts'
import type { StreamKind } from '../streams.ts'
import { createRequest, newStream, recordId } from './create-streams.ts'

export interface Look {
  /** Milliseconds after the first record was acknowledged, from which a TTL counts; after the creation was, of an end by date. */
  atMs: number
  do: 'read' | 'head' | 'append' | 'long-poll' | 'sse' | 'recreate'
  via: Via
  /** For live reads: how long the reader waits for an answer's end. */
  waitMs?: number
}

export interface Lifeline {
  name: string
  ttlSeconds?: number
  expiresInSeconds?: number
  looks: Look[]
}

export interface Lifelines {
  kind: 'lifelines'
  copies: Sized
  lines: Lifeline[]
}

/** Makes `copies` streams for each line, all at once, and looks at each at its times. */
export function lifelines(options: { copies?: Sized; lines: Lifeline[] }): Lifelines {
  return { kind: 'lifelines', copies: 1, ...options }
}

const recordBytes = 80

export const lifelinesInterpreter: Interpreter<Lifelines> = async (step, context) => {
  const copies = context.size(step.copies)
  context.progress(`${step.lines.length * copies} streams live and expire`)
  const lives = step.lines.flatMap((line) =>
    Array.from({ length: copies }, (_, copy) => live(context, line, `${line.name}-${copy}`)),
  )
  await Promise.all(lives)
}

async function live(context: StepContext, line: Lifeline, name: string): Promise<void> {
  const kind: StreamKind = {
    id: line.name,
    contentType: 'text/plain',
    records: 1,
    payloadBytes: recordBytes,
    ...(line.ttlSeconds === undefined ? {} : { ttlSeconds: line.ttlSeconds }),
    ...(line.expiresInSeconds === undefined ? {} : { expiresInSeconds: line.expiresInSeconds }),
  }
  const stream = newStream(context, kind, name)
  await context.operations.create('owner', stream, 'origin', createRequest(kind))
  const createdAtMs = monotonicMs()
  // It may be slow, and puts a TTL off.
  const appended = await context.operations.append('owner', stream, 'origin', recordId(stream), recordBytes)
  const tail = appended.headers?.['stream-next-offset'] ?? '-1'
  const countsFromMs = line.ttlSeconds === undefined ? createdAtMs : monotonicMs()
  const looks = line.looks.map((look) => lookAt(context, { kind, stream, tail }, look, countsFromMs))
  await Promise.all(looks)
}

interface Living {
  kind: StreamKind
  stream: KnownStream
  /** The offset behind its first record. */
  tail: string
}

async function lookAt(context: StepContext, living: Living, look: Look, countsFromMs: number): Promise<void> {
  // Time itself is the subject here: this is the one place that sleeps.
  const waitMs = countsFromMs + look.atMs - monotonicMs()
  await delay(Math.max(0, waitMs), undefined, { signal: context.signal })
  await act(context, living, look)
}

async function act(context: StepContext, { kind, stream, tail }: Living, look: Look): Promise<void> {
  const { operations } = context
  const group = kind.id
  switch (look.do) {
    case 'read':
      await operations.readAll('looker', stream, look.via, group)
      return
    case 'head':
      await operations.head('looker', stream, look.via, group)
      return
    case 'append':
      await operations.append('looker', stream, look.via, recordId(stream), recordBytes)
      return
    case 'long-poll':
    case 'sse':
      await liveLook(context, { stream, tail }, look, group)
      return
    case 'recreate':
      await recreate(context, kind, stream, look.via)
  }
}

/** A live reader at the stream's tail; at its first one, where the tail cannot be asked any more. */
async function liveLook(context: StepContext, { stream, tail }: Pick<Living, 'stream' | 'tail'>, look: Look, group: string): Promise<void> {
  const { operations } = context
  const head = await operations.head('looker', stream, 'origin', group)
  const offset = head.headers?.['stream-next-offset'] ?? tail
  const query = `live=${look.do}&offset=${encodeURIComponent(offset)}`
  const timeoutMs = look.waitMs ?? 15_000
  const mode = look.do as 'long-poll' | 'sse'
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)])
  await operations.readOnce('looker', stream, look.via, query, { mode, group, timeoutMs, signal })
}

/** Makes the stream again at its path; its records carry the new incarnation in their ids. */
async function recreate(context: StepContext, kind: StreamKind, stream: KnownStream, via: Via): Promise<void> {
  stream.incarnation += 1
  stream.recordsWritten = 0
  const lasting: StreamKind = { ...kind, ttlSeconds: 600 }
  delete lasting.expiresInSeconds
  await context.operations.create('owner', stream, via, createRequest(lasting))
  await context.operations.append('owner', stream, via, recordId(stream), recordBytes)
}
