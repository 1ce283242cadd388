/** Makes streams of given kinds and fills them, at the origin. */
import type { Interpreter, Sized, StepContext } from '../step.ts'
import type { KnownStream } from '../operations.ts'
import { monotonicMs } from '../clock.ts'
import type { CreateRequest } from '../history.ts'
import { encodeRecord } from '../record.ts'
import { recordSeries } from '../record-id.ts'
import { everyKind, streamKind, type StreamKind } from '../streams.ts'

export interface CreateStreams {
  kind: 'create-streams'
  /** 'every' is every kind but forks. */
  kinds: 'every' | string[]
  /** How many of each kind. */
  each: Sized
  /** Part of the streams' names, so that several such steps do not collide. */
  prefix: string
  /** Instead of the kind's own number of records. */
  records?: number
}

/** Makes `each` streams of every kind named, with all their records acknowledged. */
export function createStreams(options: {
  kinds: 'every' | string[]
  each?: Sized
  prefix?: string
  records?: number
}): CreateStreams {
  return { kind: 'create-streams', each: 1, prefix: 's', ...options }
}

const concurrencyMax = 32

export const createStreamsInterpreter: Interpreter<CreateStreams> = async (step, context) => {
  const kinds = step.kinds === 'every' ? everyKind : step.kinds.map(streamKind)
  const each = context.size(step.each)
  const jobs: (() => Promise<unknown>)[] = []
  for (const kind of kinds) {
    const sized = step.records === undefined ? kind : { ...kind, records: step.records }
    for (let n = 0; n < each; n += 1) {
      jobs.push(() => createOne(context, sized, `${step.prefix}-${kind.id}-${n}`))
    }
  }
  context.progress(`creating ${jobs.length} streams`)
  await inParallel(jobs, concurrencyMax, context.signal)
}

/** Runs jobs with at most `max` in flight. */
export async function inParallel(jobs: (() => Promise<unknown>)[], max: number, signal: AbortSignal): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < jobs.length && !signal.aborted) {
      const job = jobs[next]!
      next += 1
      await job()
    }
  }
  await Promise.all(Array.from({ length: Math.min(max, jobs.length) }, worker))
}

/** Makes and fills one stream; registers it in the context. */
export async function createOne(context: StepContext, kind: StreamKind, name: string): Promise<KnownStream> {
  if (kind.forkOf !== undefined) return createFork(context, kind, name)
  const stream = newStream(context, kind, name)
  await fill(context, kind, stream)
  if (kind.recreated) await deleteAndRecreate(context, kind, stream)
  if (kind.deleted) {
    await context.operations.delete('creator', stream, 'origin')
    stream.deleted = true
  }
  return stream
}

export function newStream(context: StepContext, kind: StreamKind, name: string): KnownStream {
  const segment = kind.name === undefined ? name : `${name}/${kind.name}`
  const stream: KnownStream = {
    name,
    path: `${context.world.capabilities.streamBase}${segment}`,
    kind: kind.id,
    contentType: kind.contentType,
    incarnation: 1,
    closed: false,
    deleted: false,
    recordsWritten: 0,
    ...(kind.producer ? { producer: { id: `producer-${name}`, epoch: 0, nextSeq: 0 } } : {}),
    ...(kind.ttlSeconds === undefined ? {} : { ttlSeconds: kind.ttlSeconds }),
  }
  context.streams.set(name, stream)
  return stream
}

async function fill(context: StepContext, kind: StreamKind, stream: KnownStream): Promise<void> {
  const request = createRequest(kind)
  if (kind.closed === 'at-create') {
    await createWithBody(context, kind, stream, request)
    return
  }
  await context.operations.create('creator', stream, 'origin', request)
  await appendRecords(context, stream, kind.records, kind.payloadBytes)
  if (kind.closed === 'after-appends') {
    const outcome = await context.operations.close('creator', stream, 'origin')
    stream.closed = outcome.kind === 'ok'
  }
}

export function createRequest(kind: StreamKind): CreateRequest {
  const request: CreateRequest = { streamKind: kind.id, contentType: kind.contentType }
  if (kind.ttlSeconds !== undefined) request.ttlSeconds = kind.ttlSeconds
  if (kind.expiresInSeconds !== undefined) {
    const wallMs = Date.now() + kind.expiresInSeconds * 1000
    request.expiresAt = new Date(wallMs).toISOString()
    request.expiresAtMs = monotonicMs() + kind.expiresInSeconds * 1000
  }
  if (kind.closed === 'at-create') request.closed = true
  return request
}

async function createWithBody(
  context: StepContext,
  kind: StreamKind,
  stream: KnownStream,
  request: CreateRequest,
): Promise<void> {
  const firstRecord = recordId(stream)
  const body = encodeRecord(context.seed, firstRecord, kind.contentType, kind.payloadBytes)
  const outcome = await context.operations.create('creator', stream, 'origin', request, { body, firstRecord })
  stream.closed = outcome.kind === 'ok'
}

/** The next record's id of this stream: it names stream, incarnation and number. */
export function recordId(stream: KnownStream): string {
  stream.recordsWritten += 1
  return `${recordSeries(stream.name, stream.incarnation)}${stream.recordsWritten}`
}

async function appendRecords(
  context: StepContext,
  stream: KnownStream,
  records: number,
  payloadBytes: number,
): Promise<void> {
  for (let n = 0; n < records && !context.signal.aborted; n += 1) {
    await appendNext(context, stream, payloadBytes)
  }
}

async function appendNext(context: StepContext, stream: KnownStream, payloadBytes: number) {
  const record = recordId(stream)
  const producer = nextProducer(stream)
  return context.operations.append('creator', stream, 'origin', record, payloadBytes, producer ? { producer } : {})
}

/** The producer headers of this stream's next append; counts its sequence up. */
export function nextProducer(stream: KnownStream): { id: string; epoch: number; seq: number } | null {
  if (!stream.producer) return null
  const { id, epoch, nextSeq } = stream.producer
  stream.producer.nextSeq += 1
  return { id, epoch, seq: nextSeq }
}

async function deleteAndRecreate(context: StepContext, kind: StreamKind, stream: KnownStream): Promise<void> {
  await context.operations.delete('creator', stream, 'origin')
  stream.incarnation += 1
  stream.recordsWritten = 0
  await fill(context, { ...kind, recreated: false, records: Math.ceil(kind.records / 2) }, stream)
}

async function createFork(context: StepContext, kind: StreamKind, name: string): Promise<KnownStream> {
  const sourceKind = streamKind(kind.forkOf!)
  const source = newStream(context, sourceKind, `${name}-source`)
  await context.operations.create('creator', source, 'origin', createRequest(sourceKind))
  const inherits: string[] = []
  let offset: string | undefined
  for (let n = 0; n < sourceKind.records; n += 1) {
    const outcome = await appendNext(context, source, sourceKind.payloadBytes)
    if (n >= sourceKind.records / 2 || outcome.kind !== 'ok') continue
    inherits.push(outcome.append!.record)
    offset = outcome.headers?.['stream-next-offset']
  }
  const fork = newStream(context, kind, name)
  const request: CreateRequest = { ...createRequest(kind), inherits }
  const headers: Record<string, string> = { 'stream-forked-from': source.path }
  if (offset !== undefined) headers['stream-fork-offset'] = offset
  await context.operations.create('creator', fork, 'origin', request, { headers })
  await appendRecords(context, fork, kind.records, kind.payloadBytes)
  return fork
}
