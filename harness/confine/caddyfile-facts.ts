/** What a Caddyfile says, for the audits: facts of Caddy's own reading of it, places of the user's text. Pure. */
import type { CaddyfileFacts, Expected, StreamHandler, StreamSite, Wrapper } from '../audits/caddyfile-facts.ts'
import { isLoopbackHost, parseNetworkAddress } from './addresses.ts'
import { durationMs, longPollTimeoutDefaultMs, sseReconnectIntervalDefaultMs } from './caddy-capabilities.ts'
import { planListeners, type Listener } from './caddy-listeners.ts'
import { allDirectives, type CaddyfileTree, type CaddyPlace, type Directive, type Site, type Word } from './caddyfile-directives.ts'
import { isObject, listAt, objectAt, textsOf, type Json, type JsonObject } from './json.ts'

export interface CaddyfileText {
  /** The file itself, as in the places. */
  file: string
  tree: CaddyfileTree
  /** A place as the user would name it. */
  shown(place: CaddyPlace): CaddyPlace
}

/** `json` is what `adapt` printed. */
export function caddyfileFacts(json: JsonObject, text: CaddyfileText, expected: Expected): CaddyfileFacts {
  const reading = new FactsReading(json, text)
  return { ...reading.facts(), expected }
}

/** A handler in the JSON, with what leads to it. */
interface Found {
  server: string
  handler: JsonObject
  hosts: string[]
  encodes: { isCertain: boolean }[]
  /** Where it is written; null where that cannot be told. */
  written: Written | null
}

interface Written {
  site: Site
  directive: Directive
}

class FactsReading {
  readonly #json: JsonObject
  readonly #text: CaddyfileText
  readonly #servers: JsonObject
  readonly #listeners: readonly Listener[]
  readonly #found: Found[]

  constructor(json: JsonObject, text: CaddyfileText) {
    this.#json = json
    this.#text = text
    this.#servers = objectAt(json, 'apps', 'http', 'servers')
    this.#listeners = planListeners(json, (n) => `127.0.0.1:${n + 1}`).listeners.filter((one) => !one.redirectsOnly)
    const found = Object.keys(this.#servers).flatMap((server) => handlersIn(listAt(this.#servers[server], 'routes'), { server, hosts: [], encodes: [] }))
    this.#found = this.#located(found)
  }

  facts(): Omit<CaddyfileFacts, 'expected'> {
    const http = objectAt(this.#json, 'apps', 'http')
    return {
      place: this.#shown({ file: this.#text.file, line: 1, column: 1 }),
      handlers: this.#found.map((found) => this.#handler(found)),
      sites: this.#found.flatMap((found) => this.#sitesOf(found)),
      wrappers: this.#found.flatMap((found) => this.#wrappersOf(found)),
      proxies: this.#found.length > 0 ? [] : this.#proxies(),
      admin: this.#admin(),
      noCertificate: this.#noCertificate(),
      internalCertificates: this.#internalCertificates(),
      gracePeriod: http.grace_period === undefined ? null : { ms: durationMs([http.grace_period], 0), place: this.#optionPlace('grace_period') },
      writeTimeout: this.#writeTimeout(),
    }
  }

  // --- places ---------------------------------------------------------------------------------

  /** The directive of each handler: the most alike, and one that no other handler has if there is one. */
  #located(found: readonly Found[]): Found[] {
    const written = this.#text.tree.sites.flatMap((site) => named('durable_streams', site.block).map((directive) => ({ site, directive })))
    const taken = new Set<Directive>()
    return found.map((one) => {
      const alike = ({ site, directive }: Written) =>
        (one.hosts.length === 0 || one.hosts.some((host) => addressFor(site, host)) ? 4 : 0) +
        ((valueOf(directive, 'data_dir')?.value ?? null) === (one.handler.data_dir ?? null) ? 2 : 0) +
        (taken.has(directive) ? 0 : 1)
      const best = written.toSorted((a, b) => alike(b) - alike(a))[0] ?? null
      if (best) taken.add(best.directive)
      return { ...one, written: best }
    })
  }

  #shown(place: CaddyPlace | undefined): CaddyPlace {
    return this.#text.shown(place ?? { file: this.#text.file, line: 1, column: 1 })
  }

  /** A directive of the site, or of the global options; else the site's block; else the file. */
  #placeOf(name: string, site: Site | undefined): CaddyPlace {
    const block = site?.block ?? []
    // One that stands for the whole site, before one of some path's.
    const found = block.find((one) => one.words[0]?.value === name) ?? named(name, block)[0] ?? named(name, this.#text.tree.options)[0]
    return this.#shown(found?.words[0]?.place ?? site?.place)
  }

  #optionPlace(name: string): CaddyPlace {
    return this.#shown(named(name, this.#text.tree.options)[0]?.words[0]?.place)
  }

