/**
 * A variant of the origin: what an operator switches on in front of the streams or beside them. It
 * changes nothing that an authorised client can see but what it is there for.
 */
import { isObject, objectAt, type Json, type JsonObject } from '../confine/json.ts'

export interface Variant {
  /** Its file's name, and how scenarios call it. */
  id: string
  /** 'with an access log'. */
  words: string
  /** Pure: a confined Caddy configuration with the variant switched on. */
  change(config: JsonObject, place: VariantPlace): JsonObject
  /** How it is seen to be on. */
  trace: Trace
  /** What clients send from now on. */
  headers?: Record<string, string>
  /** Ports beside those of the configuration that it listens on. */
  listens?(place: VariantPlace): number[]
}

/** Where a variant may leave something: all of it inside of the run. */
export interface VariantPlace {
  /** The origin's own folder. */
  folder: string
  /** For a service beside the origin. */
  port: number
  /** Path of the admin API's Unix socket. */
  adminSocket: string
}

/** What shows that a variant is on. A value: the world looks. */
export type Trace =
  /** Files in the origin's folder whose name begins so: at least so many, and one of them holds `text`. */
  | { kind: 'files'; beginning: string; atLeast: number; text: string }
  /** The admin API answers. */
  | { kind: 'admin' }
  /** A path at the origin is answered with `text`. */
  | { kind: 'page'; path: string; text: string }
  /** A read of a stream, asked with these headers, has this header in its answer. */
  | { kind: 'header'; asked: Record<string, string>; name: string; value: string }
  /** A read of a stream by somebody who has no credentials gets this status. */
  | { kind: 'stranger'; status: number }
  /** An append of so many bytes gets one of these statuses. */
  | { kind: 'too-large'; bytes: number; status: number }

/** Puts handlers before each stream handler, wherever it stands. */
export function inFrontOfStreams(value: Json, handlers: JsonObject[]): Json {
  if (Array.isArray(value)) {
    const inner = value.map((item) => inFrontOfStreams(item, handlers))
    const at = inner.findIndex((item) => isObject(item) && item.handler === 'durable_streams')
    return at === -1 ? inner : inner.toSpliced(at, 0, ...handlers)
  }
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inFrontOfStreams(item, handlers)]))
}

/** The configuration with each of its servers changed. */
export function withServers(config: JsonObject, change: (server: JsonObject) => JsonObject): JsonObject {
  const http = objectAt(config, 'apps', 'http')
  const servers = Object.fromEntries(Object.entries(objectAt(http, 'servers')).map(([name, server]) => [name, change(objectAt(server))]))
  return { ...config, apps: { ...objectAt(config, 'apps'), http: { ...http, servers } } }
}

/**
 * Handlers for all but preflights: these carry no credentials, and must be answered by whoever they
 * are from.
 */
export function butForPreflights(handlers: JsonObject[]): JsonObject {
  return { handler: 'subroute', routes: [{ match: [{ not: [{ method: ['OPTIONS'] }] }], handle: handlers }] }
}
