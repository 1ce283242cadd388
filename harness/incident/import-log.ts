/**
 * Turns access logs into a recording and a scenario that replays it. Logs are read in a stream, packed or
 * not: memory is bounded by the streams that they name and by the requests that are under way at a time.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { open, readFile, rm, stat } from 'node:fs/promises'
import { pipeline as endToEnd } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { UsageError } from '../errors.ts'
import { parseHar } from './har.ts'
import { formatOf, parseLine, type LogFormat } from './log-formats.ts'
import type { LoggedRequest } from './logged-request.ts'
import type { RecordedRequest, RecordedStream } from './recording.ts'

export interface ImportOptions {
  /** Read one after the other: rotated logs, the oldest first. */
  files: readonly string[]
  /** Only requests that were sent in this time. */
  fromMs?: number | undefined
  toMs?: number | undefined
  /** Only streams whose path begins with this. */
  stream?: string | undefined
  /** Where the recording is written. */
  recording: string
}

export interface Imported {
  formats: (LogFormat | 'har')[]
  requests: number
  streams: number
  /** Streams that were there before the log begins. */
  streamsBefore: number
  spanMs: number
  /** Lines that are of no request, and what the first few of them look like. */
  unreadable: number
  unreadableExamples: string[]
  /** Requests that the options leave out. */
  leftOut: number
  /** Requests so far out of order that they were set to the time of those before. */
  outOfOrder: number
  statuses: Record<string, number>
  /** The longest that a poll was held without data: the server's own limit then. Null where none was. */
  longPollMs: number | null
}

/** A log is written when an answer ends: a parked poll stands minutes behind those sent after it. */
const orderWindowMs = 180_000
const lineBytesMax = 1024 ** 2
const harBytesMax = 512 * 1024 ** 2
const streamsMax = 1_000_000
const unreadableExamplesMax = 3
const exampleCharacters = 60

/** Throws UsageError where a file cannot be read, or no line of it is of a request. */
export async function importLogs(options: ImportOptions): Promise<Imported> {
  const importing = new Importing(options)
  const requestsFile = `${options.recording}.requests`
  try {
    await pipeline(importing.lines(), createWriteStream(requestsFile))
    if (importing.found.requests === 0) throw new UsageError(nothingIn(options, importing.found))
    await pipeline(importing.whole(requestsFile), createWriteStream(options.recording))
  } finally {
    await rm(requestsFile, { force: true })
  }
  return importing.found
}

function nothingIn({ files, stream }: ImportOptions, { unreadable, leftOut }: Imported): string {
  const names = files.join(', ')
  if (leftOut > 0) return `None of the ${leftOut} requests in ${names} is within --from, --to and --stream${stream === undefined ? '' : ` ${stream}`}.`
  return `${names} holds no request that can be read (${unreadable} lines are none); known are Caddy's JSON log, nginx's as JSON, the combined format of nginx and varnishncsa, and HAR.`
}

class Importing {
  readonly found: Imported = {
    formats: [], requests: 0, streams: 0, streamsBefore: 0, spanMs: 0, unreadable: 0, unreadableExamples: [], leftOut: 0, outOfOrder: 0, statuses: {}, longPollMs: null,
  }
  readonly #options: ImportOptions
  readonly #streams = new Map<string, { before: boolean; contentType: string | null; tail: string | null }>()
  readonly #window = new OrderWindow(orderWindowMs)
  #firstMs: number | null = null
  #lastMs = 0

  constructor(options: ImportOptions) {
    this.#options = options
  }

