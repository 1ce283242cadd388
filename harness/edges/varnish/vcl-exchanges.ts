/** Typical exchanges of a reader and the origin, followed through a VCL from the request to what the reader gets. */
import type { Exchange } from '../../audits/edge-facts.ts'
import { isOpaque, nameOf, opaque, type VclValue } from './vcl-expressions.ts'
import { TooManyWays, variableOf, type VclProgram, type Way } from './vcl-paths.ts'
import { readSubs, type Sub } from './vcl-statements.ts'

export interface Request {
  path: string
  query: string
  headers?: Record<string, string>
}

interface Answer {
  status: number
  headers: Record<string, string>
}

/** What became of an exchange on one way through the text. */
export interface Outcome {
  way: Way
  /** Null where the cache was not asked. */
  key: string | null
  /** False where the reader gets something else than the origin's answer. */
  isDelivered: boolean
  /** The address that the origin is asked for; null where it is not known, or not asked. */
  url: string | null
  /** True where others may get it from the store; null where that is not known. */
  isStored: boolean | null
  /** Null where they are not known. */
  ttlSeconds: number | null
  graceSeconds: number | null
}

const stream = '/v1/stream/orders'
const offset = '0000000000000001_0000000000000042'

export const requests = {
  catchUp: { path: stream, query: `offset=${offset}` },
  longPoll: { path: stream, query: `offset=${offset}&live=long-poll&cursor=1234` },
  eventStream: { path: stream, query: `offset=${offset}&live=sse&cursor=1234` },
} satisfies Record<string, Request>

/** As the production server answers; PROTOCOL.md of upstream, sections 5 and 8. */
const cors = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Stream-Next-Offset, Stream-Cursor, Stream-Up-To-Date, Stream-Closed, ETag' }
const tail: Answer = { status: 200, headers: { ...cors, 'content-type': 'application/json', 'stream-next-offset': offset, 'stream-up-to-date': 'true', etag: `"${offset}"` } }
export const answers: Record<Exchange, { request: Request; answer: Answer }> = {
  history: { request: requests.catchUp, answer: { status: 200, headers: { ...cors, 'content-type': 'application/json', 'stream-next-offset': offset, etag: `"${offset}"`, 'cache-control': 'public, max-age=60, stale-while-revalidate=300' } } },
  tail: { request: requests.catchUp, answer: tail },
  missing: { request: requests.catchUp, answer: { status: 404, headers: { ...cors, 'content-type': 'text/plain; charset=utf-8' } } },
  'long-poll': { request: requests.longPoll, answer: { ...tail, headers: { ...tail.headers, 'stream-cursor': '1235' } } },
  'nothing-new': { request: requests.longPoll, answer: { status: 204, headers: { ...cors, 'stream-next-offset': offset, 'stream-up-to-date': 'true', 'stream-cursor': '1235' } } },
  'event-stream': { request: requests.eventStream, answer: { status: 200, headers: { ...cors, 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } } },
}

/** Clients send them, with whatever values. */
const usualHeaders = ['host', 'user-agent', 'accept', 'accept-encoding', 'accept-language', 'origin', 'referer', 'x-forwarded-for', 'x-forwarded-proto', 'x-real-ip']
const graceDefaultSeconds = 10

/** What Varnish 7.1 runs behind the user's own subs (builtin.vcl), as far as it decides anything here. */
export const builtIn: Sub[] = readSubs(`
sub vcl_recv {
  if (req.method != "GET" && req.method != "HEAD") { return (pass); }
  if (req.http.Authorization || req.http.Cookie) { return (pass); }
  return (hash);
}
sub vcl_hash {
  hash_data(req.url);
  hash_data(req.http.host);
  return (lookup);
}
sub vcl_backend_response {
  if (bereq.uncacheable) { return (deliver); }
  if (beresp.ttl <= 0s || beresp.http.Set-Cookie || beresp.http.Vary == "*"
      || beresp.http.Surrogate-Control ~ "(?i)no-store"
      || (!beresp.http.Surrogate-Control && beresp.http.Cache-Control ~ "(?i)(?:no-cache|no-store|private)")) {
    set beresp.ttl = 120s;
    set beresp.uncacheable = true;
  }
  return (deliver);
}`)

/** Every way that this exchange can take, to its end. */
export function follow(program: VclProgram, request: Request, answer: Answer, defaultTtlSeconds: number): Outcome[] {
  return new Following(program, answer, defaultTtlSeconds).from(beginning(request), 0)
}

/** As varnishd: max_restarts. */
const restartsMax = 4
const outcomesMax = 600

interface Asking {
  way: Way
  key: string | null
  restarts: number
}

class Following {
  readonly #program: VclProgram
  readonly #answer: Answer
  readonly #defaultTtlSeconds: number
  #outcomes = 0

  constructor(program: VclProgram, answer: Answer, defaultTtlSeconds: number) {
    this.#program = program
    this.#answer = answer
    this.#defaultTtlSeconds = defaultTtlSeconds
  }