  // --- facts ----------------------------------------------------------------------------------

  #handler({ handler, server, written }: Found): StreamHandler {
    const at = (name: string) => this.#shown((written && valueOf(written.directive, name)?.place) ?? written?.directive.words[0]?.place)
    const { data_dir: dataDir, max_file_handles: handles } = handler
    return {
      place: this.#shown(written?.directive.words[0]?.place),
      dataDir: typeof dataDir === 'string' && dataDir !== '' ? { value: dataDir, place: at('data_dir') } : null,
      maxFileHandles: typeof handles === 'number' && handles !== 0 ? { value: handles, place: at('max_file_handles') } : null,
      sseReconnectMs: durationMs([handler.sse_reconnect_interval], sseReconnectIntervalDefaultMs),
      longPollMs: durationMs([handler.long_poll_timeout], longPollTimeoutDefaultMs),
      listens: textsOf(objectAt(this.#servers, server).listen),
    }
  }

  #sitesOf({ server, hosts, written }: Found): StreamSite[] {
    return this.#listeners
      .filter((listener) => listener.server === server)
      .map(({ original, tls }) => {
        const { network, host, ports } = parseNetworkAddress(original)
        const port = /^(unix|fd)/.test(network) ? null : (ports?.first ?? null)
        const address = written && hosts.map((name) => addressFor(written.site, name, tls)).find((word) => word !== undefined)
        return { address: original, port, isLoopback: port === null || isLoopbackHost(host), tls, hosts, place: this.#shown(address?.place ?? written?.site.place) }
      })
  }

  #wrappersOf({ server: name, hosts, encodes, written }: Found): Wrapper[] {
    const server = objectAt(this.#servers, name)
    const found: Wrapper[] = encodes.map(({ isCertain }) => ({ what: 'encode', place: this.#placeOf('encode', written?.site), isCertain }))
    if (server.logs !== undefined && isLogged(objectAt(server, 'logs'), hosts)) found.push({ what: 'access-log', place: this.#placeOf('log', written?.site), isCertain: true })
    const isMeasured = server.metrics !== undefined || objectAt(this.#json, 'apps', 'http').metrics !== undefined
    if (isMeasured) found.push({ what: 'metrics', place: this.#optionPlace('metrics'), isCertain: true })
    return found
  }

  #proxies(): CaddyfileFacts['proxies'] {
    const site = this.#text.tree.sites.find(({ block }) => named('reverse_proxy', block).length > 0)
    const place = this.#placeOf('reverse_proxy', site)
    return Object.values(this.#servers).flatMap((server) => proxiesIn(listAt(server, 'routes'), []).map(({ paths, to }) => ({ path: paths.join(' ') || '*', to, place })))
  }

  #admin(): CaddyfileFacts['admin'] {
    const { disabled, listen } = objectAt(this.#json, 'admin')
    if (disabled === true || typeof listen !== 'string') return null
    const { network, host } = parseNetworkAddress(listen)
    return /^(unix|fd)/.test(network) || isLoopbackHost(host) ? null : { address: listen, place: this.#optionPlace('admin') }
  }

  #noCertificate(): CaddyfileFacts['noCertificate'] {
    const isAutomatic = (server: string) => {
      const { disable, disable_certificates: disableCertificates } = objectAt(this.#servers, server, 'automatic_https')
      return disable !== true && disableCertificates !== true
    }
    const without = this.#found.find(({ server }) => !isAutomatic(server) && this.#listeners.some((listener) => listener.server === server && listener.tls))
    const tls = objectAt(this.#json, 'apps', 'tls')
    if (!without || tls.certificates !== undefined || tls.automation !== undefined) return null
    return { listens: textsOf(objectAt(this.#servers, without.server).listen).join(' '), place: this.#optionPlace('auto_https') }
  }

  #internalCertificates(): CaddyfileFacts['internalCertificates'] {
    const policies = listAt(objectAt(this.#json, 'apps', 'tls', 'automation'), 'policies')
    const internal = policies.filter((policy) => listAt(policy, 'issuers').some((issuer) => objectAt(issuer).module === 'internal'))
    const isInternal = (name: string) => internal.some((policy) => listAt(policy, 'subjects').length === 0 || textsOf(listAt(policy, 'subjects')).includes(name))
    return this.#found.flatMap(({ hosts, written }) => hosts.filter(isInternal).map((name) => ({ name, place: this.#placeOf(written && named('tls', written.site.block).length > 0 ? 'tls' : 'local_certs', written?.site) })))
  }

  #writeTimeout(): CaddyfileFacts['writeTimeout'] {
    const limits = this.#found.map(({ server }) => durationMs([objectAt(this.#servers, server).write_timeout], 0)).filter((ms) => ms > 0)
    return limits.length === 0 ? null : { ms: Math.min(...limits), place: this.#optionPlace('write') }
  }
}

function named(name: string, block: readonly Directive[]): Directive[] {
  return allDirectives(block).filter((one) => one.words[0]?.value === name)
}

function valueOf(directive: Directive, name: string): Word | undefined {
  return directive.block?.find((one) => one.words[0]?.value === name)?.words[1]
}

/** The address of a site that a host name was written in; with or without TLS, where both are written. */
function addressFor({ addresses }: Site, host: string, tls?: boolean): Word | undefined {
  const own = addresses.filter(({ value }) => hostOf(value) === host.toLowerCase())
  if (tls === undefined) return own[0]
  return own.find(({ value }) => /^http:\/\//i.test(value) === !tls) ?? own[0]
}

function hostOf(address: string): string {
  return address.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '').replace(/:\d+$/, '').toLowerCase()
}

/** As Caddy decides it for each request (caddyhttp, Server.shouldLogRequest). */
function isLogged(logs: JsonObject, hosts: readonly string[]): boolean {
  const mapped = Object.keys(objectAt(logs, 'logger_names'))
  const skipped = textsOf(listAt(logs, 'skip_hosts'))
  const logsOthers = logs.skip_unmapped_hosts !== true
  if (hosts.length === 0) return logsOthers
  return hosts.some((host) => mapped.includes(host) || (logsOthers && !skipped.includes(host)))
}

function handlersIn(routes: readonly Json[], above: Pick<Found, 'server' | 'hosts' | 'encodes'>): Found[] {
  const earlier: { group: Json | undefined; isCertain: boolean }[] = []
  return routes.flatMap((route) => {
    const { group } = objectAt(route)
    const sets = listAt(route, 'match')
    const own = sets.flatMap((set) => textsOf(listAt(set, 'host')))
    // Of routes in one group only the first that matches is taken.
    const encodes = [...above.encodes, ...earlier.filter((one) => one.group === undefined || one.group !== group)]
    const here = { server: above.server, hosts: own.length > 0 ? own : above.hosts, encodes }
    return listAt(route, 'handle').flatMap((handler): Found[] => {
      if (!isObject(handler)) return []
      if (handler.handler === 'encode') {
        earlier.push({ group, isCertain: sets.length === 0 })
        here.encodes.push({ isCertain: true })
        return []
      }
      if (handler.handler === 'durable_streams') return [{ ...here, encodes: [...here.encodes], handler, written: null }]
      return handlersIn(listAt(handler, 'routes'), { ...here, encodes: [...here.encodes] })
    })
  })
}

function proxiesIn(routes: readonly Json[], above: readonly string[]): { paths: readonly string[]; to: string }[] {
  return routes.flatMap((route) => {
    const own = listAt(route, 'match').flatMap((set) => textsOf(listAt(set, 'path')))
    const paths = own.length > 0 ? own : above
    return listAt(route, 'handle').flatMap((handler) => {
      if (objectAt(handler).handler !== 'reverse_proxy') return proxiesIn(listAt(handler, 'routes'), paths)
      return [{ paths, to: listAt(handler, 'upstreams').flatMap((one) => objectAt(one).dial ?? []).join(', ') }]
    })
  })
}
