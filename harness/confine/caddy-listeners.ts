/**
 * Which addresses a Caddy configuration listens on, whether TLS ends there, and where they move.
 *
 * Caddy decides about TLS by ports (its `http_port` and `https_port`) and by host names, so moving
 * a listener could silently turn TLS on or off. The plain-HTTP and HTTPS ports therefore move
 * together with those two settings, and everything else is decided here, as Caddy would with the
 * original ports, and written down.
 */
import { UsageError } from '../errors.ts'
import { parseNetworkAddress } from './addresses.ts'
import { isObject, listAt, objectAt, textsOf, type Json, type JsonObject } from './json.ts'

/** The server that answers in place of addresses that may not be reached. */
export const stubServerName = 'simulation_stub'

/** The server that speaks plain HTTP for one that serves streams over TLS only. */
export const plainServerName = 'simulation_plain'

/** Numbers of the local addresses that are always reserved. */
export const reserved = { httpPort: 0, httpsPort: 1, stub: 2, plain: 3, first: 4 } as const

export interface Listener {
  /** The server's name in the JSON. */
  readonly server: string
  /** As the file says, `:443` say; for the redirects Caddy adds by itself, the port they use. */
  readonly original: string
  /** `host:port` on loopback. */
  readonly local: string
  readonly tls: boolean
  /** Names that the server's routes match; empty when it answers to any. */
  readonly hosts: string[]
  /** True when Caddy itself adds this listener, to send plain HTTP to HTTPS. */
  readonly redirectsOnly: boolean
  /** True for a server of the simulation's own: the stub, or the plain way to streams over TLS. */
  readonly madeForTheRun: boolean
}

export interface ServerPlan {
  readonly name: string
  readonly endsTls: boolean
  readonly redirects: boolean
  readonly hosts: string[]
  /** One entry for each address; a range of ports is taken apart. */
  readonly listeners: Listener[]
}

export interface ListenerPlan {
  readonly servers: ServerPlan[]
  readonly listeners: Listener[]
  readonly httpPort: number
  readonly httpsPort: number
  readonly stub: string
  readonly plain: string
  /** How many local addresses `listen` was or will be asked for. */
  readonly count: number
}

const portsMax = 100
const ownServers: readonly string[] = [stubServerName, plainServerName]

/** Plans where every listener of the configuration goes; `listen` gives the n-th local address. */
export function planListeners(json: Json, listen: (n: number) => string): ListenerPlan {
  const http = objectAt(json, 'apps', 'http')
  const ports = { http: numberOr(http.http_port, 80), https: numberOr(http.https_port, 443) }
  const numbers = new Map<string, number>()
  const servers = Object.entries(objectAt(http, 'servers'))
    .filter(([name, server]) => !ownServers.includes(name) && isObject(server))
    .map(([name, server]) => planServer(name, server as JsonObject, { ports, numbers, listen }))
  const redirect = redirectListener(servers, ports.http, listen)
  return {
    servers,
    listeners: [...servers.flatMap((server) => server.listeners), ...redirect],
    httpPort: portOf(listen(reserved.httpPort)),
    httpsPort: portOf(listen(reserved.httpsPort)),
    stub: listen(reserved.stub),
    plain: listen(reserved.plain),
    count: reserved.first + [...numbers.values()].filter((n) => n >= reserved.first).length,
  }
}

interface Moving {
  readonly ports: { readonly http: number; readonly https: number }
  readonly numbers: Map<string, number>
  readonly listen: (n: number) => string
}

function planServer(name: string, server: JsonObject, moving: Moving): ServerPlan {
  const addresses = textsOf(server.listen).flatMap((address) => takeApart(name, address))
  const automatic = objectAt(server, 'automatic_https')
  const hosts = hostsOf(server)
  const managed = hosts.filter((host) => !textsOf(automatic.skip).includes(host))
  const isPlain = addresses.every(({ port }) => port === moving.ports.http)
  const isHttps = addresses.length > 0 && addresses.every(({ port }) => port === moving.ports.https)
  const automated = automatic.disable !== true && !isPlain
  const endsTls =
    listAt(server, 'tls_connection_policies').length > 0 ||
    (automated && (isHttps || managed.length > 0))
  const listeners = addresses.map(({ original, port }) => ({
    server: name,
    original,
    local: localAddress(original, port, moving),
    tls: endsTls && port !== moving.ports.http,
    hosts,
    redirectsOnly: false,
    madeForTheRun: false,
  }))
  const redirects = endsTls && automated && automatic.disable_redirects !== true
  return { name, endsTls: endsTls && listeners.some(({ tls }) => tls), redirects, hosts, listeners }
}

function takeApart(server: string, address: string): { original: string; port: number | null }[] {
  const { network, host, ports } = parseNetworkAddress(address)
  if (/^(unix|fd)/.test(network)) return [{ original: address, port: null }]
  if (ports === null) {
    throw new UsageError(
      `The server ${server} listens on "${address}", which has no literal port; write the port ` +
        `as a number in the Caddyfile.`,
    )
  }
  if (ports.last - ports.first >= portsMax || ports.last < ports.first) {
    throw new UsageError(
      `The server ${server} listens on "${address}"; the simulation moves at most ${portsMax} ` +
        `ports of one range.`,
    )
  }
  const prefix = address.slice(0, address.length - portText(address).length)
  const named = host.includes(':') && !prefix.includes('[') ? `[${host}]:` : prefix
  return Array.from({ length: ports.last - ports.first + 1 }, (_, offset) => {
    const port = ports.first + offset
    return { original: ports.first === ports.last ? address : `${named}${port}`, port }
  })
}

function portText(address: string): string {
  return /\d+(-\d+)?$/.exec(address)?.[0] ?? ''
}

function localAddress(original: string, port: number | null, moving: Moving): string {
  const taken = moving.numbers.get(original)
  if (taken !== undefined) return moving.listen(taken)
  const fixed = port === moving.ports.http ? 0 : port === moving.ports.https ? 1 : null
  const used = [...moving.numbers.values()]
  const isFree = fixed !== null && !used.includes(fixed)
  const number = isFree ? fixed : reserved.first + used.filter((n) => n >= reserved.first).length
  moving.numbers.set(original, number)
  return moving.listen(number)
}

function redirectListener(
  servers: readonly ServerPlan[],
  httpPort: number,
  listen: (n: number) => string,
): Listener[] {
  const local = listen(reserved.httpPort)
  const redirecting = servers.filter((server) => server.redirects)
  const exists = servers.some((server) => server.listeners.some((own) => own.local === local))
  if (redirecting.length === 0 || exists) return []
  const hosts = [...new Set(redirecting.flatMap((server) => server.hosts))]
  const server = 'remaining_auto_https_redirects'
  const original = `:${httpPort}`
  return [{ server, original, local, tls: false, hosts, redirectsOnly: true, madeForTheRun: false }]
}

/** The host names that a server's routes match at the top level, where Caddy looks for them. */
export function hostsOf(server: Json): string[] {
  const routes = listAt(server, 'routes')
  const hosts = routes
    .flatMap((route) => listAt(route, 'match'))
    .flatMap((set) => textsOf(listAt(set, 'host')))
  return [...new Set(hosts)]
}

/** The port of a `host:port`. */
export function portOf(address: string): number {
  return parseNetworkAddress(address).ports?.first ?? 0
}

function numberOr(value: Json | undefined, fallback: number): number {
  return typeof value === 'number' && value > 0 ? value : fallback
}
