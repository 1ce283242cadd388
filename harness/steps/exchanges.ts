/**
 * A few requests, one after another, as they stand in the scenario: the narrow sequence of an incident.
 * What each has to be answered is for checks to say, which find it by its label.
 */
import type { Via } from '../history.ts'
import type { Interpreter } from '../step.ts'

export interface ExchangeRequest {
  /** Unique in its scenario. */
  label: string
  method: 'PUT' | 'POST' | 'GET' | 'HEAD' | 'DELETE'
  /** A path, below that under which the origin has its streams. */
  stream: string
  /** Without its question mark; `{tail}` stands for the offset that this stream's last answer told. */
  query?: string
  /** In values `{base}` stands for the path under which the origin has its streams, with slashes at both ends. */
  headers?: Record<string, string>
  body?: string
  via?: Via
}

export interface Exchanges {
  kind: 'exchanges'
  requests: ExchangeRequest[]
}

/** Sends these requests, each when the one before it was answered. */
export function exchanges(requests: ExchangeRequest[]): Exchanges {
  return { kind: 'exchanges', requests }
}

export const exchangesInterpreter: Interpreter<Exchanges> = async ({ requests }, context) => {
  const base = context.world.capabilities.streamBase
  const tails = new Map<string, string>()
  for (const { label, method, stream, query, headers = {}, body, via = 'origin' } of requests) {
    context.signal.throwIfAborted()
    const asked = query === undefined ? '' : `?${query.replaceAll('{tail}', encodeURIComponent(tails.get(stream) ?? '-1'))}`
    const filled = Object.entries(headers).map(([name, value]) => [name, value.replaceAll('{base}', base)])
    const answer = await context.operations.exchange(label, via, method, `${base}${stream}${asked}`, Object.fromEntries(filled) as Record<string, string>, body === undefined ? undefined : Buffer.from(body))
    const told = answer?.headers['stream-next-offset']
    if (told !== undefined) tails.set(stream, told)
  }
}
