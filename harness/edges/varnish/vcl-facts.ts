/** What a VCL certainly does to the readers of streams, read from its text alone. */
import { UsageError } from '../../errors.ts'
import type { Certainty, Difference, EdgeAct, EdgeFacts, Exchange } from '../../audits/edge-facts.ts'
import { expandIncludes, type SourceLine } from '../../confine/includes.ts'
import type { EdgeConfig } from '../edge.ts'
import { varnishdDefaults } from './varnishd-parameters.ts'
import { answers, builtIn, follow, requests, type Outcome, type Request } from './vcl-exchanges.ts'
import { vclIncludes } from './vcl-includes.ts'
import { TooManyWays, variableOf, VclProgram } from './vcl-paths.ts'
import { readSubs } from './vcl-statements.ts'
import { tokenizeVcl, type VclToken } from './vcl-tokens.ts'

type Place = EdgeAct['place']
type Shown = (place: Place) => Place

/** @throws UsageError for what is no VCL, and for includes that cannot be read */
export function vclFacts({ file, source }: EdgeConfig, shown: Shown): EdgeFacts {
  const { text, lines } = expandIncludes(source, file, vclIncludes())
  const tokens = tokenizeVcl(text)
  const open = tokens.find(({ kind }) => kind === 'unterminated')
  const begin = lines[0] ?? { file, line: 1 }
  if (!tokens.some((token, index) => token.text === 'vcl' && /^\d/.test(tokens[index + 1]?.text ?? ''))) throw new UsageError(`${file} is no VCL: it has no line such as "vcl 4.1;".`)
  if (open) {
    const place = placeAt(open, text, lines, begin)
    throw new UsageError(`${place.file}:${place.line}: a comment or a text has no end.`)
  }
  const at = (token: VclToken | null | undefined) => shown(token ? placeAt(token, text, lines, begin) : { file, line: 1, column: 1 })
  const reading = new VclReading(text, tokens, source, at)
  return { place: shown({ file, line: 1, column: 1 }), ...reading.facts() }
}

function placeAt({ start, line }: VclToken, text: string, lines: readonly SourceLine[], fallback: SourceLine): Place {
  const from = lines[line - 1] ?? fallback
  return { file: from.file, line: from.line, column: start - text.lastIndexOf('\n', start - 1) }
}

const everyExchange = Object.keys(answers) as Exchange[]

class VclReading {
  readonly #program: VclProgram
  readonly #at: (token: VclToken | null | undefined) => Place
  readonly #tokens: readonly VclToken[]
  readonly #defaultTtlSeconds: number
  readonly #followed = new Map<string, Outcome[]>()

  constructor(text: string, tokens: readonly VclToken[], source: string, at: (token: VclToken | null | undefined) => Place) {
    // The subs are read from the same text: their tokens have the same places.
    this.#program = new VclProgram(readSubs(text), builtIn)
    this.#at = at
    this.#tokens = tokens
    this.#defaultTtlSeconds = varnishdDefaults(source).ttlSeconds
  }

