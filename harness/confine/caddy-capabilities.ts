/** What a Caddy configuration, as its author wrote it, offers and asks of those who call it. */
import type { Listener, ListenerPlan } from './caddy-listeners.ts'
import { isForwardAuth } from './caddy-modules.ts'
import { isObject, listAt, objectAt, textsOf, type Json, type JsonObject } from './json.ts'

export interface CaddyCapabilities {
  /** How many `durable_streams` handlers there are; 0 means the file serves no stream. */
  readonly streamHandlers: number
  /** True when every `durable_streams` handler has a `data_dir`. */
  readonly dataDirSet: boolean
  /** As written, or null where the server's own default (`maxFileHandlesDefault`) applies; the smallest of several. */
  readonly maxFileHandles: number | null
  readonly longPollTimeoutMs: number
  readonly sseReconnectIntervalMs: number
  /** Path matchers under which streams are served, `/v1/stream/*` say. */
  readonly streamRoutes: string[]
  /** Host names the streams are served under; empty for any. */
  readonly streamHosts: string[]
  /**
   * Local addresses (`host:port`) that serve streams, those over plain HTTP first. Where the file
   * serves them over TLS only, the first is a plain way into that listener, made for the run.
   */
  readonly streamListeners: string[]
  readonly webhooks: boolean
  /** True unless the file turns the admin API off, which is on by default. */
  readonly adminEnabled: boolean
  readonly endsTls: boolean
  readonly metrics: boolean
  readonly accessLog: boolean
  /** What asks callers who they are. In the simulation everybody is let in. */
  readonly auth: ('basic' | 'forward' | 'client-certificate' | 'other')[]
}

/** What the server takes where its file says nothing. */
export const maxFileHandlesDefault = 100
export const longPollTimeoutDefaultMs = 30_000
export const sseReconnectIntervalDefaultMs = 60_000

interface StreamHandler {
  readonly server: string
  readonly handler: JsonObject
  readonly paths: string[]
  readonly hosts: string[]
}

/** Reads the capabilities of the original (not the confined) configuration. */
export function capabilitiesOf(json: Json, plan: ListenerPlan): CaddyCapabilities {
  const { listeners } = plan
  const servers = objectAt(json, 'apps', 'http', 'servers')
  const streams = Object.entries(servers).flatMap(([name, server]) =>
    streamHandlers(listAt(server, 'routes'), { server: name, paths: [], hosts: [] }),
  )
  const handlers = streams.map((stream) => stream.handler)
  return {
    streamHandlers: streams.length,
    dataDirSet: handlers.length > 0 && handlers.every((handler) => !!handler.data_dir),
    maxFileHandles: smallest(handlers.map((handler) => handler.max_file_handles)),
    longPollTimeoutMs: durationMs(
      handlers.map((handler) => handler.long_poll_timeout),
      longPollTimeoutDefaultMs,
    ),
    sseReconnectIntervalMs: durationMs(
      handlers.map((handler) => handler.sse_reconnect_interval),
      sseReconnectIntervalDefaultMs,
    ),
    streamRoutes: unique(streams.flatMap(({ paths }) => (paths.length > 0 ? paths : ['/*']))),
    streamHosts: unique(streams.flatMap(({ hosts }) => hosts)),
    streamListeners: streamListeners(json, plan),
    webhooks: handlers.some((handler) => !!handler.webhook_callback_url),
    adminEnabled: objectAt(json, 'admin').disabled !== true,
    endsTls: listeners.some((own) => own.tls),
    metrics: hasMetrics(json, servers),
    accessLog: Object.values(servers).some((server) => objectAt(server).logs !== undefined),
    auth: authOf(servers),
  }
}

/** How many `durable_streams` handlers there are, in whatever a route leads to. */
export function countStreamHandlers(json: Json): number {
  const servers = objectAt(json, 'apps', 'http', 'servers')
  return findAll(servers, (found) => found.handler === 'durable_streams').length
}

