/** Live readers with the real client library meet faults, each at its first request and when it is reading already. */
import { setTimeout as delay } from 'node:timers/promises'
import type { ClientCell } from '../history.ts'
import type { ClientProgram } from '../load/client/launch.ts'
import type { KnownStream } from '../operations.ts'
import type { FaultProxy } from '../services/fault-proxy/fault-proxy-client.ts'
import type { Interpreter, Sized, StepContext } from '../step.ts'
import { streamKind } from '../streams.ts'
import { until } from '../until.ts'
import { ClientBoard } from './client-board.ts'
import { clientFault, clientFaults, firstToken, secondToken, type ClientFault } from './client-faults.ts'
import { createOne, recordId } from './create-streams.ts'
import { start, stop } from './start-stop.ts'

type Mode = ClientCell['mode']
type When = ClientCell['when']

export interface ClientMeets {
  kind: 'client-meets'
  /** 'every', or ids of client-faults.ts. */
  faults: 'every' | string[]
  modes: Mode[]
  when: When[]
  /** Kinds of stream; in turn, or each with each fault. */
  kinds: string[]
  /** How many of the kinds each fault is met on. */
  kindsEach: Sized
}

export interface ClientsComeBack {
  kind: 'clients-come-back'
  readers: Sized
  modes: Mode[]
  /** How long the cache is away. */
  outageMs: number
}

/** One reader, one stream for each fault, moment, mode and kind of stream; all of them at once. */
export function clientMeets(options: Omit<ClientMeets, 'kind' | 'kindsEach'> & { kindsEach?: Sized }): ClientMeets {
  return { kind: 'client-meets', kindsEach: options.kinds.length, ...options }
}

/** A crowd reads one stream live while the cache is stopped and started again. */
export function clientsComeBack(options: Omit<ClientsComeBack, 'kind'>): ClientsComeBack {
  return { kind: 'clients-come-back', ...options }
}

const recordsBefore = 3
const recordsAfter = 3
const payloadBytes = 200
/** More than hops gather before they pass the first bytes on, and than the bytes after which the connection ends. */
const cutPayloadBytes = 24 * 1024
const readWithinMs = 20_000
const strikesWithinMs = 10_000
const recoversWithinMs = 12_000
/** A reader that was told to stop is watched for so long. */
const watchedMs = 2_000

interface Stage {
  context: StepContext
  proxy: FaultProxy
  clients: ClientProgram[]
  board: ClientBoard
}

/** The program that holds this reader: readers are dealt out in turn. */
function clientOf({ clients }: Stage, id: string): ClientProgram {
  const number = [...id].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0)
  return clients[number % clients.length]!
}

interface Cell {
  fault: ClientFault
  when: When
  mode: Mode
  kind: string
}

export const clientMeetsInterpreter: Interpreter<ClientMeets> = async (step, context) => {
  const cells = cellsOf(step, context)
  context.progress(`${cells.length} readers of the client library meet a fault each`)
  await onStage(context, async (stage) => void (await Promise.all(cells.map((cell) => meet(stage, cell)))))
}

function cellsOf(step: ClientMeets, { size }: StepContext): Cell[] {
  const faults = step.faults === 'every' ? clientFaults.filter(({ byName }) => !byName) : step.faults.map(clientFault)
  const each = size(step.kindsEach)
  const pairs = faults.flatMap((fault) => step.when.filter((when) => (fault.only ?? when) === when).map((when) => ({ fault, when })))
  return pairs.flatMap((pair, row) =>
    step.modes.filter((mode) => pair.fault.modes?.includes(mode) ?? true).flatMap((mode, column) =>
      Array.from({ length: each }, (_, n) => ({ ...pair, mode, kind: step.kinds[(row + column + n) % step.kinds.length]! })),
    ),
  )
}

/** So that a crowd does not wait for one event loop. */
const programs = 2

