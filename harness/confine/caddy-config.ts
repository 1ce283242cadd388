/**
 * Turns a Caddy configuration from production into one that can only touch loopback and the run's
 * own folders, and says everything it changed. Pure: it reads nothing and runs nothing.
 *
 * The walk goes by what is known to be harmless (`caddy-modules.ts`); all else is left out.
 */
import { HarnessError, UsageError } from '../errors.ts'
import { isLoopbackAddress } from './addresses.ts'
import {
  capabilitiesOf,
  countStreamHandlers,
  streamsOnlyOverTls,
  type CaddyCapabilities,
} from './caddy-capabilities.ts'
import {
  hostsOf,
  planListeners,
  plainServerName,
  stubServerName,
  type Listener,
  type ListenerPlan,
  type ServerPlan,
} from './caddy-listeners.ts'
import {
  logging,
  namesListener,
  pkiApp,
  server as serverRule,
  tlsApp,
  type Surroundings,
} from './caddy-modules.ts'
import {
  below,
  fields,
  Findings,
  type Change,
  type FileRead,
  type Place,
  type Refusal,
} from './caddy-rules.ts'
import { isObject, listAt, objectAt, textsOf, type Json, type JsonObject } from './json.ts'

export interface ConfineOptions {
  /**
   * The n-th local address as `127.0.0.1:PORT`, free and reserved by the caller; `countListeners`
   * says how many are needed. The same n must always give the same address.
   */
  readonly listen: (n: number) => string
  /** Folder for the streams, used where the configuration sets a `data_dir`, and only there. */
  readonly dataDir: string
  /** Folder for certificates and whatever else Caddy stores. */
  readonly storageDir: string
  /** Folder for log files. */
  readonly logDir: string
  /** Path of a Unix socket for the admin API, or null to switch it off. */
  readonly adminSocket: string | null
  /** The local address to use for an upstream (the cache, say), or null to leave the choice. */
  readonly upstreams?: (dial: string) => string | null
}

export interface ConfinedCaddyConfig {
  readonly config: JsonObject
  readonly listeners: Listener[]
  readonly changes: Change[]
  /** Every address and module that was taken out, each with its reason. */
  readonly refused: Refusal[]
  /** Files and folders the configuration reads; nothing is written to them. */
  readonly reads: FileRead[]
  readonly capabilities: CaddyCapabilities
}

/** How many local addresses `confineCaddyConfig` will ask `listen` for (n from 0 to count - 1). */
export function countListeners(json: Json): number {
  return planListeners(json, (n) => `127.0.0.1:${n + 1}`).count
}

/**
 * Confines an adapted configuration.
 *
 * @throws UsageError when the configuration can not be run without something that is refused.
 */
export function confineCaddyConfig(json: Json, options: ConfineOptions): ConfinedCaddyConfig {
  if (!isObject(json)) throw new UsageError('The Caddy configuration is not a JSON object.')
  const findings = new Findings()
  const plan = planListeners(json, loopbackOnly(options.listen))
  const at = { path: '', findings, context: surroundings(plan, options) }
  const config = topLevel(json, plan, options, at)
  if (countStreamHandlers(config) < countStreamHandlers(json)) {
    findings.fatal.push(`streams are served through what was refused: ${namesOf(findings.refused)}`)
  }
  if (findings.fatal.length > 0) {
    throw new UsageError(
      `The Caddyfile can not be simulated: ${[...new Set(findings.fatal)].join('; ')}. ` +
        'Take it out of the file given to the simulation.',
    )
  }
  const { changes, refused, reads } = findings
  const capabilities = capabilitiesOf(json, plan)
  const listeners = [...plan.listeners, ...ownListeners(config)]
  return { config, listeners, changes, refused, reads, capabilities }
}

function namesOf(refused: readonly Refusal[]): string {
  return refused.map(({ path, address }) => `${address} (${path})`).join(', ')
}

function ownListeners(config: JsonObject): Listener[] {
  const servers = objectAt(config, 'apps', 'http', 'servers')
  return [stubServerName, plainServerName].flatMap((server) => {
    const [local] = textsOf(objectAt(servers, server).listen)
    if (local === undefined) return []
    const kind = { tls: false, hosts: [], redirectsOnly: false, madeForTheRun: true }
    return [{ server, original: local, local, ...kind }]
  })
}

function loopbackOnly(listen: (n: number) => string): (n: number) => string {
  return (n) => {
    const address = listen(n)
    if (isLoopbackAddress(address)) return address
    throw new HarnessError(`The local address "${address}" is not a port on loopback.`)
  }
}

function surroundings(plan: ListenerPlan, options: ConfineOptions): Surroundings {
  const dataDirs: string[] = []
  const own = (dial: string) =>
    plan.listeners.find((listener) => namesListener(dial, listener.original))?.local ?? null
  return {
    upstream: (dial) => localOnly(options.upstreams?.(dial) ?? own(dial)),
    stub: plan.stub,
    logDir: options.logDir,
    dataDir: (original) => {
      const name = original.replace(/(?<=.)\/+$/, '')
      if (!dataDirs.includes(name)) dataDirs.push(name)
      const index = dataDirs.indexOf(name)
      return index === 0 ? options.dataDir : `${options.dataDir}-${index + 1}`
    },
  }
}