/** The listener over TLS to which a plain way is needed, or null where streams are served plainly. */
export function streamsOnlyOverTls(json: Json, plan: ListenerPlan): Listener | null {
  const serving = servingStreams(json, plan)
  return serving.every((own) => own.tls) ? (serving[0] ?? null) : null
}

function streamListeners(json: Json, plan: ListenerPlan): string[] {
  const serving = servingStreams(json, plan)
  const made = streamsOnlyOverTls(json, plan) === null ? [] : [plan.plain]
  const [plain, tls] = [serving.filter((own) => !own.tls), serving.filter((own) => own.tls)]
  return unique([...made, ...plain.map((own) => own.local), ...tls.map((own) => own.local)])
}

function servingStreams(json: Json, plan: ListenerPlan): Listener[] {
  const servers = objectAt(json, 'apps', 'http', 'servers')
  const serves = (name: string) =>
    streamHandlers(listAt(servers[name], 'routes'), { server: name, paths: [], hosts: [] }).length >
    0
  return plan.listeners.filter((own) => !own.redirectsOnly && serves(own.server))
}

function streamHandlers(routes: Json[], above: Omit<StreamHandler, 'handler'>): StreamHandler[] {
  return routes.flatMap((route) => {
    const sets = listAt(route, 'match')
    const paths = sets.flatMap((set) => textsOf(listAt(set, 'path')))
    const hosts = sets.flatMap((set) => textsOf(listAt(set, 'host')))
    const here = {
      server: above.server,
      paths: paths.length > 0 ? paths : above.paths,
      hosts: hosts.length > 0 ? hosts : above.hosts,
    }
    return listAt(route, 'handle').flatMap((handler) => {
      if (!isObject(handler)) return []
      if (handler.handler === 'durable_streams') return [{ ...here, handler }]
      return streamHandlers(listAt(handler, 'routes'), here)
    })
  })
}

/** All objects anywhere in the value for which the test holds. */
function findAll(value: Json | undefined, test: (found: JsonObject) => boolean): JsonObject[] {
  if (value === undefined || value === null || typeof value !== 'object') return []
  if (Array.isArray(value)) return value.flatMap((item) => findAll(item, test))
  const inner = Object.values(value).flatMap((item) => findAll(item, test))
  return test(value) ? [value, ...inner] : inner
}

function hasMetrics(json: Json, servers: JsonObject): boolean {
  if (objectAt(json, 'apps', 'http').metrics !== undefined) return true
  if (Object.values(servers).some((server) => objectAt(server).metrics !== undefined)) return true
  return findAll(servers, (found) => found.handler === 'metrics').length > 0
}

function authOf(servers: JsonObject): CaddyCapabilities['auth'] {
  const found: CaddyCapabilities['auth'] = []
  for (const handler of findAll(servers, (one) => one.handler === 'authentication')) {
    const providers = Object.keys(objectAt(handler, 'providers'))
    if (providers.includes('http_basic')) found.push('basic')
    if (providers.some((name) => name !== 'http_basic')) found.push('other')
  }
  if (findAll(servers, (one) => one.handler === 'reverse_proxy' && isForwardAuth(one)).length > 0) {
    found.push('forward')
  }
  if (findAll(servers, (one) => isObject(one.client_authentication)).length > 0) {
    found.push('client-certificate')
  }
  return unique(found)
}

function smallest(values: readonly (Json | undefined)[]): number | null {
  const numbers = values.filter((value) => typeof value === 'number' && value > 0) as number[]
  return numbers.length > 0 ? Math.min(...numbers) : null
}

/** The longest of several durations; Caddy writes nanoseconds, or a text such as `1m30s`. */
export function durationMs(values: readonly (Json | undefined)[], fallbackMs: number): number {
  const known = values.map((value) =>
    typeof value === 'number' && value > 0 ? value / 1e6 : parseDurationMs(value, fallbackMs),
  )
  return known.length > 0 ? Math.max(...known) : fallbackMs
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

function parseDurationMs(value: Json | undefined, fallbackMs: number): number {
  if (typeof value !== 'string') return fallbackMs
  const parts = [...value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h|d)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0)
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
