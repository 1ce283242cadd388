/**
 * Numbers the origin's responses, and remembers what each was: who had asked for what, when, what its
 * head said, when it ended. So an answer of the cache can be held against the very response that it
 * was made from.
 */
import { headersOfAnAnswer, responseNumberHeader, type Upstream } from '../../history.ts'
import type { Entry } from './counting.ts'
import { fieldValues } from './message-scanner.ts'

export type PassingResponse = Omit<Upstream, 'kind' | 'stream'>

export interface PassedResponses {
  responses: PassingResponse[]
  /** How many were too many to keep. */
  forgotten: number
}

const responsesMax = 200_000

export class ResponseLog {
  #nowMs: () => number
  #responses = new Map<number, PassingResponse>()
  #last = 0
  #forgotten = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** A response to this request begins. */
  begin(entry: Entry, request: { lines: string[]; atMs: number }): PassingResponse {
    this.#last += 1
    const { method, target } = entry
    const response = { number: this.#last, method, target, asked: askedOf(request.lines), askedAtMs: request.atMs, headAtMs: this.#nowMs(), endedAtMs: null, status: 0, headers: {} }
    this.#responses.set(this.#last, response)
    if (this.#responses.size > responsesMax) this.#forgetOldest()
    return response
  }

  headerLine({ number }: PassingResponse): string {
    return `${responseNumberHeader}: ${number}\r\n`
  }

  head(response: PassingResponse, status: number, lines: string[]): void {
    response.status = status
    for (const name of headersOfAnAnswer) {
      const value = fieldValue(lines, name)
      if (value !== null) response.headers[name] = value
    }
  }

  end(response: PassingResponse): void {
    response.endedAtMs = this.#nowMs()
  }

  /** All of one path, whatever the query; they are not told again. */
  take(path: string): PassedResponses {
    const responses = [...this.#responses.values()].filter(({ target }) => target === path || target.startsWith(`${path}?`))
    for (const { number } of responses) this.#responses.delete(number)
    return { responses, forgotten: this.#forgotten }
  }

  #forgetOldest(): void {
    const [oldest] = this.#responses.keys()
    this.#responses.delete(oldest!)
    this.#forgotten += 1
  }
}

function askedOf(lines: string[]): Upstream['asked'] {
  const ifNoneMatch = fieldValue(lines, 'if-none-match')
  return {
    authorization: fieldValues(lines, 'authorization').length > 0,
    cookie: fieldValues(lines, 'cookie').length > 0,
    ...(ifNoneMatch === null ? {} : { ifNoneMatch }),
  }
}

/** A field's lines joined as clients join them; null where there is none. */
function fieldValue(lines: string[], name: string): string | null {
  const values = lines
    .slice(1)
    .filter((line) => line.length > name.length && line[name.length] === ':' && line.slice(0, name.length).toLowerCase() === name)
    .map((line) => line.slice(name.length + 1).trim())
  return values.length === 0 ? null : values.join(', ')
}