function localOnly(address: string | null): string | null {
  if (address === null || isLoopbackAddress(address)) return address
  throw new HarnessError(`The upstream "${address}" given by the caller is not on loopback.`)
}

type At = Place<Surroundings>

function topLevel(json: JsonObject, plan: ListenerPlan, options: ConfineOptions, at: At) {
  const apps = confineApps(objectAt(json, 'apps'), plan, below(at, 'apps'))
  const fixed = {
    admin: adminOf(json.admin, options, below(at, 'admin')),
    storage: storageOf(json.storage, options, below(at, 'storage')),
  }
  const rest = fields<Surroundings>({
    '@id': () => undefined,
    admin: () => undefined,
    storage: () => undefined,
    apps: () => undefined,
    logging,
  })(json, at)
  return { ...fixed, ...objectAt(rest), apps }
}

function adminOf(value: Json | undefined, options: ConfineOptions, at: At): JsonObject {
  const socket = options.adminSocket
  // Caddy 2.6 knows no host on a socket; it is told the one that the run asks by.
  const listens = socket === null ? { disabled: true } : { listen: `unix/${socket}`, origins: ['localhost'] }
  const to = { ...listens, config: { persist: false } }
  const because =
    socket === null
      ? 'the admin API is off and nothing is saved in the home folder'
      : 'the admin API is a socket inside the run and nothing is saved in the home folder'
  const refused = ['remote', 'identity'].filter((key) => objectAt(value)[key] !== undefined)
  for (const key of refused) {
    at.findings.refuse(
      below(at, key).path,
      objectAt(value)[key] as Json,
      'no remote administration',
    )
  }
  const load = objectAt(value, 'config').load
  if (load !== undefined) {
    at.findings.refuse(`${at.path}.config.load`, load, 'no configuration is loaded from elsewhere')
  }
  at.findings.change(at.path, value, to, because)
  return to
}

function storageOf(value: Json | undefined, options: ConfineOptions, at: At): JsonObject {
  const to = { module: 'file_system', root: options.storageDir }
  const because = 'everything stored stays inside the run'
  const isLocal = value === undefined || objectAt(value).module === 'file_system'
  if (isLocal) at.findings.change(at.path, value, to, because)
  else at.findings.refuse(at.path, value, because, to)
  return to
}

function confineApps(apps: JsonObject, plan: ListenerPlan, at: At): JsonObject {
  const confined: JsonObject = {}
  for (const [name, app] of Object.entries(apps)) {
    if (['http', 'tls', 'pki'].includes(name)) continue
    at.findings.refuse(below(at, name).path, { module: name, app }, 'an app that may reach out')
  }
  if (apps.http !== undefined) confined.http = confineHttp(apps.http, plan, below(at, 'http'))
  const endsTls = plan.servers.some((server) => server.endsTls)
  if (endsTls || apps.tls !== undefined || apps.pki !== undefined) {
    confined.tls = confineTls(apps.tls ?? {}, plan, apps, below(at, 'tls'))
    confined.pki = confinePki(apps.pki ?? {}, below(at, 'pki'))
  }
  return confined
}

// --- HTTP -------------------------------------------------------------------------------------

function confineHttp(http: Json, plan: ListenerPlan, at: At): JsonObject {
  const original = objectAt(http, 'servers')
  const servers: JsonObject = {}
  for (const server of plan.servers) {
    const place = below(below(at, 'servers'), server.name)
    servers[server.name] = confineServer(objectAt(original, server.name), server, place)
  }
  const rest = fields<Surroundings>({
    servers: () => undefined,
    metrics: fields({}),
    grace_period: (value) => value,
    shutdown_delay: (value) => value,
  })(http, at)
  if (at.findings.stubUsed) servers[stubServerName] = stubServer(plan.stub)
  const secure = streamsOnlyOverTls({ apps: { http: { servers } } }, plan)
  if (secure) {
    servers[plainServerName] = plainServer(secure, plan.plain)
    if (original[plainServerName] === undefined) notePlainServer(secure, plan.plain, at)
  }
  return { ...objectAt(rest), ...movedPorts(http, plan, at), servers }
}

/** Caddy tells plain HTTP from HTTPS by these two, so they move with the listeners. */
function movedPorts(http: Json, plan: ListenerPlan, at: At): JsonObject {
  const to = { http_port: plan.httpPort, https_port: plan.httpsPort }
  for (const [key, port] of Object.entries(to)) {
    at.findings.change(
      below(at, key).path,
      objectAt(http)[key],
      port,
      'a free port of this machine',
    )
  }
  return to
}