  from(way: Way, restarts: number): Outcome[] {
    return this.#program.run('vcl_recv', [way], 'hash').flatMap((received): Outcome[] => {
      const action = received.ended!.action
      if (action === 'pass') return this.#fetch({ way: received, key: null, restarts })
      if (action !== 'hash') return this.#elsewhere(received, restarts)
      return this.#program.run('vcl_hash', [received], 'lookup').flatMap((hashed) => this.#fetch({ way: hashed, key: hashed.hash.map(nameOf).join(' '), restarts }))
    })
  }

  #fetch({ way, key, restarts }: Asking): Outcome[] {
    return this.#program.run(key === null ? 'vcl_pass' : 'vcl_miss', [way], 'fetch').flatMap((missed): Outcome[] => {
      const action = missed.ended!.action
      if (action !== 'fetch' && action !== 'pass') return this.#elsewhere(missed, restarts)
      const isPassed = key === null || action === 'pass'
      return this.#program.run('vcl_backend_fetch', [withRequest(missed, isPassed)], 'fetch').flatMap((asked) => {
        const asking = { way: asked, key: isPassed ? null : key, restarts }
        if (asked.ended!.action === 'error') return this.#madeHere(asking)
        return asked.ended!.action === 'fetch' ? this.#answered(asking) : this.#elsewhere(asked, restarts)
      })
    })
  }

  #answered({ way, key, restarts }: Asking): Outcome[] {
    const url = variableOf(way, 'bereq.url')
    return this.#program.run('vcl_backend_response', [withAnswer(way, this.#answer, this.#defaultTtlSeconds)], 'deliver').flatMap((got) => {
      const action = got.ended!.action
      if (action !== 'deliver' && action !== 'pass') return this.#elsewhere(got, restarts)
      const seen = {
        key,
        url: typeof url === 'string' ? url : null,
        isStored: storedOf(got, key, action),
        ttlSeconds: secondsOf(variableOf(got, 'beresp.ttl')),
        graceSeconds: secondsOf(variableOf(got, 'beresp.grace')),
      }
      return this.#program.run('vcl_deliver', [withResponse(got)], 'deliver').flatMap((delivered) =>
        delivered.ended!.action === 'deliver' ? this.#ended({ ...seen, way: delivered, isDelivered: true }) : this.#elsewhere(delivered, restarts),
      )
    })
  }

  /** An answer that Varnish makes itself: no reader's, unless it is not followed by a restart. */
  #madeHere({ way, restarts }: Asking): Outcome[] {
    return this.#program.run('vcl_backend_error', [withAnswer(way, { status: 503, headers: {} }, 0)], 'deliver').flatMap((made) =>
      this.#program.run('vcl_deliver', [withResponse(made)], 'deliver').flatMap((delivered) => this.#elsewhere(delivered, restarts)),
    )
  }

  #elsewhere(way: Way, restarts: number): Outcome[] {
    if (way.ended?.action === 'restart' && restarts < restartsMax) return this.from(restarted(way, restarts + 1), restarts + 1)
    return this.#ended({ way, key: null, isDelivered: false, url: null, isStored: false, ttlSeconds: null, graceSeconds: null })
  }

  #ended(outcome: Outcome): Outcome[] {
    this.#outcomes += 1
    if (this.#outcomes > outcomesMax) throw new TooManyWays()
    return [outcome]
  }
}

/** What a text has noted about the request stays, all else begins anew. */
function restarted(way: Way, restarts: number): Way {
  const variables = new Map([...way.variables].filter(([name]) => name.startsWith('req.'))).set('req.restarts', restarts)
  return { ...way, variables, hash: [], hashedAt: null, ended: null }
}

function beginning({ path, query, headers = {} }: Request): Way {
  const usual = usualHeaders.map((name): [string, VclValue] => [`req.http.${name}`, opaque(name)])
  const own = Object.entries(headers).map(([name, value]): [string, VclValue] => [`req.http.${name}`, value])
  const variables = new Map<string, VclValue>([...usual, ...own, ['req.method', 'GET'], ['req.url', `${path}?${query}`], ['req.restarts', 0], ['req.proto', 'HTTP/1.1']])
  return { variables, touched: new Map(), hash: [], hashedAt: null, choices: [], ended: null }
}

function storedOf(way: Way, key: string | null, action: string): boolean | null {
  const uncacheable = variableOf(way, 'beresp.uncacheable')
  if (key === null || action === 'pass' || uncacheable === true) return false
  const ttl = secondsOf(variableOf(way, 'beresp.ttl'))
  return isOpaque(uncacheable) || ttl === null ? null : ttl > 0
}

function secondsOf(value: VclValue): number | null {
  return typeof value === 'number' ? value : null
}

function withRequest(way: Way, isPassed: boolean): Way {
  const variables = new Map(way.variables).set('bereq.uncacheable', isPassed)
  for (const [name, value] of way.variables) if (name.startsWith('req.')) variables.set(`be${name}`, value)
  return { ...way, variables }
}

/** With the lifetimes that Varnish has computed before the user's text runs. */
function withAnswer(way: Way, { status, headers }: Answer, defaultTtlSeconds: number): Way {
  const maxAge = /max-age=(\d+)/.exec(headers['cache-control'] ?? '')?.[1]
  const grace = /stale-while-revalidate=(\d+)/.exec(headers['cache-control'] ?? '')?.[1]
  const variables = new Map(way.variables)
    .set('beresp.status', status)
    .set('beresp.ttl', maxAge === undefined ? defaultTtlSeconds : Number(maxAge))
    .set('beresp.grace', grace === undefined ? graceDefaultSeconds : Number(grace))
    .set('beresp.keep', 0)
    .set('beresp.uncacheable', variableOf(way, 'bereq.uncacheable'))
  for (const [name, value] of Object.entries(headers)) variables.set(`beresp.http.${name}`, value)
  return { ...way, variables }
}

function withResponse(way: Way): Way {
  const variables = new Map(way.variables)
  for (const [name, value] of way.variables) if (/^beresp\.(http\.|status$)/.test(name)) variables.set(name.slice(2), value)
  // A header that was taken away before is not in the map.
  return { ...way, variables }
}