  facts(): Pick<EdgeFacts, 'followed' | 'forgets' | 'acts'> {
    const forgets = this.#tokens.some((token, index) => token.kind === 'word' && (/^(ban|std\.ban|purge\.(hard|soft))$/.test(token.text) || (token.text === 'return' && this.#tokens[index + 2]?.text === 'purge')))
    try {
      const all = everyExchange.map((exchange) => ({ exchange, outcomes: this.#follow(exchange) }))
      const acts = [...this.#headers(all), ...all.flatMap((one) => this.#storing(one)), ...this.#sharing(), ...this.#queries()]
      return { followed: all.length, forgets, acts }
    } catch (error) {
      if (!(error instanceof TooManyWays)) throw error
      return { followed: 0, forgets, acts: [] }
    }
  }

  #follow(exchange: Exchange, request: Request = answers[exchange].request): Outcome[] {
    const name = JSON.stringify([exchange, request])
    const known = this.#followed.get(name)
    if (known) return known
    const outcomes = follow(this.#program, request, answers[exchange].answer, this.#defaultTtlSeconds)
    this.#followed.set(name, outcomes)
    return outcomes
  }

  // --- headers --------------------------------------------------------------------------------

  /** The same change of the same header once, for all exchanges that it meets. */
  #headers(all: readonly Followed[]): EdgeAct[] {
    const found = all.flatMap(({ exchange, outcomes }) => this.#headersOf(exchange, outcomes))
    const groups = Map.groupBy(found, (act) => JSON.stringify([act.header, act.how, act.place]))
    return [...groups.values()].map((acts) => ({
      ...acts[0]!,
      certainty: acts.some(({ certainty }) => certainty === 'always') ? 'always' : 'perhaps',
      exchanges: acts.map(({ exchange }) => exchange),
    }))
  }

  #headersOf(exchange: Exchange, outcomes: readonly Outcome[]) {
    const delivered = outcomes.filter(({ isDelivered }) => isDelivered)
    return Object.entries(answers[exchange].answer.headers).flatMap(([header, sent]) => {
      const changed = delivered.filter(({ way }) => variableOf(way, `resp.http.${header}`) !== sent)
      const { way } = changed[0] ?? {}
      const token = way && (way.touched.get(`resp.http.${header}`) ?? way.touched.get(`beresp.http.${header}`))
      if (!way || !token) return []
      const how = variableOf(way, `resp.http.${header}`) === undefined ? ('dropped' as const) : ('replaced' as const)
      const certainty: Certainty = changed.length === delivered.length ? 'always' : 'perhaps'
      return [{ kind: 'header' as const, header, how, certainty, exchange, place: this.#at(token) }]
    })
  }

  // --- what is stored -------------------------------------------------------------------------

  #storing({ exchange, outcomes }: Followed): EdgeAct[] {
    const ways = outcomes.filter(({ isDelivered }) => isDelivered)
    if (ways.length === 0) return []
    const touched = (name: string) => ways.map(({ way }) => way.touched.get(name)).find(Boolean)
    if (ways.every(({ isStored }) => isStored === false)) {
      const passed = ways.every(({ key }) => key === null) ? ways[0]!.way.recvEndedAt : null
      return [{ kind: 'not-shared', exchange, place: this.#at(passed ?? touched('beresp.uncacheable') ?? this.#sub('vcl_backend_response')) }]
    }
    if (!ways.every(({ isStored }) => isStored === true)) return []
    const seconds = Math.min(...ways.map(({ ttlSeconds }) => ttlSeconds ?? 0))
    const graces = ways.map(({ graceSeconds }) => graceSeconds ?? 0)
    const [ttlAt, graceAt] = [touched('beresp.ttl'), touched('beresp.grace')]
    return [
      { kind: 'stored', exchange, seconds, by: ttlAt ? 'statement' : 'default', place: this.#at(ttlAt ?? this.#sub('vcl_backend_response')) },
      ...(graceAt ? [{ kind: 'grace' as const, exchange, seconds: Math.min(...graces), place: this.#at(graceAt) }] : []),
    ]
  }

  #sub(name: string): VclToken | undefined {
    return this.#tokens.find((token, index) => token.text === name && this.#tokens[index - 1]?.text === 'sub')
  }

  // --- what is shared -------------------------------------------------------------------------

  #sharing(): EdgeAct[] {
    const { catchUp, longPoll } = requests
    const other = { ...catchUp, query: catchUp.query.replace(/.$/, '3') }
    const pairs: [Difference, Request, Request, Exchange][] = [
      ['path', catchUp, { ...catchUp, path: '/v1/stream/customers' }, 'history'],
      ['offset', catchUp, other, 'history'],
      ['live', { ...catchUp, query: `${catchUp.query}&live=sse` }, { ...catchUp, query: `${catchUp.query}&live=long-poll` }, 'long-poll'],
      ['cursor', longPoll, { ...longPoll, query: longPoll.query.replace('1234', '1235') }, 'long-poll'],
      ['authorization', withHeader('authorization', 'Bearer one'), withHeader('authorization', 'Bearer other'), 'history'],
      ['cookie', withHeader('cookie', 'session=one'), withHeader('cookie', 'session=other'), 'history'],
    ]
    return pairs.flatMap(([difference, one, another, exchange]) => this.#sharedOver(difference, one, another, exchange))
  }

  #sharedOver(difference: Difference, one: Request, another: Request, exchange: Exchange): EdgeAct[] {
    const [first, second] = [this.#follow(exchange, one), this.#follow(exchange, another)]
    if (first.length === 0) return []
    const isSame = (outcome: Outcome) => {
      const twin = second.find(({ way }) => way.choices.join() === outcome.way.choices.join())
      return outcome.key !== null && outcome.isStored === true && twin?.key === outcome.key && !mayVary(outcome)
    }
    if (!first.every(isSame)) return []
    const { way } = first[0]!
    if (difference === 'authorization' || difference === 'cookie') {
      // The origin did not see it: what is shared is what it tells anybody.
      if (variableOf(way, `bereq.http.${difference}`) === undefined) return this.#requestHeader(difference, way.touched.get(`req.http.${difference}`))
      return [{ kind: 'shares-over', difference, place: this.#at(way.recvEndedAt ?? this.#sub('vcl_recv')) }]
    }
    // Lost in the address, or kept there and left out of the hash.
    const isInAddress = variableOf(way, 'req.url') !== variableOf(second[0]!.way, 'req.url')
    const at = (isInAddress ? way.hashedAt : way.touched.get('req.url')) ?? way.hashedAt ?? this.#sub('vcl_hash')
    return [{ kind: 'shares-over', difference, place: this.#at(at) }]
  }

  #requestHeader(header: string, token: VclToken | undefined): EdgeAct[] {
    return token ? [{ kind: 'request-header', header, place: this.#at(token) }] : []
  }

  // --- the address ----------------------------------------------------------------------------

  #queries(): EdgeAct[] {
    const { longPoll } = requests
    const outcomes = this.#follow('long-poll', longPoll)
    if (outcomes.length === 0 || !outcomes.every(({ isDelivered, url }) => isDelivered && url !== null)) return []
    const kept = (outcome: Outcome) => new Set(outcome.url!.split('?')[1]?.split('&') ?? [])
    const lost = longPoll.query.split('&').filter((pair) => outcomes.every((outcome) => !kept(outcome).has(pair)))
    const { way } = outcomes[0]!
    const token = way.touched.get('bereq.url') ?? way.touched.get('req.url')
    const cut: EdgeAct[] = lost.length > 0 ? [{ kind: 'query', lost: lost.map((pair) => pair.split('=')[0]!), place: this.#at(token) }] : []
    return [...cut, ...this.#order(outcomes)]
  }

  #order(outcomes: readonly Outcome[]): EdgeAct[] {
    const { longPoll } = requests
    const turned = this.#follow('long-poll', { ...longPoll, query: longPoll.query.split('&').toReversed().join('&') })
    const differs = outcomes.every(({ key, way }) => {
      const twin = turned.find((one) => one.way.choices.join() === way.choices.join())
      return key !== null && twin !== undefined && twin.key !== null && twin.key !== key
    })
    return differs ? [{ kind: 'order-counts', place: this.#at(this.#sub('vcl_hash') ?? this.#sub('vcl_recv')) }] : []
  }
}

interface Followed {
  exchange: Exchange
  outcomes: Outcome[]
}

function withHeader(name: string, value: string): Request {
  return { ...requests.catchUp, headers: { [name]: value } }
}

/** Whether a Vary that the text set may tell requests apart. */
function mayVary({ way }: Outcome): boolean {
  return variableOf(way, 'beresp.http.vary') !== undefined
}
