/**
 * The reference server's store in memory, and a log from which it is the same again after a stop or a
 * kill: each command is written down before it is carried out, and carried out anew at a start, at the
 * time at which it came. What is refused now is refused then; what nobody was answered may be there or not. A stream
 * of which something is damaged is answered with an error, but for what $TWIN breaks.
 */
import { StreamStore } from '@durable-streams/server'
import { twin } from '../planted.ts'
import { NoRoom, RedoLog, type Command, type Head } from './redo-log.ts'

export interface Message {
  data: Uint8Array
  offset: string
}

export interface Stream {
  path: string
  contentType: string
  currentOffset: string
  ttlSeconds?: number
  expiresAt?: string
  lastAccessedAt: number
  closed?: boolean
  closedBy?: { producerId: string; epoch: number; seq: number }
  softDeleted?: boolean
  refCount: number
}

/** What was stored of it is not what was written. */
export class DamagedStream extends Error {
  override readonly name = 'DamagedStream'
}

interface ProducerAnswer {
  status: string
  [figure: string]: unknown
}

interface Closing {
  finalOffset: string
  alreadyClosed: boolean
  producerResult?: ProducerAnswer
}

interface ByProducer {
  producerId: string
  producerEpoch: number
  producerSeq: number
}

interface CreateOptions {
  contentType?: string
  ttlSeconds?: number
  initialData?: Uint8Array | undefined
  forkedFrom?: string
}

/** What is private in the reference server's types stands here, too. */
interface BaseStore {
  streams: Map<string, Stream>
  isExpired(stream: Stream): boolean
  cancelLongPollsForStream(path: string): void
  notifyLongPollsClosed(path: string): void
  validateProducer(stream: Stream, id: string, epoch: number, seq: number): ProducerAnswer
  commitProducerState(stream: Stream, answer: ProducerAnswer): void
  get(path: string): Stream | undefined
  getIfNotExpired(path: string): Stream | undefined
  create(path: string, options?: CreateOptions): Stream
  append(path: string, data: Uint8Array, options?: object): unknown
  closeStream(path: string): Closing | null
  closeStreamWithProducer(path: string, options: ByProducer): Promise<Closing | null>
  delete(path: string): boolean
  touchAccess(path: string): void
  read(path: string, offset: string): { messages: Message[] }
  waitForMessages(path: string, offset: string, timeoutMs: number): Promise<{ timedOut: boolean }>
  formatResponse(path: string, messages: Message[]): Uint8Array
}

const Base = StreamStore as unknown as new () => BaseStore

/** How often streams are looked for that are over, so that readers who wait on them are let go. */
const sweepEveryMs = 100
/** A use that renews a TTL is written down so often at most. */
const noteUseEveryMs = 250

export class LastingStore extends Base {
  #log: RedoLog
  #isRecovering = true
  #lives = new WeakMap<Stream, number>()
  #lastLife = 0
  /** Of the command that is carried out anew. */
  #recoveredLife: number | null = null
  #lastNotedUse = new WeakMap<Stream, number>()
  /** By life, the paths of streams of which a command is damaged: all that follows in them is not carried out. */
  #damaged = new Map<number, string>()

  /** With all that the log of this folder holds. */
  constructor(dataDir: string) {
    super()
    this.#log = new RedoLog(dataDir)
    this.#recover()
    setInterval(() => this.#sweep(), sweepEveryMs).unref()
  }

  /** Resolves when all that was done so far would outlast the machine. */
  forced({ method }: { method?: string | undefined }): Promise<void> {
    const isForgotten = twin === 'forgets-to-force' || (twin === 'forces-appends-only' && method !== 'POST')
    return isForgotten ? Promise.resolve() : this.#log.force()
  }

  /** A number that no other life has, of whatever stream; the same after a restart. */
  lifeOf(stream: Stream): number {
    return this.#lives.get(stream)!
  }

  /** @throws DamagedStream where a part of it cannot be told any more. */
  override get(path: string): Stream | undefined {
    if (this.#isDamaged(path) && twin !== 'cuts-streams-off-at-damage') throw new DamagedStream(`the stored data of ${path} is damaged`)
    return this.#current(path)
  }

  #current(path: string): Stream | undefined {
    const stream = this.streams.get(path)
    if (stream !== undefined && this.isExpired(stream)) this.#end(stream)
    return this.streams.get(path)
  }

  #isDamaged(path: string): boolean {
    return this.#damaged.size > 0 && [...this.#damaged.values()].includes(path)
  }

