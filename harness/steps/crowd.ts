/**
 * A crowd of readers at one offset of one stream, by one read mode and one way; counted where the
 * requests arrive, at the tap in front of the origin. Each generation is a new crowd at the new
 * tail, which carries the cursor that the one before was given.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Interpreter, Sized, StepContext } from '../step.ts'
import type { KnownStream } from '../operations.ts'
import { monotonicMs } from '../clock.ts'
import type { Crowd, Via } from '../history.ts'
import { encodeRecord } from '../record.ts'
import { AwaitedTooLong, until, within } from '../until.ts'
import type { CacheCounters, CrowdFigures, Milestone } from '../world.ts'
import { crowdName } from '../crowd-words.ts'
import { number } from '../report/figures.ts'
import type { FleetPlan } from '../load/fleet/plan.ts'
import { newStream, recordId } from './create-streams.ts'

export interface CrowdStep {
  kind: 'crowd'
  mode: Crowd['mode']
  path: Crowd['path']
  readers: Sized
  generations: number
  /** A second crowd asks for the old offset after the first was served. */
  late?: Sized
}

export function crowd(options: Omit<CrowdStep, 'kind'>): CrowdStep {
  return { kind: 'crowd', ...options }
}

const recordBytes = 900
const historyRecords = 8
const deadlineMs = 45_000
const parkTimeoutMs = 20_000
/** The kernel's listen backlog may allow fewer. */
const connectsInFlightMax = 256
/** Where a hop tells nothing but its open files: some are always being set up or left from before. */
const parkedShare = 0.995
const captured = ['stream-next-offset', 'stream-up-to-date', 'stream-cursor']

export const crowdInterpreter: Interpreter<CrowdStep> = async (step, context) => {
  const gathering = await prepare(step, context)
  if (gathering === null) return
  for (let generation = 1; generation <= step.generations; generation += 1) {
    await gather(gathering, String(generation), gathering.readers)
    await settle(gathering)
  }
  if (step.late !== undefined) await gather(gathering, 'late', Math.min(gathering.readers, context.size(step.late)))
}

/** One stream and how far it was written: what all generations of a crowd share. */
interface Gathering {
  step: CrowdStep
  context: StepContext
  stream: KnownStream
  readers: number
  hostLimit: string | null
  connectsInFlightMax: number
  /** Everything written, and where the last record begins. */
  written: Buffer[]
  offsets: string[]
  cursor: string | null
  /** What the edge had open before the crowd came. */
  edgeFilesBefore: number
}

async function prepare(step: CrowdStep, context: StepContext): Promise<Gathering | null> {
  const wanted = context.size(step.readers)
  const limit = await context.world.crowdLimit(step.path)
  const readers = Math.min(wanted, limit.readersMax)
  const hostLimit = readers < wanted ? `This host holds ${readers} of ${wanted} readers: ${limit.because}` : null
  if (hostLimit) context.recorder.record({ kind: 'shortfall', what: `crowd ${step.mode} ${step.path}`, because: hostLimit })
  if (readers < 1) return null
  const kind = { id: 'crowded', contentType: 'text/plain', records: 0, payloadBytes: 0 }
  const stream = newStream(context, kind, `crowd-${step.mode}-${step.path}`)
  const created = await context.operations.create('creator', stream, 'origin', {
    streamKind: kind.id,
    contentType: kind.contentType,
  })
  const first = created.headers?.['stream-next-offset'] ?? '-1'
  const edgeFilesBefore = (await context.world.usage('edge'))?.openFiles ?? 0
  const gathering = { step, context, stream, readers, hostLimit, connectsInFlightMax: Math.min(connectsInFlightMax, limit.connectsInFlightMax), written: [], offsets: [first], cursor: null, edgeFilesBefore }
  for (let n = 0; n < historyRecords; n += 1) await write(gathering, 'origin')
  return gathering
}

