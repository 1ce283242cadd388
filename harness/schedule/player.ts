/**
 * Plays the moves of one path: writes one after another, reads beside them. What a read is answered is
 * written into the history as it came; nothing is judged here.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../clock.ts'
import type { Answer, Claim, CreateRequest, Outcome } from '../history.ts'
import type { KnownStream } from '../operations.ts'
import { encodeRecord } from '../record.ts'
import type { StepContext } from '../step.ts'
import { recordId } from '../steps/create-streams.ts'
import { isParked, turnsOf, type Move, type ReadMove, type WaitMove, type WriteMove } from './moves.ts'
import { credentialHeaders, queryOf, type Readers, type Received, type Watch } from './reader.ts'
import { tellEpisode } from './tell-episode.ts'

/** How long a reader of an event stream waits for what was written; beyond the bound of the check. */
export const patienceMs = 2_500
/** More than any poll of a scenario's world takes. */
export const answerTimeoutMs = 8_000
/** A path whose readers are left without an answer so often is given up. */
const timeOutsMax = 2
const waitMsMax = 20_000
const originDownTimeoutMs = 40_000
const recordBytes = 60
/** Records of the source of a fork. */
const sourceRecords = 2

/** A path as its writer knows it. */
interface Path {
  stream: KnownStream
  exists: boolean
  /** The offset before the first record, and behind each. */
  offsets: string[]
  /** The tail of the life before. */
  formerTail: string | null
  expiresAtMs: number
  /** Counts writes that have been answered; odd numbers do not matter. */
  writes: number
  lastWriteAtMs: number
  writing: boolean
  /** A write got no answer: nothing more can be known of this path. */
  inDoubt: boolean
  /** What readers had from each URL, and its ETag. */
  had: Map<string, { etag: string; claims: Claim[] }>
}

export class PathPlayer {
  #context: StepContext
  #readers: Readers
  #path: Path
  #parked = new Set<Promise<void>>()
  #groups = 0
  #timeOuts = 0

  constructor(context: StepContext, readers: Readers, name: string, json: boolean) {
    this.#context = context
    this.#readers = readers
    const stream: KnownStream = {
      name,
      path: `${context.world.capabilities.streamBase}${name}`,
      kind: 'scheduled',
      contentType: json ? 'application/json' : 'text/plain',
      incarnation: 0,
      closed: false,
      deleted: false,
      recordsWritten: 0,
    }
    this.#path = { stream, exists: false, offsets: [], formerTail: null, expiresAtMs: Infinity, writes: 0, lastWriteAtMs: 0, writing: false, inDoubt: false, had: new Map() }
  }

