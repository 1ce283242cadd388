/** The lifetimes that a create asks for, by whichever way: what `lifecycle-set` and `lifecycle-one` share. Pure. */
import type { Facts, Use, UseWay } from './source/client-uses.ts'
import type { Evaluator } from './source/evaluate.ts'
import { anyOf, headerPresence, optionPresence, type Presence } from './source/headers.ts'
import { markedText, nothing, wholeText, type Value } from './source/values.ts'

export interface Lifetimes {
  ttl: Presence
  expiresAt: Presence
  /** A fork has its source's lifetime where it has none of its own (PROTOCOL.md, section 4.2). */
  fork: Presence
  /** It was put where this call does not read it: the client sends a handle's headers only. */
  ignored: string | null
}

/** Uses that create a stream: through the client, or by a PUT of one's own. */
export function creates({ uses, evaluator }: Facts): Use[] {
  return uses.filter((use) => use.api === 'create' || (use.api === 'request' && use.ways.some((way) => isPut(way, evaluator))))
}

function isPut({ args, options }: UseWay, evaluator: Evaluator): boolean {
  const method = wholeText(evaluator.member(options, 'method'))
  if (method?.toUpperCase() !== 'PUT') return false
  const headers = evaluator.member(options, 'headers')
  const address = args[0] ? markedText(args[0]) : null
  return address?.includes('/v1/stream/') === true || ['stream-ttl', 'stream-expires-at', 'stream-closed', 'stream-forked-from'].some((name) => headerPresence(headers, name) === 'yes')
}

export function lifetimesOf(options: Value, way: UseWay, use: Use, evaluator: Evaluator): Lifetimes {
  const isInstance = use.name === 'handle.create()'
  const own = evaluator.member(options, 'headers')
  const sent = isInstance ? headersOf(way.handle, evaluator) : own
  const byOption = (name: string): Presence => (use.api === 'request' ? 'no' : optionPresence(options, name))
  const lifetimes = {
    ttl: anyOf([byOption('ttlSeconds'), headerPresence(sent, 'stream-ttl')]),
    expiresAt: anyOf([byOption('expiresAt'), headerPresence(sent, 'stream-expires-at')]),
    fork: headerPresence(sent, 'stream-forked-from'),
  }
  const none = lifetimes.ttl === 'no' && lifetimes.expiresAt === 'no'
  return { ...lifetimes, ignored: isInstance && none ? ignoredBy(own, way, evaluator) : null }
}

function headersOf(handle: Value | null, evaluator: Evaluator): Value {
  if (!handle) return nothing
  return evaluator.member(handle, 'headers')
}

/** The client 0.2.7 sends neither the headers given to `handle.create()` nor a lifetime given to the constructor. */
function ignoredBy(own: Value, { handle }: UseWay, evaluator: Evaluator): string | null {
  const inOwn = anyOf(['stream-ttl', 'stream-expires-at'].map((name) => headerPresence(own, name)))
  if (inOwn === 'yes') return 'handle.create() does not send the headers it is given, only those of its handle'
  const inHandle = handle ? anyOf(['ttlSeconds', 'expiresAt'].map((name) => (evaluator.member(handle, name).kind === 'literal' || evaluator.member(handle, name).kind === 'text' ? optionPresence(handle, name) : 'no'))) : 'no'
  return inHandle === 'yes' ? 'a lifetime given to new DurableStream() is not sent by handle.create()' : null
}