/** Appends the next record. Returns when it was acknowledged. */
async function write(gathering: Gathering, via: Via): Promise<number> {
  const { context, stream } = gathering
  const record = recordId(stream)
  const outcome = await context.operations.append('writer', stream, via, record, recordBytes)
  const ackAtMs = monotonicMs()
  if (outcome.kind !== 'ok') throw new Error(`the crowd's writer was answered ${outcome.status ?? outcome.error}`)
  gathering.written.push(encodeRecord(context.seed, record, stream.contentType, recordBytes))
  gathering.offsets.push(outcome.headers?.['stream-next-offset'] ?? '')
  return ackAtMs
}

/**
 * One reader has just been told that there is nothing new at the tail, so that the cache may hold
 * that answer; then the tail moves. After a write at the origin the crowd comes when the staleness
 * bound has passed, after one through the edge at once.
 */
async function writeBehindAReader(gathering: Gathering, via: Via): Promise<number> {
  const { context, step } = gathering
  const target = targetAt(gathering, gathering.offsets.at(-1)!)
  await context.operations.exchange('tail-before-the-crowd', viaOf(step), 'GET', target)
  const ackAtMs = await write(gathering, via)
  if (via === 'origin' && step.path !== 'direct') await delay(context.staleMs, undefined, { signal: context.signal })
  return ackAtMs
}

function viaOf(step: CrowdStep): Via {
  return step.path === 'tls-h2' ? 'tls' : step.path === 'direct' ? 'direct' : 'edge'
}

/** What this generation asks for, and the one right answer. */
interface Question {
  target: string
  expected: Buffer
}

async function gather(gathering: Gathering, generation: string, readers: number): Promise<void> {
  const { step, context } = gathering
  context.progress(`${number(readers)} readers: ${crowdName({ ...step, generation })}`)
  const live = step.mode === 'long-poll' || step.mode === 'sse'
  const held = live && generation !== 'late'
  let ackAtMs: number | null = null
  let arrivedAtMs: number | null = null
  // A tail crowd comes right after an append; the others find what was there for a while.
  if (step.mode === 'catch-up-tail') ackAtMs = await writeBehindAReader(gathering, writeVia(step, generation))
  const question = held ? nextQuestion(gathering) : pastQuestion(gathering)
  const mark = await context.world.markTap()
  const cacheBefore = await context.world.cacheCounters()
  const plan = fleetPlan(gathering, question.target, readers)
  const parked = Promise.withResolvers<void>()
  const milestone: Milestone = step.mode === 'sse' ? 'open' : 'sent'
  const crowdDone = context.world.readers(plan, (reached) => reached === milestone && parked.resolve())
  if (held) {
    await Promise.race([within(parked.promise, { for: 'the crowd to be parked', timeoutMs: parkTimeoutMs }).catch(noteUnparked(gathering)), crowdDone])
    arrivedAtMs = await readersAreParked(gathering, cacheBefore)
    ackAtMs = await write(gathering, writeVia(step, generation))
    question.expected = gathering.written.at(-1)!
  }
  const figures = await crowdDone
  await record(gathering, generation, readers, question, figures, { mark, cacheBefore, ackAtMs, arrivedAtMs })
  gathering.cursor = mostFrequent(told(step, figures, 'stream-cursor', 'sse:streamCursor'))
}

/** Readers that are never served are for the check to see: the crowd goes on without them. */
function noteUnparked({ context, step }: Gathering) {
  return (error: unknown): void => {
    if (!(error instanceof AwaitedTooLong)) throw error
    context.recorder.record({ kind: 'sample', name: 'crowd-not-parked', value: 1, label: `${step.mode} ${step.path}` })
  }
}

/** Odd generations are written at the origin, even ones through the edge: both must reach readers. */
function writeVia(step: CrowdStep, generation: string): Via {
  return step.path !== 'direct' && Number(generation) % 2 === 0 ? 'edge' : 'origin'
}

/**
 * The readers have sent, but hops in between take their time, and one that arrives after the append
 * is not of the crowd. Wait until the hop that holds them has put each aside.
 */