  override getIfNotExpired(path: string): Stream | undefined {
    return this.get(path)
  }

  override create(path: string, options: CreateOptions = {}): Stream {
    const { initialData, ...others } = options
    const known = this.get(path)
    if (known?.softDeleted) throw new Error(`the path has active forks: ${path}`)
    // The same again, or a conflict: nothing changes.
    if (known !== undefined) return super.create(path, options)
    const { forkedFrom } = options
    if (forkedFrom !== undefined) this.get(forkedFrom)
    // By the time, as lives that are over are forgotten by the log.
    const life = this.#recoveredLife ?? Math.max(this.#lastLife + 1, Date.now())
    return this.#carryOut({ do: 'create', path, life, needs: forkedFrom === undefined ? [] : [forkedFrom], options: others, body: initialData }, () => {
      const stream = super.create(path, options)
      this.#lastLife = life
      this.#lives.set(stream, life)
      return stream
    })
  }

  override append(path: string, data: Uint8Array, options: object = {}): unknown {
    const stream = this.#living(path)
    if (stream === null) return super.append(path, data, options)
    return this.#carryOut({ ...this.#on('append', stream), options, body: data }, () => {
      const result = super.append(path, data, options)
      stream.lastAccessedAt = Date.now()
      return result
    })
  }

  override closeStream(path: string): Closing | null {
    const stream = this.#living(path)
    if (stream === null) return super.closeStream(path)
    return this.#carryOut(this.#on('close', stream), () => {
      stream.lastAccessedAt = Date.now()
      return super.closeStream(path)
    })
  }

  override async closeStreamWithProducer(path: string, options: ByProducer): Promise<Closing | null> {
    const stream = this.#living(path)
    if (stream === null) return super.closeStreamWithProducer(path, options)
    return this.#carryOut({ ...this.#on('close-by-producer', stream), options }, () => this.#closeBy(stream, options))
  }

  override delete(path: string): boolean {
    const stream = this.#living(path)
    if (stream === null) return super.delete(path)
    return this.#carryOut(this.#on('delete', stream), () => {
      this.#end(stream)
      return true
    })
  }

  override touchAccess(path: string): void {
    const stream = this.#living(path)
    if (stream === null) return
    const nowMs = Date.now()
    stream.lastAccessedAt = nowMs
    if (stream.ttlSeconds === undefined || nowMs - (this.#lastNotedUse.get(stream) ?? 0) < noteUseEveryMs) return
    this.#lastNotedUse.set(stream, nowMs)
    try {
      this.#carryOut(this.#on('touch', stream), () => {})
    } catch (error) {
      // A read needs no room.
      if (!(error instanceof NoRoom)) throw error
    }
  }

  #living(path: string): Stream | null {
    const stream = this.get(path)
    return stream === undefined || stream.softDeleted ? null : stream
  }

  #on(what: Head['do'], stream: Stream): Planned {
    return { do: what, path: stream.path, life: this.lifeOf(stream), needs: [stream.path] }
  }

  /** Written down first; whoever is refused by a full disk finds nothing changed. */
  #carryOut<Result>({ body, needs, ...head }: Planned, act: () => Result): Result {
    const lastUsedAtMs = Object.fromEntries(needs.flatMap((path) => (this.streams.has(path) ? [[path, this.streams.get(path)!.lastAccessedAt]] : [])))
    if (!this.#isRecovering) this.#log.write({ ...head, atMs: Date.now(), lastUsedAtMs }, body)
    return act()
  }

  /** In one go: between the log and the deed nothing else may happen. */
  #closeBy(stream: Stream, { producerId, producerEpoch: epoch, producerSeq: seq }: ByProducer): Closing {
    const finalOffset = stream.currentOffset
    const { closed, closedBy } = stream
    if (closed) {
      const isSame = closedBy?.producerId === producerId && closedBy.epoch === epoch && closedBy.seq === seq
      return { finalOffset, alreadyClosed: true, producerResult: isSame ? { status: 'duplicate', lastSeq: seq } : { status: 'stream_closed' } }
    }
    const producerResult = this.validateProducer(stream, producerId, epoch, seq)
    if (producerResult.status !== 'accepted') return { finalOffset, alreadyClosed: false, producerResult }
    this.commitProducerState(stream, producerResult)
    Object.assign(stream, { closed: true, closedBy: { producerId, epoch, seq }, lastAccessedAt: Date.now() })
    this.notifyLongPollsClosed(stream.path)
    return { finalOffset, alreadyClosed: false, producerResult }
  }

  /** Deleted or expired: forks still read it, and nobody else. Who waits for news of it is let go. */
  #end(stream: Stream): void {
    if (stream.refCount === 0 && !stream.softDeleted) super.delete(stream.path)
    else stream.softDeleted = true
    this.cancelLongPollsForStream(stream.path)
  }

  #sweep(): void {
    for (const path of this.streams.keys()) this.#current(path)
    this.#log.compact(new Set([...this.streams.values()].map((stream) => this.lifeOf(stream))))
  }

  /** Nothing else runs meanwhile, so that the clock may tell the time of each command. */
  #recover(): void {
    const { now } = Date
    for (const command of this.#commands()) {
      const { atMs, life, lastUsedAtMs } = command.head
      Date.now = () => atMs
      for (const [path, usedAtMs] of Object.entries(lastUsedAtMs)) {
        const stream = this.streams.get(path)
        if (stream !== undefined) stream.lastAccessedAt = Math.max(stream.lastAccessedAt, usedAtMs)
      }
      this.#recoveredLife = life
      if (!this.#keepDamage(command)) this.#again(command)
    }
    Date.now = now
    this.#recoveredLife = null
    this.#isRecovering = false
  }

  #commands(): Command[] {
    const all = this.#log.recover()
    const damage = all.findIndex(({ isDamaged }) => isDamaged)
    return twin === 'cuts-everything-off-at-damage' && damage !== -1 ? all.slice(0, damage) : all
  }

  /** True for a command that cannot be carried out as it was, or follows one that cannot. */
  #keepDamage({ head: { do: what, path, life, options }, isDamaged }: Command): boolean {
    if (what === 'create') this.#forgetDamage(path)
    if (what === 'delete' && this.#damaged.delete(life)) return !this.streams.has(path)
    const { forkedFrom } = (options ?? {}) as CreateOptions
    const inherits = what === 'create' && forkedFrom !== undefined && this.#isDamaged(forkedFrom)
    if ((isDamaged || inherits) && twin !== 'ignores-checksums') this.#damaged.set(life, path)
    return this.#damaged.has(life)
  }

  /** Of lives of this path that are over. */
  #forgetDamage(path: string): void {
    for (const [life, damaged] of this.#damaged) if (damaged === path) this.#damaged.delete(life)
  }

  #again({ head: { do: what, path, options }, body }: Command): void {
    try {
      if (what === 'create') this.create(path, { ...options, initialData: body.length > 0 ? new Uint8Array(body) : undefined })
      if (what === 'append') this.append(path, new Uint8Array(body), options)
      if (what === 'close') this.closeStream(path)
      if (what === 'close-by-producer') void this.closeStreamWithProducer(path, options as ByProducer)
      if (what === 'delete') this.delete(path)
      if (what === 'touch') this.touchAccess(path)
    } catch {
      // It was refused then, too.
    }
  }
}

interface Planned extends Pick<Head, 'do' | 'path' | 'life' | 'options'> {
  /** Paths whose streams it needs. */
  needs: string[]
  body?: Uint8Array | undefined
}
