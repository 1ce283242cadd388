/**
 * Watches one connection through the tap: which requests go up, which answers come down for them.
 * It only looks; where it is asked to, it numbers responses and marks them. Bytes it does not
 * understand make the connection opaque, which is counted.
 */
import type { Ending, Entry, Ledger } from './counting.ts'
import type { PassingResponse, ResponseLog } from './response-log.ts'
import type { Marks } from './marks.ts'
import { framingOf, MessageScanner, type Framing } from './message-scanner.ts'

interface Asked {
  entry: Entry
  method: string
  /** A final status has come. */
  answered: boolean
  /** The request's head and when it passed, where responses are numbered. */
  request: { lines: string[]; atMs: number } | null
  response: PassingResponse | null
  /** Header lines that its answer was given here. */
  marks: string[]
}

interface Insertion {
  at: number
  line: string
}

/** More unanswered requests on one connection than any client of ours would send. */
const pipelinedMax = 10_000
const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]$/
const statusLine = /^HTTP\/1\.[01] (\d{3})(?: |$)/

export class Observer {
  #ledger: Ledger
  /** Null where responses pass as they are. */
  #log: ResponseLog | null
  #marks: Marks | null
  #insertions: Insertion[] = []
  #asked: Asked[] = []
  #opaque = false
  #up = new MessageScanner({
    onHead: (lines) => this.#onRequest(lines),
    onEnd: () => {},
    onOdd: () => this.#becomeOpaque('odd'),
  })
  #down = new MessageScanner({
    onStartLine: (line, at) => this.#numberResponse(line, at),
    onHead: (lines) => this.#onResponse(lines),
    onEnd: () => this.#onResponseEnd(),
    onOdd: () => this.#becomeOpaque('odd'),
  })
  /** The response that is passing is an interim one: its request still waits. */
  #interim = false

  constructor(ledger: Ledger, log: ResponseLog | null = null, marks: Marks | null = null) {
    this.#ledger = ledger
    this.#log = log
    this.#marks = marks
  }

  /** Bytes from the client to the origin. */
  up(chunk: Buffer): void {
    if (!this.#opaque) this.#up.push(chunk)
  }

  /** Bytes from the origin to the client. Returns them as they are to be passed on. */
  down(chunk: Buffer): Buffer {
    if (this.#opaque) return chunk
    this.#down.push(chunk)
    return this.#insertions.length === 0 ? chunk : inserted(chunk, this.#insertions.splice(0))
  }

  /** The origin will send no more; `orderly` when it said so itself. */
  downEnded(orderly: boolean): void {
    if (orderly && this.#down.endsWithConnection) this.#onResponseEnd()
    for (const asked of this.#asked.splice(0)) this.#end(asked, asked.answered ? 'cut' : 'unanswered')
    this.#down.becomeOpaque()
  }

  #onRequest(lines: string[]): Framing {
    const [, method, target] = requestLine.exec(lines[0]!) ?? []
    if (method === undefined || target === undefined || this.#asked.length >= pipelinedMax) {
      this.#becomeOpaque('odd')
      return { body: 'opaque' }
    }
    const entry = this.#ledger.request(method, pathOf(target))
    const request = this.#log === null ? null : { lines, atMs: entry.lastAtMs }
    this.#asked.push({ entry, method, answered: false, request, response: null, marks: [] })
    const framing = framingOf(lines) ?? { body: 'none' }
    if (framing.body === 'opaque') this.#becomeOpaque('odd')
    return framing
  }

  #onResponse(lines: string[]): Framing {
    const status = Number(statusLine.exec(lines[0]!)?.[1])
    const asked = this.#asked[0]
    if (Number.isNaN(status) || asked === undefined) {
      this.#becomeOpaque('odd')
      return { body: 'opaque' }
    }
    this.#interim = status < 200 && status !== 101
    if (this.#interim) return { body: 'none' }
    asked.answered = true
    this.#ledger.status(asked.entry, status)
    if (asked.response) this.#log!.head(asked.response, status, [lines[0]!, ...asked.marks, ...lines.slice(1)])
    if (status === 101 || (asked.method === 'CONNECT' && status < 300)) {
      this.#becomeOpaque('upgraded')
      return { body: 'opaque' }
    }
    const framing = responseFraming(asked.method, status, lines)
    if (framing.body === 'opaque') this.#becomeOpaque('odd')
    return framing
  }

  /** The number goes behind the status line: no byte of the fields has been passed on yet. */
  #numberResponse(line: string, at: number): void {
    const asked = this.#asked[0]
    if (this.#log === null || !asked?.request || Number(statusLine.exec(line)?.[1] ?? 0) < 200) return
    asked.response = this.#log.begin(asked.entry, asked.request)
    asked.marks = this.#marks?.linesFor(asked.entry.method, asked.entry.target) ?? []
    this.#insertions.push({ at, line: `${this.#log.headerLine(asked.response)}${asked.marks.map((mark) => `${mark}\r\n`).join('')}` })
  }

  #onResponseEnd(): void {
    if (this.#interim) return
    const asked = this.#asked.shift()
    if (asked) this.#end(asked, 'complete')
  }

  #end(asked: Asked, ending: Ending): void {
    if (asked.response) this.#log!.end(asked.response)
    this.#ledger.end(asked.entry, ending)
  }

  #becomeOpaque(why: 'upgraded' | 'odd'): void {
    if (this.#opaque) return
    this.#opaque = true
    this.#up.becomeOpaque()
    this.#down.becomeOpaque()
    for (const asked of this.#asked.splice(0)) this.#end(asked, 'unobserved')
    this.#ledger.becomeOpaque(why)
  }
}

function inserted(chunk: Buffer, insertions: Insertion[]): Buffer {
  const pieces: Buffer[] = []
  let from = 0
  for (const { at, line } of insertions) {
    pieces.push(chunk.subarray(from, at), Buffer.from(line, 'latin1'))
    from = at
  }
  return Buffer.concat([...pieces, chunk.subarray(from)])
}

/** RFC 9112, section 6.3: some answers have no body whatever their fields say. */
function responseFraming(method: string, status: number, lines: string[]): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return { body: 'none' }
  return framingOf(lines) ?? { body: 'until-close' }
}

/** A target in absolute form names the same resource as its path and query. */
function pathOf(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)?.[1]
  if (absolute === undefined) return target
  return absolute.startsWith('/') ? absolute : `/${absolute}`
}