  /** Plays to the end, or until a write gets no answer, and hands over what the tap saw of the path. */
  async play(moves: readonly Move[]): Promise<void> {
    for (const turn of turnsOf(moves)) {
      if (this.#context.signal.aborted || this.#context.stopping.aborted || this.#path.inDoubt || this.#timeOuts >= timeOutsMax) break
      await Promise.all(turn.map((move) => this.#begin(move)))
    }
    await Promise.all(this.#parked)
    const { name, path } = this.#path.stream
    await tellEpisode(this.#context, name, [path])
  }

  /** Resolves when the next turn may begin. */
  async #begin(move: Move): Promise<void> {
    if (move.afterMs) await delay(move.afterMs)
    if (move.do === 'wait') return this.#wait(move.for)
    if (move.do !== 'read') return this.#write(move)
    const reads = this.#read(move)
    if (!isParked(move)) return reads
    this.#parked.add(reads)
    void reads.finally(() => this.#parked.delete(reads))
  }

  // Time is the subject of both.
  async #wait(what: WaitMove['for']): Promise<void> {
    if (what === 'origin-down') return this.#originDown()
    const untilMs = what === 'staleness' ? this.#context.staleMs + 50 : this.#path.expiresAtMs - monotonicMs() + 20
    if (untilMs > 0 && untilMs < waitMsMax) await delay(untilMs, undefined, { signal: this.#context.signal }).catch(() => {})
    if (what === 'expiry' && this.#path.expiresAtMs < Infinity) this.#goes(this.#path.expiresAtMs)
  }

  async #originDown(): Promise<void> {
    const { recorder } = this.#context
    if (recorder.countOf('lifecycle.stopped') === 0) await recorder.waitFor('lifecycle.stopped', 1, originDownTimeoutMs)
  }

  async #write(move: WriteMove): Promise<void> {
    if (this.#path.writing || this.#path.inDoubt) return
    this.#path.writing = true
    try {
      const outcome = await this.#send(move)
      if (outcome?.kind === 'info') this.#path.inDoubt = true
      if (outcome?.kind === 'ok') this.#take(move, outcome)
    } finally {
      this.#path.writing = false
    }
  }

  /** Null for a move that has nothing to act on, as when a schedule was made shorter. */
  async #send(move: WriteMove): Promise<Outcome | null> {
    const { operations } = this.#context
    const { stream, exists } = this.#path
    const actor = 'writer'
    if (move.do === 'create' || move.do === 'fork') return exists ? null : this.#create(move)
    if (!exists) return null
    if (move.do === 'append') return stream.closed ? null : operations.append(actor, stream, move.via, recordId(stream), move.bytes ?? recordBytes)
    return move.do === 'close' ? operations.close(actor, stream, move.via) : operations.delete(actor, stream, move.via)
  }

  async #create(move: WriteMove): Promise<Outcome | null> {
    const { stream } = this.#path
    const source = move.do === 'fork' ? await this.#source(stream.incarnation + 1) : null
    if (move.do === 'fork' && source === null) return null
    Object.assign(stream, { incarnation: stream.incarnation + 1, recordsWritten: 0, closed: false })
    const request: CreateRequest = { streamKind: 'scheduled', contentType: stream.contentType, ...source?.request }
    if (move.expiresInMs !== undefined) Object.assign(request, this.#expiry(move.expiresInMs))
    const body = move.bytes === undefined || source ? {} : this.#firstRecord(move.bytes)
    return this.#context.operations.create('writer', stream, move.via, request, { ...body, ...(source ? { headers: source.headers } : {}) })
  }

  #expiry(inMs: number): Pick<CreateRequest, 'expiresAt' | 'expiresAtMs'> {
    const wallMs = Date.now() + inMs
    return { expiresAt: new Date(wallMs).toISOString(), expiresAtMs: monotonicMs() + wallMs - Date.now() }
  }

  #firstRecord(bytes: number) {
    const { stream } = this.#path
    const firstRecord = recordId(stream)
    return { firstRecord, body: encodeRecord(this.#context.seed, firstRecord, stream.contentType, bytes) }
  }

  /** A stream to fork from, made at the origin; null where that failed. */
  async #source(life: number) {
    const { operations } = this.#context
    const { name, path, contentType } = this.#path.stream
    const source: KnownStream = { ...this.#path.stream, name: `${name}-source-${life}`, path: `${path}-source-${life}`, incarnation: 1, recordsWritten: 0, closed: false }
    const made = await operations.create('writer', source, 'origin', { streamKind: 'source', contentType })
    const inheritedOffsets = [made.headers?.['stream-next-offset'] ?? '']
    const inherits: string[] = []
    for (let n = 0; n < sourceRecords; n += 1) {
      const outcome = await operations.append('writer', source, 'origin', recordId(source), recordBytes)
      if (outcome.kind !== 'ok') return null
      inherits.push(outcome.append!.record)
      inheritedOffsets.push(outcome.headers?.['stream-next-offset'] ?? '')
    }
    const headers = { 'stream-forked-from': source.path, 'stream-fork-offset': inheritedOffsets.at(-1)! }
    return { request: { inherits, inheritedOffsets }, headers }
  }

  #take(move: WriteMove, outcome: Outcome): void {
    const path = this.#path
    const next = outcome.headers?.['stream-next-offset']
    path.writes += 1
    path.lastWriteAtMs = monotonicMs()
    if (move.do === 'delete') return this.#goes(Infinity)
    if (move.do === 'close') path.stream.closed = true
    if (move.do === 'append' && next) path.offsets.push(next)
    if (move.do !== 'create' && move.do !== 'fork') return
    path.exists = true
    path.offsets = outcome.create!.inheritedOffsets?.slice() ?? (next ? [next] : [])
    path.expiresAtMs = outcome.create!.expiresAtMs ?? Infinity
  }

  #goes(atMs: number): void {
    const path = this.#path
    path.exists = false
    path.writes += 1
    path.lastWriteAtMs = Math.min(monotonicMs(), atMs)
    path.formerTail = path.offsets.at(-1) ?? path.formerTail
    path.expiresAtMs = Infinity
  }

  async #read(move: ReadMove): Promise<void> {
    const readers = move.readers ?? 1
    const { name } = this.#path.stream
    const together = readers > 1 ? `${name}/${(this.#groups += 1)}` : undefined
    const fromOffset = this.#offsetOf(move)
    const target = (n: number) => `${this.#path.stream.path}${queryOf(move.mode, fromOffset, move.swapped === 'all' || (move.swapped === 'every-other' && n % 2 === 1))}`
    const one = (n: number) => this.#ask(move, { target: target(n), fromOffset, actor: `reader-${n}`, ...(together ? { together } : {}) })
    await Promise.all(Array.from({ length: readers }, (_, n) => one(n)))
  }

  #offsetOf(move: ReadMove): string {
    const { offsets, formerTail } = this.#path
    if (move.mode === 'now') return 'now'
    if (move.from === 'tail') return offsets.at(-1) ?? formerTail ?? '-1'
    if (move.from === 'behind') return offsets.at(-2) ?? '-1'
    if (move.from === 'former') return formerTail ?? offsets.at(-1) ?? '-1'
    return '-1'
  }

  async #ask(move: ReadMove, asked: Pick<Answer, 'target' | 'fromOffset' | 'actor' | 'together'>): Promise<void> {
    const { recorder, signal } = this.#context
    const { stream, had } = this.#path
    const before = move.validated ? had.get(asked.target) : undefined
    const headers = { ...(before ? { 'if-none-match': before.etag } : {}), ...credentialHeaders(move.credentials, asked.actor) }
    const watch = move.mode === 'sse' ? { enough: this.#watch(move) } : {}
    const { atMs, cursor: _, ...received } = await this.#readers.ask({ via: move.via, mode: move.mode, target: asked.target, headers, contentType: stream.contentType, timeoutMs: answerTimeoutMs, signal, ...watch })
    if (received.error === 'timed out') this.#timeOuts += 1
    if (!move.credentials) this.#remember(asked.target, received)
    const answer: Answer = { kind: 'answer', id: recorder.nextId(), stream: stream.name, via: move.via, mode: move.mode, ...asked, ...received }
    if (before) Object.assign(answer, { ifNoneMatch: before.etag, claims: received.status === 304 ? before.claims : received.claims })
    if (move.credentials) answer.credentials = move.credentials
    recorder.record(answer, atMs)
  }

  #remember(target: string, { status, headers, claims }: Omit<Received, 'atMs'>): void {
    if (status === 200 && headers.etag) this.#path.had.set(target, { etag: headers.etag, claims })
  }

  /** Leaves when it is as far as the writer, one that was parked only after something happened. */
  #watch(move: ReadMove): Watch {
    const path = this.#path
    const [writesBefore, askedAtMs] = [path.writes, monotonicMs()]
    const waits = isParked(move)
    const happened = () => !waits || path.writes > writesBefore
    return {
      isEnough: (claims) => {
        const last = claims.at(-1)!
        return happened() && !path.writing && path.exists && last.nextOffset === path.offsets.at(-1) && last.closed === path.stream.closed
      },
      untilMs: () => (waits && path.writes > writesBefore ? path.lastWriteAtMs : askedAtMs) + this.#context.staleMs + patienceMs,
    }
  }
}
