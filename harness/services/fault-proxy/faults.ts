/** What the fault proxy can do to one client, and what it tells of it. Plain values: they stand in scenarios and in the history. */

/** Between TLS edge and cache, where it understands HTTP. */
export type HttpFault =
  /** Answered instead of passed on, as an authentication, a rate limit or an overloaded hop in front does; `{offset}` in a header is the one asked for. */
  | { kind: 'answer'; status: number; headers?: Record<string, string> }
  /** The next event stream ends in good order, between a data event and the control event that belongs to it. */
  | { kind: 'cut' }
  /** Whoever does not send this Authorization header is answered 401. */
  | { kind: 'token'; authorization: string }

/** In front of the TLS edge, where it sees connections only. */
export type DoorFault =
  | { kind: 'reset' }
  /** TLS by a trusted authority, for another name or until yesterday. */
  | { kind: 'certificate'; wrong: 'name' | 'date' }
  /** The connection ends when so many bytes have come to the client since it was armed: in the middle of an answer. */
  | { kind: 'hang-up'; afterBytes: number }

export type ClientFault = HttpFault | DoorFault

export function isDoorFault(fault: ClientFault): fault is DoorFault {
  return fault.kind === 'reset' || fault.kind === 'certificate' || fault.kind === 'hang-up'
}

export interface Armed {
  fault: ClientFault
  /** How often it strikes; null until it is disarmed. */
  times: number | null
}

/** A client is told apart by its door, and by this header of its requests, which goes no further. */
export const clientHeader = 'x-simulated-client'

/** What happened to a client, with the machine's monotonic time. */
export type Observation = { client: string; atMs: number } & (
  | { event: 'request'; mode: 'catch-up' | 'long-poll' | 'sse'; offset: string | null; injectedStatus: number | null }
  | { event: 'refused-connection'; fault: 'reset' | 'certificate' }
  | { event: 'cut' }
  /** The cache did not answer. */
  | { event: 'no-upstream' }
  /** An answer told an offset before the one that was asked for: whoever follows it reads things twice. */
  | { event: 'offset-went-back' }
)

export interface FaultProxyPlan {
  httpPort: number
  /** The cache. */
  upstreamPort: number
  /** The TLS edge that doors lead to. */
  tlsPort: number
  /** What certificates are made for. */
  servername: string
}

export type FaultProxyQuestion =
  | { ask: 'door'; client: string }
  | { ask: 'arm'; client: string; armed: Armed }
  | { ask: 'disarm'; client: string }
  /** Ends the client's open answers as a server does that wants it to connect anew. */
  | { ask: 'end-answers'; client: string }

export type FaultProxyAnswer = { port: number } | { struck: number } | { ended: number } | { armed: true }
