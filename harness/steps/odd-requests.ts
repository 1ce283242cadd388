/**
 * Requests that few clients make and anybody may make: with a header that the cache uses for itself, with
 * credentials, to another spelling of the path, on a stream whose own type is an event stream's. Each
 * oddity has a path to itself, and on all of them the same happens: writes through the cache and at the
 * origin, after each of which several readers of every mode ask at once; then the path's second life.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../clock.ts'
import type { Answer, Claim, CreateRequest, Outcome, ReadMode } from '../history.ts'
import type { KnownStream } from '../operations.ts'
import { answerTimeoutMs, patienceMs } from '../schedule/player.ts'
import { credentialHeaders, queryOf, Readers, type Watch } from '../schedule/reader.ts'
import { tellEpisode } from '../schedule/tell-episode.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { until } from '../until.ts'
import { newStream, recordId } from './create-streams.ts'

export interface OddRequests {
  kind: 'odd-requests'
  oddities: Oddity[]
}

export interface Oddity {
  /** Names its path. */
  name: string
  /** The path's last segment on the request line, where it is not the name. */
  segment?: string
  contentType?: string
  /** Sent with every request; a `#` in its value becomes another number for each reader. */
  header?: { name: string; value: string }
  credentials?: 'authorization' | 'cookie'
  /** Every other live reader writes its parameters the other way round. */
  swapped?: true
  /** In the end it is deleted at the origin, with readers attached. */
  vanishes?: true
  /** For so long nothing is written that polls end without news. */
  quiet?: true
  /** Each life ends closed, at the origin. */
  closes?: true
  /** Another spelling of the segment, for writes or for reads. Left alone where it is another path to the origin. */
  spelling?: { segment: string; of: 'writes' | 'reads' }
}

/** Each oddity on a path of its own, all at the same time. */
export function oddRequests(oddities: Oddity[]): OddRequests {
  return { kind: 'odd-requests', oddities }
}

const readersTogether = 3
const recordBytes = 60
const lives = 2
const heldTimeoutMs = 1_000
/** More than the end of an event stream may take to reach the cache. */
const endNoticedMs = 200

export const oddRequestsInterpreter: Interpreter<OddRequests> = async ({ oddities }, context) => {
  await using readers = new Readers((via) => context.world.endpoint(via))
  context.progress(`${oddities.length} odd ways to write and to read`)
  await Promise.all(oddities.map((oddity) => new OddPath(context, readers, oddity).play()))
}

interface Reading {
  mode: ReadMode
  fromOffset: string
  /** Instead of the usual one. */
  query?: string
}

class OddPath {
  #context: StepContext
  #readers: Readers
  #oddity: Oddity
  #stream: KnownStream
  /** The same under its other spelling; itself where the origin knows only one. */
  #spelled: KnownStream
  /** The offset before the first record, and behind each. */
  #offsets: string[] = []
  #groups = 0

  constructor(context: StepContext, readers: Readers, oddity: Oddity) {
    this.#context = context
    this.#readers = readers
    this.#oddity = oddity
    const { name, segment, contentType = 'text/plain' } = oddity
    const stream = newStream(context, { id: 'odd', contentType, records: 0, payloadBytes: 0 }, `odd-${name}`)
    Object.assign(stream, { path: `${context.world.capabilities.streamBase}${segment ?? stream.name}`, deleted: true, incarnation: 0 }) // Not for other readers and writers.
    this.#stream = stream
    this.#spelled = stream
  }