  /** The recorded requests, in order. */
  async *lines(): AsyncGenerator<string> {
    for (const file of this.#options.files) {
      for await (const request of this.#requestsOf(file)) {
        if (!this.#isWanted(request)) this.found.leftOut += 1
        else for (const ready of this.#window.add(request)) yield this.#line(ready)
      }
    }
    for (const ready of this.#window.rest()) yield this.#line(ready)
  }

  /** The streams, then the requests. */
  async *whole(requestsFile: string): AsyncGenerator<string | Buffer> {
    for (const [stream, { before, contentType, tail }] of this.#streams) {
      if (!before) continue
      const line: RecordedStream = { stream, contentType: contentType ?? 'application/octet-stream', tail }
      yield `${JSON.stringify(line)}\n`
    }
    yield* createReadStream(requestsFile) as AsyncIterable<Buffer>
  }

  async *#requestsOf(file: string): AsyncGenerator<LoggedRequest> {
    if (await startsAsHar(file)) return yield* this.#harOf(file)
    let format: LogFormat | null = null
    for await (const line of linesOf(file)) {
      if (line.trim() === '') continue
      format ??= this.#formatOf(line)
      const request = format && parseLine(line, format)
      if (request) yield request
      else this.#noteUnreadable(line)
    }
  }

  #formatOf(line: string): LogFormat | null {
    const format = formatOf(line)
    if (format) this.found.formats.push(format)
    return format
  }

  async *#harOf(file: string): AsyncGenerator<LoggedRequest> {
    const { size } = await stat(file)
    if (size > harBytesMax) throw new UsageError(`${file} is larger than 512 MiB: a HAR can only be read whole; record less of it.`)
    const entries = parseHar(await readFile(file, 'utf8'))
    if (entries === null) throw new UsageError(`${file} begins as a HAR and is none: it has no log.entries.`)
    this.found.formats.push('har')
    for (const entry of entries) {
      if (entry) yield entry
      else this.#noteUnreadable('an entry without method, URL or time')
    }
  }

  #noteUnreadable(line: string): void {
    this.found.unreadable += 1
    const { unreadableExamples } = this.found
    if (unreadableExamples.length < unreadableExamplesMax) unreadableExamples.push(JSON.stringify(line.slice(0, exampleCharacters)))
  }

  #isWanted({ atMs, path }: LoggedRequest): boolean {
    const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY, stream = '' } = this.#options
    return atMs >= fromMs && atMs <= toMs && path.startsWith(stream)
  }

  #line(request: LoggedRequest): string {
    this.#firstMs ??= request.atMs
    const late = request.atMs < this.#lastMs
    if (late) this.found.outOfOrder += 1
    this.#lastMs = Math.max(this.#lastMs, request.atMs)
    this.#noteStream(request)
    const { found } = this
    found.requests += 1
    found.spanMs = this.#lastMs - this.#firstMs
    found.statuses[request.status] = (found.statuses[request.status] ?? 0) + 1
    const { atMs: _atMs, tookMs, answered, ...rest } = request
    const heldInVain = request.status === 204 && request.method === 'GET' && tookMs > 0
    if (heldInVain) found.longPollMs = Math.max(found.longPollMs ?? 0, round(tookMs))
    const line: RecordedRequest = {
      ...rest,
      atMs: round(this.#lastMs - this.#firstMs),
      tookMs: round(tookMs),
      ...(answered.nextOffset === undefined ? {} : { nextOffset: answered.nextOffset }),
    }
    return `${JSON.stringify(line)}\n`
  }

  /** A stream that answers before anybody made it was there before. */
  #noteStream({ method, path, status, query, answered, headers }: LoggedRequest): void {
    let known = this.#streams.get(path)
    if (!known) {
      if (this.#streams.size >= streamsMax) throw new UsageError(`The log names more than ${streamsMax} streams; choose some with --stream.`)
      const isThere = status < 400 && status !== 0 && !(method === 'PUT' && status === 201) && method !== 'OPTIONS'
      this.#streams.set(path, (known = { before: isThere, contentType: null, tail: null }))
      this.found.streams += 1
      if (isThere) this.found.streamsBefore += 1
    }
    if (!known.before || status >= 400) return
    known.contentType ??= (method === 'POST' ? headers['content-type'] : query.some(([name]) => name === 'live') ? undefined : answered.contentType) ?? null
    known.tail ??= tailOf(query, answered)
  }
}

