/** What a live reader may meet, as a table. */
import type { Handler } from '../load/client/plan.ts'
import type { ClientFault as Fault } from '../services/fault-proxy/faults.ts'

export interface ClientFault {
  id: string
  fault: Fault
  /** How often it strikes; null for as long as `forMs` says, or for good. */
  times: number | null
  /** From its first strike until it heals. */
  forMs?: number
  /** What a careful application makes of it. */
  expects: 'stop' | 'retry'
  /** The reader's Authorization. The fault's own token is the only one that is right once it is armed. */
  token?: { given: 'by-function' | 'as-value'; renewedBefore: 'the-fault' | 'the-handler' }
  handler?: Handler
  /** The last batch's offset, unless it is said. */
  resumesFrom?: 'session'
  /** Met only where it is asked for by its id. */
  byName?: true
  /** Where it cannot be met at the other moment. */
  only?: 'reconnect'
  /** Where it cannot be met in the other modes. */
  modes?: readonly string[]
  retryAfterMs?: number
}

const forGood = { times: null, expects: 'stop' } as const
const forAWhile = { times: null, forMs: 1_500, expects: 'retry' } as const
const answer = (status: number, headers?: Record<string, string>): Fault => ({ kind: 'answer', status, ...(headers ? { headers } : {}) })
export const firstToken = 'first'
export const secondToken = 'second'
const onlySecondToken: Fault = { kind: 'token', authorization: `Bearer ${secondToken}` }

export const clientFaults: readonly ClientFault[] = [
  { id: 'unauthorized-401', fault: answer(401), ...forGood },
  { id: 'forbidden-403', fault: answer(403), ...forGood },
  { id: 'not-found-404', fault: answer(404), ...forGood },
  { id: 'conflict-409', fault: answer(409), ...forGood },
  { id: 'rate-limited-429', fault: answer(429, { 'retry-after': '2' }), times: 1, expects: 'retry', retryAfterMs: 2_000 },
  { id: 'server-error-500', fault: answer(500), ...forAWhile },
  { id: 'unavailable-503', fault: answer(503), ...forAWhile },
  { id: 'unavailable-503-with-retry-after', fault: answer(503, { 'retry-after': '2' }), times: 1, expects: 'retry', retryAfterMs: 2_000 },
  { id: 'connection-reset', fault: { kind: 'reset' }, ...forAWhile },
  { id: 'truncated-body', fault: { kind: 'hang-up', afterBytes: 16_384 }, times: 1, expects: 'retry' },
  {
    id: 'truncated-body-resumed-from-session',
    fault: { kind: 'hang-up', afterBytes: 16_384 },
    times: 1,
    expects: 'retry',
    resumesFrom: 'session',
  },
  {
    id: 'event-stream-ends-after-data',
    fault: { kind: 'cut' },
    times: 1,
    expects: 'retry',
    only: 'reconnect',
    modes: ['sse'],
  },
  {
    // As a cache answers that stores an empty poll and leaves the cursor out of its key.
    id: 'stale-poll-again',
    fault: answer(204, { 'stream-next-offset': '{offset}', 'stream-up-to-date': 'true', 'stream-cursor': '1' }),
    ...forAWhile,
    byName: true,
    only: 'reconnect',
    modes: ['long-poll'],
  },
  { id: 'certificate-of-another-name', fault: { kind: 'certificate', wrong: 'name' }, ...forAWhile },
  { id: 'certificate-has-expired', fault: { kind: 'certificate', wrong: 'date' }, ...forAWhile },
  {
    id: 'token-renewed-in-time',
    fault: onlySecondToken,
    times: null,
    expects: 'retry',
    token: { given: 'by-function', renewedBefore: 'the-fault' },
    only: 'reconnect',
  },
  {
    id: 'token-renewed-by-handler',
    fault: onlySecondToken,
    times: null,
    expects: 'retry',
    token: { given: 'as-value', renewedBefore: 'the-handler' },
    handler: 'renews-the-token',
  },
]

export function clientFault(id: string): ClientFault {
  const found = clientFaults.find((one) => one.id === id)
  if (!found) throw new TypeError(`no fault that a client can meet is called "${id}"`)
  return found
}