/** The client programs and the fault proxy, told of into the history, until `act` is done. */
async function onStage(context: StepContext, act: (stage: Stage) => Promise<void>): Promise<void> {
  const proxy = context.world.faultProxy()
  const board = new ClientBoard(context.recorder)
  proxy.onObservation((observation) => board.observe(observation))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => proxy.onObservation(() => {}))
  const clients: ClientProgram[] = []
  for (let n = 0; n < programs; n += 1) {
    const client = stack.adopt(await context.world.startClient(), (started) => started.close())
    client.onEvent((event) => board.hear(event))
    clients.push(client)
  }
  await act({ context, proxy, clients, board })
}

async function meet(stage: Stage, cell: Cell): Promise<void> {
  const { context, proxy, board } = stage
  const { fault, when, mode, kind } = cell
  const id = `${fault.id}-${when}-${mode}-${kind}`
  const stream = await createOne(context, { ...streamKind(kind), records: recordsBefore, payloadBytes: payloadOf(fault) }, `client-${id}`)
  const told = toldOf(stage, id, stream, cell)
  context.recorder.record({ ...told, phase: 'begin' })
  const port = await proxy.door(id)
  if (when === 'first') await proxy.arm(id, fault)
  open(stage, id, stream, { port, mode, fault })
  const client = clientOf(stage, id)
  if (when === 'first' && fault.token) client.send({ token: { reader: id, value: secondToken } })
  if (when === 'reconnect' && (await readsLive(stage, id, stream, mode))) await strikeReader(stage, id, stream, cell)
  await board.when(() => hasStruck(stage, id, fault), strikesWithinMs)
  await delay(fault.forMs ?? (fault.expects === 'stop' ? watchedMs : 0), undefined, { signal: context.signal })
  // A token that is renewed in time meets nothing; that it passed is all there is to see.
  const struck = (await proxy.disarm(id)) || (fault.token?.renewedBefore === 'the-fault' && board.of(id).passed > 0 ? 1 : 0)
  if (fault.expects === 'retry') await readOn(stage, id, stream)
  client.send({ stop: id })
  context.recorder.record({ ...told, phase: 'end', struck })
}

function toldOf({ clients }: Stage, cell: string, stream: KnownStream, { fault, when, mode }: Cell): Omit<ClientCell, 'phase'> {
  const { id, expects, retryAfterMs } = fault
  const base = { kind: 'client-cell' as const, cell, stream: stream.name, fault: id, when, mode, contentType: stream.contentType, expects, client: clients[0]!.client }
  return retryAfterMs === undefined ? base : { ...base, retryAfterMs }
}

function open(stage: Stage, id: string, stream: KnownStream, how: { port: number; mode: Mode; fault: ClientFault }): void {
  const { port, mode, fault } = how
  const { servername } = stage.context.world.endpoint('tls').tls!
  const token = fault.token ? { token: { value: firstToken, given: fault.token.given } } : {}
  clientOf(stage, id).send({
    open: {
      id,
      url: `https://${servername}:${port}${stream.path}`,
      api: id.length % 2 === 0 ? 'function' : 'handle',
      live: mode,
      contentType: stream.contentType,
      offset: '-1',
      handler: fault.handler ?? 'stops-on-permanent',
      resumesFrom: fault.resumesFrom ?? 'last-batch',
      ...token,
    },
  })
}

/** Waits until the reader has caught up, was given a record live, and waits for the next. */
async function readsLive(stage: Stage, id: string, stream: KnownStream, mode: Mode): Promise<boolean> {
  const { board } = stage
  const seen = board.of(id)
  if (!(await board.when(() => seen.records.size >= recordsBefore && seen.liveRequests > 0, readWithinMs))) return false
  const polls = seen.liveRequests
  await append(stage, stream)
  return board.when(() => seen.records.size > recordsBefore && (mode === 'sse' || seen.liveRequests > polls), readWithinMs)
}

function payloadOf(fault: ClientFault): number {
  return fault.fault.kind === 'hang-up' ? cutPayloadBytes : payloadBytes
}