function confineServer(value: JsonObject, server: ServerPlan, at: At): JsonObject {
  const confined = objectAt(serverRule(value, at))
  const listen = server.listeners.map((listener) => listener.local)
  const place = below(at, 'listen').path
  at.findings.change(place, value.listen, listen, 'only loopback is listened on')
  const automatic = objectAt(confined, 'automatic_https')
  const to: JsonObject = { ...confined, listen }
  if (listAt(to, 'listen_protocols').length !== listen.length) delete to.listen_protocols
  if (server.endsTls) {
    if (listAt(to, 'tls_connection_policies').length === 0) to.tls_connection_policies = [{}]
  } else if (server.hosts.length > 0 && server.listeners.length > 0) {
    to.automatic_https = { ...automatic, disable: true }
  }
  for (const key of ['tls_connection_policies', 'automatic_https'] as const) {
    if (confined[key] !== undefined && to[key] === confined[key]) continue
    at.findings.change(below(at, key).path, confined[key], to[key], tlsStays(server))
  }
  return to
}

function tlsStays(server: ServerPlan): string {
  return server.endsTls
    ? 'TLS still ends here on the moved port'
    : 'this server still speaks plain HTTP on the moved port'
}

function stubServer(address: string): JsonObject {
  const answer = {
    handler: 'static_response',
    status_code: 200,
    headers: { 'X-Simulation-Stub': ['1'] },
  }
  return { listen: [address], automatic_https: { disable: true }, routes: [{ handle: [answer] }] }
}

/** Varnish speaks no TLS: it reaches streams that are served over TLS only through this server. */
function plainServer(secure: Listener, address: string): JsonObject {
  const name = (secure.hosts[0] ?? 'localhost').replace('*', 'simulation')
  const proxy = {
    handler: 'reverse_proxy',
    headers: { response: { delete: ['Via'] } },
    transport: {
      protocol: 'http',
      compression: false,
      tls: { server_name: name, insecure_skip_verify: true },
      versions: ['1.1'],
    },
    upstreams: [{ dial: secure.local }],
  }
  return { listen: [address], automatic_https: { disable: true }, routes: [{ handle: [proxy] }] }
}

function notePlainServer(secure: Listener, address: string, at: At): void {
  const place = below(below(at, 'servers'), plainServerName).path
  const because = `Varnish reaches the streams behind ${secure.original}, which ends TLS, through it`
  at.findings.change(place, undefined, { listen: [address] }, because)
}

// --- certificates -----------------------------------------------------------------------------

const internal = { module: 'internal' }

function confineTls(tls: Json, plan: ListenerPlan, apps: JsonObject, at: At): JsonObject {
  const confined = objectAt(tlsApp(tls, at))
  const automation = objectAt(confined, 'automation')
  const found = listAt(automation, 'policies') as JsonObject[]
  const policies = withCatchAll(withPrivateNames(found, plan), plan, apps)
  const place = `${at.path}.automation.policies`
  if (JSON.stringify(found) !== JSON.stringify(policies)) {
    at.findings.change(
      place,
      found.length > 0 ? found : null,
      policies,
      'no public authority is asked',
    )
  }
  return { ...confined, automation: { ...automation, policies } }
}

/** For names below ts.net Caddy would ask the machine's own Tailscale daemon. */
function withPrivateNames(policies: JsonObject[], plan: ListenerPlan): JsonObject[] {
  const known = new Set(policies.flatMap((policy) => textsOf(policy.subjects)))
  const names = plan.servers.filter((server) => server.endsTls).flatMap((server) => server.hosts)
  const missing = names.filter((name) => name.endsWith('.ts.net') && !known.has(name))
  if (missing.length === 0) return policies
  return [{ subjects: [...new Set(missing)], issuers: [internal] }, ...policies]
}

function withCatchAll(policies: JsonObject[], plan: ListenerPlan, apps: JsonObject): JsonObject[] {
  const isCatchAll = (policy: JsonObject) => textsOf(policy.subjects).length === 0
  const all = policies.some(isCatchAll) ? policies : [...policies, { issuers: [internal] }]
  if (!needsAnyName(plan, apps)) return all
  const index = all.findIndex(isCatchAll)
  return all.map((policy, n) => (n === index ? { ...policy, on_demand: true } : policy))
}

/** A server that ends TLS for whatever name is asked needs certificates made at the handshake. */
function needsAnyName(plan: ListenerPlan, apps: JsonObject): boolean {
  return plan.servers.some((server) => {
    if (!server.endsTls) return false
    const routes = listAt(objectAt(apps, 'http', 'servers', server.name), 'routes')
    return routes.length === 0 || routes.some((route) => hostsOf({ routes: [route] }).length === 0)
  })
}

function confinePki(pki: Json, at: At): JsonObject {
  const confined = objectAt(pkiApp(pki, at))
  const authorities = objectAt(confined, 'certificate_authorities')
  if (authorities.local !== undefined) return { ...confined, certificate_authorities: authorities }
  const local = { install_trust: false }
  const path = `${at.path}.certificate_authorities.local`
  at.findings.change(path, undefined, local, 'no trust store is touched')
  return { ...confined, certificate_authorities: { ...authorities, local } }
}

export type { CaddyCapabilities, Change, FileRead, Listener, Refusal }
