/**
 * The counting tap: a TCP proxy between the cache and the origin, as a program of its own. What it
 * counts is what arrived at the origin, whatever the cache in front of it believes.
 *
 *   node tap.ts      first line on stdin: {"listenPort", "upstreamPort", "recordMax", "eventsMax"?,
 *                     "numbers"?}
 *
 * It says {"ready": true, "port"} once, or {"failed": "…"}. Then it is asked, a line of JSON each:
 *   {"id", "ask": "counters", "prefix"?}        all since its start            {"id", "tally"}
 *   {"id", "ask": "mark"}                       a moment to count from         {"id", "mark"}
 *   {"id", "ask": "since", "mark", "prefix"?}   all since that moment          {"id", "tally"}
 *   {"id", "ask": "in-flight", "prefix"?}       requests not answered yet      {"id", "inFlight"}
 *   {"id", "ask": "repoint", "port"}            new connections go there       {"id", "port"}
 *   {"id", "ask": "responses", "path"}          those of a path, told once     {"id", "responses", "forgotten"}
 *   {"id", "ask": "link", "set"?}               how the link is, or shall be   {"id", "link"}
 * It ends when its standard input does.
 */
import { createServer, type Server } from 'node:net'
import { monotonicMs } from '../../clock.ts'
import { Ledger, type TapTally } from './counting.ts'
import { Link, type LinkCounters, type LinkState } from './link.ts'
import { serveQuestions } from '../serve-questions.ts'
import { relay } from './relay.ts'
import { ResponseLog, type PassedResponses } from './response-log.ts'

export interface TapPlan {
  listenPort: number
  upstreamPort: number
  /** Method-and-target pairs kept in the totals and told in one answer. */
  recordMax: number
  /** Observations kept to count from a mark: about two a request. */
  eventsMax?: number
  /** Each response is numbered by a header and remembered until it is asked for: then it no longer passes unchanged. */
  numbers?: boolean
}

export type TapQuestion =
  | { ask: 'counters'; prefix?: string }
  | { ask: 'mark' }
  | { ask: 'since'; mark: number; prefix?: string }
  | { ask: 'in-flight'; prefix?: string }
  | { ask: 'repoint'; port: number }
  | { ask: 'responses'; path: string }
  | { ask: 'link'; set?: LinkState }

export type TapAnswer = { tally: TapTally } | { mark: number } | { inFlight: number } | { port: number } | PassedResponses | { link: LinkCounters }

const backlog = 4_096
const eventsMaxUsual = 1_000_000

class Tap {
  readonly #ledger: Ledger
  readonly #log: ResponseLog | null
  readonly #link = new Link()
  #upstreamPort: number

  constructor(plan: TapPlan) {
    const { recordMax, eventsMax = eventsMaxUsual } = plan
    this.#ledger = new Ledger({ recordMax, eventsMax }, monotonicMs)
    this.#log = plan.numbers ? new ResponseLog(monotonicMs) : null
    this.#upstreamPort = plan.upstreamPort
  }

  listen(port: number): Promise<Server> {
    // Paused until the origin has accepted: what cannot be passed on is not read.
    const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true }
    const server = createServer(options, (client) => relay(client, this.#upstreamPort, { ledger: this.#ledger, link: this.#link, log: this.#log }))
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, host: '127.0.0.1', backlog }, () => resolve(server))
    })
  }

  answer(question: TapQuestion): TapAnswer {
    switch (question.ask) {
      case 'counters':
        return { tally: this.#ledger.totals(question.prefix) }
      case 'mark':
        return { mark: this.#ledger.mark() }
      case 'since':
        return { tally: this.#ledger.since(question.mark, question.prefix) }
      case 'in-flight':
        return { inFlight: this.#ledger.inFlight(question.prefix ?? '') }
      case 'repoint':
        this.#upstreamPort = question.port
        return { port: question.port }
      case 'responses':
        return this.#log?.take(question.path) ?? { responses: [], forgotten: 0 }
      case 'link':
        if (question.set) this.#link.set(question.set)
        return { link: this.#link.counters() }
    }
  }
}

if (import.meta.main) {
  await serveQuestions((plan: TapPlan) => {
    const tap = new Tap(plan)
    return { ready: { port: plan.listenPort }, listen: () => tap.listen(plan.listenPort), answer: (question: TapQuestion) => tap.answer(question) }
  })
}