/** Arms the fault for a reader at work, and makes it send its next request. */
async function strikeReader(stage: Stage, id: string, stream: KnownStream, { fault, mode }: Cell): Promise<void> {
  const { proxy, board, context } = stage
  if (fault.token) {
    clientOf(stage, id).send({ token: { reader: id, value: secondToken } })
    // Else its next request might carry the old one, by nobody's fault but ours.
    if (!(await board.when(() => board.of(id).isRenewed, readWithinMs))) return
  }
  board.of(id).passed = 0
  const cutsOpenAnswers = ['cut', 'reset', 'hang-up'].includes(fault.fault.kind)
  if (mode === 'sse' && !cutsOpenAnswers) {
    await proxy.arm(id, fault)
    await until(async () => (await proxy.endAnswers(id)) > 0, { for: `the event stream of ${id}`, timeoutMs: readWithinMs, signal: context.signal })
    return
  }
  await proxy.arm(id, fault)
  // A poll that is under way is answered by this, and the next one meets the fault.
  if (fault.fault.kind !== 'reset') await append(stage, stream, payloadOf(fault))
}

function append({ context }: Stage, stream: KnownStream, bytes = payloadBytes) {
  return context.operations.append('writer', stream, 'edge', recordId(stream), bytes)
}

/** A token that was renewed in time strikes nobody: that requests pass with it is the proof. */
function hasStruck({ board }: Stage, id: string, fault: ClientFault): boolean {
  if (fault.token?.renewedBefore === 'the-fault') return board.of(id).passed > 0
  return board.of(id).strikes >= (fault.times ?? 1)
}

/** The fault has healed: what is written now must come to the reader. */
async function readOn(stage: Stage, id: string, stream: KnownStream): Promise<void> {
  const { board } = stage
  const written: string[] = []
  for (let n = 0; n < recordsAfter; n += 1) {
    const outcome = await append(stage, stream)
    if (outcome.kind === 'ok') written.push(outcome.append!.record)
  }
  const hasAll = () => board.of(id).isOver || written.every((record) => board.of(id).records.has(record))
  await board.when(hasAll, recoversWithinMs)
  // A session that ended may be opened anew by the application a moment later.
  if (board.of(id).isOver && (await board.when(() => !board.of(id).isOver, 1_000))) {
    await board.when(hasAll, recoversWithinMs)
  }
}

export const clientsComeBackInterpreter: Interpreter<ClientsComeBack> = async (step, context) => {
  const readers = context.size(step.readers)
  const stream = await createOne(context, { ...streamKind('no-expiry'), records: recordsBefore, payloadBytes }, 'client-crowd')
  context.progress(`${readers} readers of the client library, and a cache that goes away for ${step.outageMs} ms`)
  await onStage(context, async (stage) => {
    const cells = Array.from({ length: readers }, (_, n) => ({ id: `crowd-${n}`, mode: step.modes[n % step.modes.length]! }))
    const fault: ClientFault = { ...clientFaults[0]!, id: 'cache-restart', expects: 'retry' }
    const told = cells.map(({ id, mode }) => toldOf(stage, id, stream, { fault, when: 'reconnect', mode, kind: 'no-expiry' }))
    for (const one of told) context.recorder.record({ ...one, phase: 'begin' })
    // One name and port for all: only so do they share what the cache holds.
    const port = Number(new URL(context.world.endpoint('tls').url).port)
    for (const { id, mode } of cells) open(stage, id, stream, { port, mode, fault })
    const areReading = () => cells.every(({ id }) => stage.board.of(id).liveRequests > 0)
    await stage.board.when(areReading, readWithinMs)
    await context.run([stop('edge')])
    await delay(step.outageMs, undefined, { signal: context.signal })
    await context.run([start('edge')])
    await Promise.all(cells.map(({ id }) => stage.board.when(() => stage.board.of(id).strikes > 0, strikesWithinMs)))
    await readOnAll(stage, cells.map(({ id }) => id), stream)
    for (const one of told) context.recorder.record({ ...one, phase: 'end', struck: stage.board.of(one.cell).strikes })
  })
}

async function readOnAll(stage: Stage, ids: string[], stream: KnownStream): Promise<void> {
  const { board } = stage
  const outcome = await append(stage, stream)
  const record = outcome.append!.record
  await board.when(() => ids.every((id) => board.of(id).records.has(record)), recoversWithinMs)
  for (const id of ids) clientOf(stage, id).send({ stop: id })
}

