/**
 * The history of a long run without the run: as many operations as asked for, put into a recorder as
 * steps would, with answers as a server would give. It has what makes a long run's history hard to
 * judge: streams that grow to thousands of records and are read back whole, streams that come and
 * go, kills with appends in flight.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { CreateRequest, Operation, ReadBack } from '../../harness/history.ts'
import { recordSeries } from '../../harness/record-id.ts'
import type { Recorder } from '../../harness/recorder.ts'

interface Stream {
  name: string
  create: CreateRequest
  records: number
}

interface InFlight {
  id: number
  operation: Omit<Operation, 'id'>
  read?: ReadBack
}

const longLived = 100
const inFlightMax = 16
/** Of 40 operations on a long-lived stream one is a HEAD; the others append. */
const headEvery = 40
const roundsBetweenKills = 130
/** What comes and goes: a create, records, a read, a HEAD and a delete. */
const recordsOfShortLived = 15
const operationsOfShortLived = recordsOfShortLived + 4
/** Readings of all long-lived streams: in the middle and at the end. */
const readings = 2

const sha256 = '359ec02fecba704fb21eb7a184695d8a55c4bd590c2512d47cc25c3fb8c53679'

/** Plays `count` operations, half on long-lived streams and half on ones that come and go. */
export async function playOperations(recorder: Recorder, count: number): Promise<void> {
  const player = new Player(recorder)
  const streams = Array.from({ length: longLived }, (_, n) => player.open(`long-${n}`, n % 4 === 0 ? { ttlSeconds: 86_400 } : {}))
  let round = 0
  for (let reading = 1; reading <= readings; reading += 1) {
    const before = Math.floor((count * reading) / readings) - longLived
    for (; player.played + 2 * operationsOfShortLived < before; round += 1) {
      playRound(player, streams, round)
      await turn()
    }
    while (player.played < before) player.touch(streams[player.played % longLived]!)
    for (const stream of streams) {
      player.readBack(stream)
      await turn()
    }
  }
  player.settleAll()
}

function playRound(player: Player, streams: Stream[], round: number): void {
  player.comeAndGo(`short-${round}`)
  for (let n = 0; n < operationsOfShortLived; n += 1) player.touch(streams[(round * operationsOfShortLived + n) % longLived]!)
  if (round % roundsBetweenKills === roundsBetweenKills - 1) player.kill()
}

class Player {
  played = 0
  #recorder: Recorder
  #inFlight: InFlight[] = []

  constructor(recorder: Recorder) {
    this.#recorder = recorder
    recorder.record({ kind: 'lifecycle', hop: 'origin', what: 'started', tookMs: 50, streams: 0 })
  }

  open(name: string, more: Partial<CreateRequest> = {}): Stream {
    const create = { streamKind: more.ttlSeconds === undefined ? 'no-expiry' : 'ttl', contentType: 'text/plain', ...more }
    const stream = { name, create, records: 0 }
    this.#play({ ...target('create', stream), create })
    this.settleAll()
    return stream
  }

  append(stream: Stream): void {
    stream.records += 1
    this.#play({ ...target('append', stream), append: { record: recordOf(stream, stream.records), bytes: 128 } })
  }

  touch(stream: Stream): void {
    if (this.played % headEvery === 0) this.#play(target('head', stream))
    else this.append(stream)
  }

  readBack(stream: Stream): void {
    this.settleAll()
    const records = Array.from({ length: stream.records }, (_, n) => recordOf(stream, n + 1))
    const bytes = records.length * 128
    const read = { records, damaged: [], bytes, sha256, nextOffset: offsetOf(stream), upToDate: true, closed: false }
    this.#play({ ...target('read', stream), mode: 'catch-up' }, read)
  }

  comeAndGo(name: string): void {
    const stream = this.open(name)
    for (let n = 0; n < recordsOfShortLived; n += 1) this.append(stream)
    this.readBack(stream)
    this.#play(target('head', stream))
    this.settleAll()
    this.#play(target('delete', stream))
  }

  /** Appends that were in flight get no answer; the next life of the origin begins. */
  kill(): void {
    const recorder = this.#recorder
    const load = { inFlight: recorder.appendsInFlight(), acknowledgedSinceStart: recorder.acknowledgedSinceStart }
    recorder.record({ kind: 'fault', fault: 'kill', phase: 'injected', proof: 'played', proven: true })
    recorder.record({ kind: 'lifecycle', hop: 'origin', what: 'killed', ...load })
    for (const { id } of this.#inFlight.splice(0)) recorder.settle(id, 'info', { error: 'UND_ERR_SOCKET: other side closed' })
    recorder.record({ kind: 'lifecycle', hop: 'origin', what: 'started', tookMs: 50, streams: longLived })
  }

  settleAll(): void {
    while (this.#inFlight.length > 0) this.#settleOldest()
  }

  #play(operation: Omit<Operation, 'id'>, read?: ReadBack): void {
    const id = this.#recorder.invoke(operation)
    this.#inFlight.push(read === undefined ? { id, operation } : { id, operation, read })
    this.played += 1
    if (this.#inFlight.length >= inFlightMax) this.#settleOldest()
  }

  #settleOldest(): void {
    const { id, operation, read } = this.#inFlight.shift()!
    const status = { create: 201, append: 204, delete: 204 }[operation.op as string] ?? 200
    const offset = '0000000000000000_0000000000000165'
    const headers = { 'content-type': 'text/plain', 'stream-next-offset': read?.nextOffset ?? offset, 'cache-control': 'no-store' }
    this.#recorder.settle(id, 'ok', read === undefined ? { status, headers } : { status, headers, read })
  }
}

function target(op: Operation['op'], stream: Stream): Omit<Operation, 'id'> {
  return { op, actor: 'player-1', stream: stream.name, incarnation: 1, via: 'origin' }
}

function recordOf(stream: Stream, n: number): string {
  return `${recordSeries(stream.name, 1)}${n}`
}

function offsetOf(stream: Stream): string {
  return `0000000000000000_${String(stream.records * 128).padStart(16, '0')}`
}