async function readersAreParked(gathering: Gathering, cacheBefore: CacheCounters | null): Promise<number> {
  const { context, readers } = gathering
  const parked = async () => (await heldReaders(gathering, cacheBefore)) >= readers
  try {
    await until(parked, { for: 'the readers to be parked', timeoutMs: 15_000, everyMs: 100, signal: context.signal })
  } catch (error) {
    // An edge that answers by itself is the check's finding, not this step's failure.
    if (!(error instanceof AwaitedTooLong)) throw error
    noteUnparked(gathering)(error)
  }
  return monotonicMs()
}

/**
 * How many readers are held; none before the origin has seen the first. A cache counts those that it
 * has put aside to wait for another's answer; the others are in flight at the tap. While an
 * existence probe is under way, readers wait for that and not yet for their answer. An event stream
 * has no such wait, but its reader has been told that it is open.
 */
async function heldReaders(gathering: Gathering, cacheBefore: CacheCounters | null): Promise<number> {
  const { context, stream, step, readers } = gathering
  const inFlight = await context.world.tapInFlight(`${stream.path}?`)
  if (inFlight === 0 || step.path === 'direct') return inFlight
  if (step.mode === 'sse') return readers
  const probes = (await context.world.tapInFlight(stream.path)) - inFlight
  if (probes > 0) return 0
  const cache = await context.world.cacheCounters()
  if (cache !== null && cacheBefore !== null) return inFlight + cache.waiting - cacheBefore.waiting
  const usage = await context.world.usage('edge')
  return usage === null ? readers : (usage.openFiles - gathering.edgeFilesBefore) / parkedShare
}

function nextQuestion(gathering: Gathering): Question {
  return { target: targetAt(gathering, gathering.offsets.at(-1)!), expected: Buffer.alloc(0) }
}

/** What is there already: all of it for a catch-up, the newest record for the tail and latecomers. */
function pastQuestion(gathering: Gathering): Question {
  if (gathering.step.mode === 'catch-up') {
    return { target: targetAt(gathering, '-1'), expected: Buffer.concat(gathering.written) }
  }
  return { target: targetAt(gathering, gathering.offsets.at(-2)!), expected: gathering.written.at(-1)! }
}

/** Parameters in alphabetical order, as PROTOCOL.md 10.1 asks of clients. */
function targetAt(gathering: Gathering, offset: string): string {
  const { step, stream, cursor } = gathering
  const live = step.mode === 'long-poll' || step.mode === 'sse'
  const parameters = [
    ...(live && cursor !== null ? [`cursor=${encodeURIComponent(cursor)}`] : []),
    ...(live ? [`live=${step.mode}`] : []),
    `offset=${encodeURIComponent(offset)}`,
  ]
  return `${stream.path}?${parameters.join('&')}`
}

function fleetPlan(gathering: Gathering, target: string, readers: number): FleetPlan {
  const { step, context } = gathering
  const endpoint = context.world.endpoint(viaOf(step))
  const url = new URL(endpoint.url)
  return {
    readers,
    transport: step.path === 'tls-h2' ? 'h2' : 'http1',
    target: {
      host: url.hostname,
      port: Number(url.port),
      authority: endpoint.authority,
      ...(endpoint.tls ? { tls: endpoint.tls } : {}),
    },
    requests: [{ path: target }],
    read: step.mode === 'sse' ? { kind: 'sse', dataEvents: 1 } : { kind: 'response' },
    connectsInFlightMax: gathering.connectsInFlightMax,
    arrivalSpanMs: 0,
    deadlineMs,
    captureHeaders: captured,
    columnsFile: path.join(context.folder, `${gathering.stream.name}-${Date.now()}.columns`),
  }
}

interface Before {
  mark: number
  cacheBefore: CacheCounters | null
  ackAtMs: number | null
  /** When a parked crowd was seen to be complete. */
  arrivedAtMs: number | null
}

