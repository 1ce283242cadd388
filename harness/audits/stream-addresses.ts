/** Requests that are made by hand and surely go to a stream. Pure. */
import type { UseWay } from './source/client-uses.ts'
import type { Evaluator } from './source/evaluate.ts'
import { headerPresence } from './source/headers.ts'
import { markedText } from './source/values.ts'

const streamHeaders = ['stream-ttl', 'stream-expires-at', 'stream-closed', 'stream-seq', 'stream-forked-from', 'producer-id']

/** The path of upstream's own examples, the query of the protocol, or its headers. */
export function isStreamRequest({ args, options }: UseWay, evaluator: Evaluator): boolean {
  const address = args[0] ? markedText(args[0]) : null
  if (address !== null && (address.includes('/v1/stream/') || isStreamQuery(address))) return true
  const headers = evaluator.member(options, 'headers')
  return streamHeaders.some((name) => headerPresence(headers, name) === 'yes')
}

function isStreamQuery(address: string): boolean {
  const keys = queryOf(address).map(([key]) => key)
  const live = queryOf(address).find(([key]) => key === 'live')?.[1]
  return keys.includes('offset') && (live === 'long-poll' || live === 'sse' || keys.includes('cursor') || address.includes('offset=-1'))
}

/** The pairs of an address's query, in their order. */
export function queryOf(address: string): [string, string][] {
  const query = /\?([^#]*)/.exec(address)?.[1] ?? ''
  return query.split('&').filter(Boolean).map((pair) => {
    const at = pair.indexOf('=')
    return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
  })
}
