/**
 * Generations of live readers at one offset, each reader as the protocol asks it to be: it goes on from
 * the offset it was told, with the cursor it was given. Between quiet times something is written, so that
 * some wait, some come late, and all have to get on.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../clock.ts'
import type { Answer, ReadMode } from '../history.ts'
import type { KnownStream } from '../operations.ts'
import { Readers, type Received } from '../schedule/reader.ts'
import { tellEpisode } from '../schedule/tell-episode.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { newStream, recordId } from './create-streams.ts'

type LiveMode = Extract<ReadMode, 'long-poll' | 'sse'>

export interface Generations {
  kind: 'generations'
  mode: LiveMode
  /** Readers a generation. */
  readers: number
  /** Nothing is written for so long, three times: longer than a poll or an event stream lasts. */
  quietMs: number
}

/** Two generations at the tail and one behind it, through the cache, over HTTP/1.1 and over TLS. */
export function generations(options: Omit<Generations, 'kind'>): Generations {
  return { kind: 'generations', ...options }
}

const recordBytes = 60
/** A reader that spins is stopped here: it has shown what it does. */
const requestsMax = 300
/** As a client does that was answered an error, or not at all. */
const pauseMs = 200
const answerTimeoutMs = 20_000

export const generationsInterpreter: Interpreter<Generations> = async (step, context) => {
  await using readers = new Readers((via) => context.world.endpoint(via))
  const kind = { id: 'followed', contentType: 'text/plain', records: 0, payloadBytes: 0 }
  const stream = newStream(context, kind, `generations-${step.mode}`)
  stream.deleted = true // Not for other writers.
  await context.operations.create('writer', stream, 'origin', { streamKind: kind.id, contentType: kind.contentType })
  const tail = await write(context, stream)
  const stop = new AbortController()
  const generation = (name: string) => Array.from({ length: step.readers }, (_, n) => follow({ step, context, readers, stream, signal: stop.signal }, `${name}-${n}`, n % 2 === 0 ? 'edge' : 'tls', tail))
  const quiet = () => delay(step.quietMs, undefined, { signal: context.signal })
  context.progress(`${step.readers * 3} live readers in three generations`)
  const running = generation('first')
  try {
    await quiet()
    running.push(...generation('second'))
    await quiet()
    await write(context, stream)
    running.push(...generation('late'))
    await quiet()
    await context.operations.close('writer', stream, 'edge')
    await Promise.race([Promise.all(running), quiet()])
  } finally {
    stop.abort()
    await Promise.allSettled(running)
    await tellEpisode(context, stream.name, [stream.path])
  }
}

async function write(context: StepContext, stream: KnownStream): Promise<string> {
  const outcome = await context.operations.append('writer', stream, 'edge', recordId(stream), recordBytes)
  if (outcome.kind !== 'ok') throw new Error(`the writer was answered ${outcome.status ?? outcome.error}`)
  return outcome.headers?.['stream-next-offset'] ?? '-1'
}

interface Following {
  step: Generations
  context: StepContext
  readers: Readers
  stream: KnownStream
  signal: AbortSignal
}

/** One reader, until the stream is closed or the step ends. */
async function follow(following: Following, actor: string, via: 'edge' | 'tls', from: string): Promise<void> {
  const { signal } = following
  let at: { offset: string; cursor: string | null } = { offset: from, cursor: null }
  for (let n = 0; n < requestsMax && !signal.aborted; n += 1) {
    const received = await askOnce(following, actor, via, at)
    const last = received.claims.at(-1)
    if (last?.closed) return
    if (last) at = { offset: last.nextOffset ?? at.offset, cursor: received.cursor ?? null }
    else await delay(pauseMs)
  }
}

async function askOnce({ step: { mode }, context, readers, stream, signal }: Following, actor: string, via: 'edge' | 'tls', { offset, cursor }: { offset: string; cursor: string | null }): Promise<Received> {
  const { recorder } = context
  const target = `${stream.path}?${cursor === null ? '' : `cursor=${encodeURIComponent(cursor)}&`}live=${mode}&offset=${encodeURIComponent(offset)}`
  const stays = { isEnough: () => signal.aborted, untilMs: () => (signal.aborted ? monotonicMs() : Infinity) }
  const received = await readers.ask({ via, mode, target, headers: {}, contentType: stream.contentType, timeoutMs: answerTimeoutMs, signal: mode === 'sse' ? context.signal : AbortSignal.any([signal, context.signal]), enough: stays })
  // One that the step's end cut off was not answered.
  if (signal.aborted) return received
  const { atMs, cursor: _given, ...rest } = received
  const answer: Answer = { kind: 'answer', id: recorder.nextId(), actor, stream: stream.name, via, mode, fromOffset: offset, target, ...rest }
  recorder.record(answer, atMs)
  return received
}