/** Where a stream's end was: told by an answer at the tail, or asked for by a live reader. */
function tailOf(query: LoggedRequest['query'], answered: LoggedRequest['answered']): string | null {
  if (answered.upToDate && answered.nextOffset !== undefined) return answered.nextOffset
  const asked = new Map(query)
  const offset = asked.get('offset')
  return asked.has('live') && offset !== undefined && offset !== '-1' && offset !== 'now' ? offset : null
}

function round(ms: number): number {
  return Math.max(0, Math.round(ms * 10) / 10)
}

/** Gives requests in the order in which they were sent, though they come as they ended. */
class OrderWindow {
  readonly #windowMs: number
  /** A binary heap, the earliest on top. */
  readonly #heap: LoggedRequest[] = []
  #newestMs = Number.NEGATIVE_INFINITY

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  *add(request: LoggedRequest): Generator<LoggedRequest> {
    this.#push(request)
    this.#newestMs = Math.max(this.#newestMs, request.atMs + request.tookMs)
    while (this.#heap.length > 0 && this.#heap[0]!.atMs < this.#newestMs - this.#windowMs) yield this.#pop()
  }

  *rest(): Generator<LoggedRequest> {
    while (this.#heap.length > 0) yield this.#pop()
  }

  #push(request: LoggedRequest): void {
    const heap = this.#heap
    let at = heap.push(request) - 1
    while (at > 0 && heap[(at - 1) >> 1]!.atMs > heap[at]!.atMs) at = this.#swap(at, (at - 1) >> 1)
  }

  #pop(): LoggedRequest {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    heap[0] = last
    for (let at = 0; ; ) {
      const children = [2 * at + 1, 2 * at + 2].filter((child) => child < heap.length)
      const least = children.reduce((a, b) => (heap[b]!.atMs < heap[a]!.atMs ? b : a), children[0] ?? at)
      if (heap[least]!.atMs >= heap[at]!.atMs) return top
      at = this.#swap(at, least)
    }
  }

  #swap(a: number, b: number): number {
    const heap = this.#heap
    ;[heap[a], heap[b]] = [heap[b]!, heap[a]!]
    return b
  }
}

async function startsAsHar(file: string): Promise<boolean> {
  const head = await headOf(file)
  return /^\s*\{\s*"log"\s*:\s*\{/.test(head.toString('utf8').replace(/^\uFEFF/, ''))
}

async function headOf(file: string): Promise<Buffer> {
  try {
    const handle = await open(file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new UsageError(`The log ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

/** Lines of a file, unpacked where it is gzip, whatever it is called. Of a line no more than 1 MiB is kept. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const head = await headOf(file)
  const packed = head[0] === 0x1f && head[1] === 0x8b
  const raw = createReadStream(file)
  // Its errors come out of what is read below.
  const input = packed ? endToEnd(raw, createGunzip(), () => {}) : raw
  try {
    yield* split(input as AsyncIterable<Buffer>)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new UsageError(`The log ${file} cannot be read to its end (${code}${packed ? ', gzip' : ''}); unpack or copy it again.`)
  } finally {
    raw.destroy()
  }
}

const newline = 0x0a

async function* split(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let kept: Buffer[] = []
  let keptBytes = 0
  const keep = (part: Buffer) => {
    const room = part.subarray(0, Math.max(0, lineBytesMax - keptBytes))
    kept.push(room)
    keptBytes += room.length
  }
  const take = () => {
    const line = Buffer.concat(kept).toString('utf8').replace(/\r$/, '')
    kept = []
    keptBytes = 0
    return line
  }
  for await (const piece of pieces) {
    let from = 0
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, from)) {
      keep(piece.subarray(from, end))
      yield take()
      from = end + 1
    }
    keep(piece.subarray(from))
  }
  if (keptBytes > 0) yield take()
}
