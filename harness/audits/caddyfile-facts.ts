/** What the audits know of the origin's Caddyfile: what Caddy makes of it, each with its place in the user's own text. */
import type { Place } from './finding.ts'

export interface CaddyfileFacts {
  /** Of the file itself: its first line. */
  place: Place
  handlers: StreamHandler[]
  /** Addresses that serve streams. */
  sites: StreamSite[]
  /** What stands around the streams and wraps their answers, as far as Caddy's order of handlers tells. */
  wrappers: Wrapper[]
  /** Where requests that look like a stream's go, where the file itself serves no stream. */
  proxies: { path: string; to: string; place: Place }[]
  /** Where its API listens; null where it is off or on its default, which is loopback. */
  admin: { address: string; place: Place } | null
  /** Caddy ends TLS and gets no certificate by itself, and none is given: no handshake succeeds. */
  noCertificate: { listens: string; place: Place } | null
  /** Names that get a certificate of Caddy's internal authority. */
  internalCertificates: { name: string; place: Place }[]
  /** How long a stop waits for readers; null for as long as they stay. */
  gracePeriod: { ms: number; place: Place } | null
  /** The shortest time after which an answer is cut, whatever it is; null where there is none. */
  writeTimeout: { ms: number; place: Place } | null
  expected: Expected
}

/** One `durable_streams` as Caddy runs it: a directive that is written once may be several. */
export interface StreamHandler {
  /** Of the directive. */
  place: Place
  dataDir: { value: string; place: Place } | null
  maxFileHandles: { value: number; place: Place } | null
  sseReconnectMs: number
  longPollMs: number
  /** The listeners that lead to it: ':443'. */
  listens: string[]
}

/** The longest that the server holds a reader who waits for something new; 0 where it serves no stream. */
export function heldMs(handlers: readonly StreamHandler[]): number {
  return Math.max(0, ...handlers.flatMap(({ sseReconnectMs, longPollMs }) => [sseReconnectMs, longPollMs]))
}

export interface StreamSite {
  /** As Caddy listens: ':443'. */
  address: string
  /** Null for a Unix socket. */
  port: number | null
  /** It is bound to this machine only. */
  isLoopback: boolean
  tls: boolean
  /** Names that it answers to; empty for any. */
  hosts: string[]
  /** Of the site's block. */
  place: Place
}

export interface Wrapper {
  what: 'access-log' | 'metrics' | 'encode'
  place: Place
  /** It has a matcher, or speaks of some hosts only: whether streams are among them is not known. */
  isCertain: boolean
}

/** What the user expects of production, and what is known of it beside the file. */
export interface Expected {
  /** Streams that are written at one time. */
  streams: number
  /** What a process may open on the machine that this runs on; null where that is not known. */
  openFilesMax: number | null
  /** Another Caddyfile was given that ends TLS in front. */
  tlsInFront: boolean
}