async function record(
  gathering: Gathering,
  generation: string,
  readers: number,
  question: Question,
  figures: CrowdFigures,
  before: Before,
): Promise<void> {
  const { step, context, stream } = gathering
  const tap = await context.world.tapSince(before.mark)
  const cacheAfter = await context.world.cacheCounters()
  if (tap.doubt !== '') {
    context.recorder.record({ kind: 'shortfall', what: `crowd ${step.mode} ${step.path}`, because: `The tap's counts may be short: ${tap.doubt}.` })
  }
  const ofStream = (method: string) =>
    tap.requests
      .filter((request) => request.method === method && request.target.split('?')[0] === stream.path)
      .reduce((sum, request) => sum + request.count, 0)
  const since = before.ackAtMs ?? figures.firstSentAtMs
  context.recorder.record({
    kind: 'crowd',
    crowd: `${step.mode} ${step.path} ${generation}`,
    mode: step.mode,
    path: step.path,
    generation,
    stream: stream.name,
    readers,
    answered: figures.outcomes.complete ?? 0,
    outcomes: figures.outcomes,
    statuses: figures.statuses,
    hashes: figures.hashes,
    expectedSha256: createHash('sha256').update(question.expected).digest('hex'),
    nextOffsets: told(step, figures, 'stream-next-offset', 'sse:streamNextOffset'),
    expectedNextOffset: gathering.offsets.at(-1)!,
    upToDate: told(step, figures, 'stream-up-to-date', 'sse:upToDate').true ?? 0,
    cursors: told(step, figures, 'stream-cursor', 'sse:streamCursor'),
    upstreamRequests: ofStream('GET'),
    probeRequests: ofStream('HEAD'),
    cacheFetches: cacheAfter && before.cacheBefore && step.path !== 'direct' ? cacheAfter.fetches - before.cacheBefore.fetches : null,
    upstreamRequestsAny: tap.total,
    appendAckAtMs: before.ackAtMs,
    firstSentAtMs: figures.firstSentAtMs,
    lastSentAtMs: figures.lastSentAtMs,
    connectMs: figures.connectMs,
    arrivalMs: (before.arrivedAtMs ?? lastArrivalAtMs(figures)) - figures.firstSentAtMs,
    spread: figures.lastByteAtMs.map(([quantile, atMs]) => [quantile, atMs - since]),
    readerBytes: figures.readerBytes,
    columnsFile: path.basename(String(figures.columnsFile)),
    ...(gathering.hostLimit === null ? {} : { hostLimit: gathering.hostLimit }),
  })
}

/**
 * When the last reader of a crowd that is answered at once arrived where it is collapsed. No client
 * sees how long it was queued in front of the cache: until it has its first byte it may be.
 */
function lastArrivalAtMs(figures: CrowdFigures): number {
  return Math.max(figures.lastSentAtMs, figures.lastFirstByteAtMs)
}

/** What readers were told: in headers, or on an event stream in its control events. */
function told(step: CrowdStep, figures: CrowdFigures, header: string, field: string): Record<string, number> {
  return figures.headers[step.mode === 'sse' ? field : header] ?? {}
}

function mostFrequent(counts: Record<string, number>): string | null {
  const sorted = Object.entries(counts).toSorted((a, b) => b[1] - a[1])
  return sorted[0]?.[0] ?? null
}

/** What a TLS edge keeps open towards the cache when its readers have gone (Caddy's, see caddy/). */
const idleConnectionsMax = 256

/**
 * Waits until the edge has closed the crowd's connections, so that the next crowd finds room there.
 * Readers of an event stream that hang up keep their place in the cache until a write to them
 * fails: the first still succeeds. A few more appends free them, so that the next crowd does not
 * meet their remains.
 */
async function settle(gathering: Gathering): Promise<void> {
  const { step, context } = gathering
  if (step.path === 'direct') return
  const few = gathering.edgeFilesBefore + idleConnectionsMax + gathering.readers / 10
  const drained = async () => {
    const usage = await context.world.usage('edge')
    if (usage === null || usage.openFiles < few) return true
    if (step.mode === 'sse') await write(gathering, 'origin')
    return false
  }
  try {
    await until(drained, { for: 'the edge to let go of the crowd', timeoutMs: 10_000, everyMs: 250 })
  } catch (error) {
    if (!(error instanceof AwaitedTooLong)) throw error
    context.recorder.record({ kind: 'sample', name: 'edge-still-holds-crowd', value: 1, label: step.mode })
  }
}