  async play(): Promise<void> {
    for (let life = 1; life <= lives && !this.#context.signal.aborted; life += 1) {
      await this.#live()
    }
    await tellEpisode(this.#context, this.#stream.name, new Set([this.#stream.path, this.#spelled.path]))
  }

  async #live(): Promise<void> {
    await this.#create()
    await this.#append('edge')
    const left = new AbortController()
    const following = this.#follow(left.signal)
    await this.#readByAll()
    // Some wait for this one.
    const parked = this.#together({ mode: 'long-poll', fromOffset: this.#offsets.at(-1)! })
    await this.#append('edge')
    await Promise.all([parked, this.#readByAll()])
    if (this.#oddity.quiet) await this.#together({ mode: 'long-poll', fromOffset: this.#offsets.at(-1)! })
    await this.#append('origin')
    // Time is the subject: from then on everybody is to know of it.
    await delay(this.#context.staleMs + 50, undefined, { signal: this.#context.signal })
    await this.#readByAll()
    if (this.#oddity.closes) await this.#close()
    if (this.#oddity.vanishes) await this.#vanish()
    left.abort()
    await following
    if (this.#oddity.vanishes) return
    await this.#context.operations.delete('writer', this.#writes(), 'edge', this.#headers('writer'))
    await this.#readByAll()
  }

  /** Closed behind the cache's back: not a byte of it is another one than before. */
  async #close(): Promise<void> {
    const { operations, staleMs, signal } = this.#context
    await operations.close('writer', this.#stream, 'origin')
    await delay(staleMs + 50, undefined, { signal })
    await this.#readByAll()
    // Its event streams end at once: who comes when the cache knows of that is not to be given the last one's.
    await delay(endNoticedMs, undefined, { signal })
    await this.#readByAll()
  }

  /** Deleted behind the cache's back, while one follows and others wait: nobody may join them any more. */
  async #vanish(): Promise<void> {
    const { world, operations, staleMs, signal } = this.#context
    const poll: Reading = { mode: 'long-poll', fromOffset: this.#offsets.at(-1)! }
    const waiting = this.#together(poll)
    const areHeld = async () => (await world.tapInFlight(`${this.#stream.path}?`)) > 1
    // Where they are not, the checks see less, and nothing wrong.
    await until(areHeld, { for: 'the readers to be held', timeoutMs: heldTimeoutMs, everyMs: 20, signal }).catch(() => {})
    await operations.delete('writer', this.#stream, 'origin')
    await delay(staleMs + 50, undefined, { signal })
    await Promise.all([this.#together(poll), this.#readByAll()])
    await waiting
  }

  async #create(): Promise<void> {
    const { operations } = this.#context
    const stream = this.#stream
    Object.assign(stream, { incarnation: stream.incarnation + 1, recordsWritten: 0 })
    const request: CreateRequest = { streamKind: 'odd', contentType: stream.contentType }
    const outcome = await operations.create('writer', stream, 'edge', request, { headers: this.#headers('writer') })
    this.#offsets = [nextOffset(outcome)]
    const { spelling } = this.#oddity
    if (spelling === undefined) return
    const spelled = { ...stream, path: `${this.#context.world.capabilities.streamBase}${spelling.segment}` }
    const known = await operations.head('scout', spelled, 'origin')
    this.#spelled = known.kind === 'ok' ? spelled : stream
  }

  async #append(via: 'edge' | 'origin'): Promise<void> {
    const record = recordId(this.#stream)
    const outcome = await this.#context.operations.append('writer', this.#writes(), via, record, recordBytes, { headers: this.#headers('writer') })
    this.#offsets.push(nextOffset(outcome))
  }

  /** As its writers spell it. */
  #writes(): KnownStream {
    return this.#oddity.spelling?.of === 'writes' ? this.#spelled : this.#stream
  }

  async #readByAll(): Promise<void> {
    const tail = this.#offsets.at(-1)!
    const before = this.#offsets.at(-2)!
    await Promise.all([
      this.#together({ mode: 'history', fromOffset: '-1' }),
      this.#together({ mode: 'tail', fromOffset: tail }),
      // Without a query it is from the start, and what no origin knows changes nothing.
      this.#together({ mode: 'history', fromOffset: '-1', query: '' }),
      this.#together({ mode: 'tail', fromOffset: tail, query: `?offset=${encodeURIComponent(tail)}&of=nobody` }),
      this.#together({ mode: 'long-poll', fromOffset: before }),
      // The same question after each write.
      this.#together({ mode: 'long-poll', fromOffset: '-1' }),
      // Where one has been following since the first record.
      this.#together({ mode: 'sse', fromOffset: this.#offsets[1]! }),
      this.#one({ mode: 'head', fromOffset: tail }, 0),
      this.#one({ mode: 'now', fromOffset: 'now' }, 0),
      // Two at the same time, for whom it is not the same.
      this.#one({ mode: 'sse', fromOffset: 'now' }, 0),
      this.#one({ mode: 'sse', fromOffset: 'now' }, 1),
    ])
  }

  /** One, where the path is spelled in another way: that need not be shared. */
  async #together(reading: Reading): Promise<void> {
    if (this.#oddity.spelling?.of === 'reads') return this.#one(reading, 0)
    const together = `${this.#stream.name}/${(this.#groups += 1)}`
    await Promise.all(Array.from({ length: readersTogether }, (_, n) => this.#one(reading, n, together)))
  }

  /** Follows events from the first record on, until it is told to leave. */
  async #follow(left: AbortSignal): Promise<void> {
    const watch = { isEnough: () => left.aborted, untilMs: () => (left.aborted ? monotonicMs() : Infinity) }
    await this.#ask({ mode: 'sse', fromOffset: this.#offsets[1]! }, { actor: 'follower', n: 0, watch })
  }

  async #one(reading: Reading, n: number, together?: string): Promise<void> {
    await this.#ask(reading, { actor: `reader-${n}`, n, watch: this.#atTail(), ...(together ? { together } : {}) })
  }

  #atTail(): Watch {
    const [tail, untilMs] = [this.#offsets.at(-1)!, monotonicMs() + this.#context.staleMs + patienceMs]
    return { isEnough: (claims: readonly Claim[]) => claims.at(-1)!.nextOffset === tail, untilMs: () => untilMs }
  }

  async #ask({ mode, fromOffset, query }: Reading, { actor, n, watch, together }: { actor: string; n: number; watch: Watch; together?: string }): Promise<void> {
    const { recorder, signal } = this.#context
    const { spelling, swapped, credentials } = this.#oddity
    const { path, contentType, name } = spelling?.of === 'reads' ? this.#spelled : this.#stream
    const target = `${path}${query ?? queryOf(mode, fromOffset, swapped === true && n % 2 === 1)}`
    const enough = mode === 'sse' ? { enough: watch } : {}
    const { atMs, cursor: _, ...received } = await this.#readers.ask({ via: 'edge', mode, target, headers: this.#headers(actor), contentType, timeoutMs: answerTimeoutMs, signal, ...enough })
    const answer: Answer = { kind: 'answer', id: recorder.nextId(), actor, stream: name, via: 'edge', mode, fromOffset, target, ...received }
    if (together) answer.together = together
    if (credentials) answer.credentials = credentials
    recorder.record(answer, atMs)
  }

  #headers(who: string): Record<string, string> {
    const { header, credentials } = this.#oddity
    return { ...(header ? { [header.name]: header.value.replace('#', who) } : {}), ...credentialHeaders(credentials, who) }
  }
}

function nextOffset(outcome: Outcome): string {
  return outcome.headers?.['stream-next-offset'] ?? '-1'
}
