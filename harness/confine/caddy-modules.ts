/**
 * What each of Caddy's modules may keep when it runs in the simulation: the standard modules of
 * Caddy 2.6 to 2.10 and the `durable_streams` handler. The names of settings are those of Caddy's
 * JSON; a module or setting that is not here is left out and listed.
 */
import { isLoopbackAddress, isLoopbackHost, parseNetworkAddress } from './addresses.ts'
import {
  below,
  fields,
  keep,
  listOf,
  mapOf,
  moduleBy,
  modulesByName,
  omit,
  readsFile,
  refuse,
  unknownSetting,
  type Place,
  type Registry,
  type Rule,
} from './caddy-rules.ts'
import { isObject, listAt, objectAt, textsOf, type Json, type JsonObject } from './json.ts'

/** What the rules need to know about the run. */
export interface Surroundings {
  /** The local address of an upstream that the caller or the configuration itself serves. */
  readonly upstream: (dial: string) => string | null
  /** `host:port` of the server that answers 200 in place of what may not be reached. */
  readonly stub: string
  /** The folder in the run for the n-th distinct `data_dir` of the configuration. */
  readonly dataDir: (original: string) => string
  readonly logDir: string
}

type At = Place<Surroundings>
type R = Rule<Surroundings>

const nobody = 'nothing outside loopback is reached'

const settings: R = fields({})

// --- matchers ---------------------------------------------------------------------------------

const matchers: Registry<Surroundings> = {
  client_ip: keep,
  expression: keep,
  file: (value, at) => {
    if (isObject(value) && typeof value.root === 'string') readsFile(value.root, below(at, 'root'))
    return fields<Surroundings>({
      root: keep,
      try_files: keep,
      try_policy: keep,
      split_path: keep,
    })(value, at)
  },
  header: keep,
  header_regexp: keep,
  host: keep,
  method: keep,
  not: (value, at) => matcherSets(value, at),
  path: keep,
  path_regexp: keep,
  protocol: keep,
  query: keep,
  remote_ip: keep,
  tls: keep,
  vars: keep,
  vars_regexp: keep,
}

/** Leaving a matcher out would let more requests through than the user's file does. */
const unknownMatcher: R = (value, at) => {
  at.findings.fatal.push(`${at.path}: a matcher the simulation does not know`)
  return at.findings.refuse(at.path, value, 'a matcher the simulation does not know')
}

const matcherSets: R = listOf<Surroundings>(modulesByName(() => matchers, unknownMatcher))

const responseMatcher: R = fields({ status_code: keep, headers: keep })

// --- routes -----------------------------------------------------------------------------------

const handler: R = moduleBy('handler', () => handlers)

const route: R = fields({ group: keep, match: matcherSets, handle: listOf(handler) })

const routes: R = listOf(route)

const responseHandlers: R = listOf(fields({ match: responseMatcher, status_code: keep, routes }))

const headerOperations: R = fields({
  add: keep,
  set: keep,
  delete: keep,
  replace: keep,
  require: responseMatcher,
})

const headers: R = fields({ handler: keep, request: headerOperations, response: headerOperations })

const rewrite: R = fields({
  handler: keep,
  method: keep,
  uri: keep,
  strip_path_prefix: keep,
  strip_path_suffix: keep,
  uri_substring: keep,
  path_regexp: keep,
  query: keep,
})

/** Answers in place of a handler that would have reached out by itself. */
function replacedBy(body: string, because: string): R {
  return (value, at) => {
    const to = { handler: 'static_response', status_code: 503, body }
    at.findings.refuse(at.path, value, because, to)
    return to
  }
}

const durableStreams: R = fields({
  handler: keep,
  data_dir: (value, at) => {
    if (typeof value !== 'string') return unknownSetting(value, at)
    if (value === '') return value
    const to = at.context.dataDir(value)
    at.findings.change(at.path, value, to, 'streams are written inside the run')
    return to
  },
  long_poll_timeout: keep,
  sse_reconnect_interval: keep,
  webhook_callback_url: (value, at) => {
    if (typeof value !== 'string') return unknownSetting(value, at)
    if (value === '') return value
    return toStub(value, `http://${at.context.stub}`, at)
  },
})

function toStub(value: string, to: string, at: At): string {
  at.findings.stubUsed = true
  if (value !== to) at.findings.refuse(at.path, value, `${nobody}; a local stub stands in`, to)
  return to
}

/** The simulation has nobody's password; what lies behind a sign-in is judged without it. */
const authentication = omit<Surroundings>('everybody is let in: the simulation has no account')

const encoders: Registry<Surroundings> = { gzip: settings, zstd: fields({ level: keep }) }

const encode: R = fields({
  handler: keep,
  encodings: modulesByName(() => encoders),
  prefer: (value) => textsOf(value).filter((name) => Object.hasOwn(encoders, name)),
  match: responseMatcher,
})

const fileServer: R = (value, at) => {
  if (isObject(value) && value.fs !== undefined) {
    return replacedBy('stub: another file system', 'a file system that may be remote')(value, at)
  }
  return fields<Surroundings>({
    handler: keep,
    root: readsFile,
    hide: keep,
    index_names: keep,
    browse: fields({ template_file: readsFile, sort: keep }),
    status_code: keep,
    precompressed: modulesByName(() => ({ br: settings, gzip: settings, zstd: settings })),
    precompressed_order: keep,
    etag_file_extensions: keep,
  })(value, at)
}

const vars: R = (value, at) => {
  if (isObject(value) && value.root !== undefined) readsFile(value.root, below(at, 'root'))
  return keep(value, at)
}

const handlers: Registry<Surroundings> = {
  acme_server: replacedBy('stub: no certificates are issued', 'it calls back whoever asks it'),
  authentication,
  copy_response: fields({ handler: keep, status_code: keep }),
  copy_response_headers: fields({ handler: keep, include: keep, exclude: keep }),
  durable_streams: durableStreams,
  encode,
  error: fields({ handler: keep, error: keep, status_code: keep }),
  file_server: fileServer,
  headers,
  intercept: fields({ handler: keep, handle_response: responseHandlers }),
  invoke: fields({ handler: keep, name: keep }),
  log_append: fields({ handler: keep, key: keep, value: keep }),
  map: fields({ handler: keep, source: keep, destinations: keep, mappings: keep, defaults: keep }),
  metrics: fields({ handler: keep }),
  push: fields({ handler: keep, resources: keep, headers: headerOperations }),
  request_body: fields({ handler: keep, set: keep }),
  reverse_proxy: (value, at) => reverseProxy(value, at),
  rewrite,
  static_response: fields({ handler: keep, status_code: keep, headers: keep, body: keep }),
  subroute: fields({ handler: keep, routes, errors: fields({ routes }) }),
  templates: fields({
    handler: keep,
    file_root: readsFile,
    mime_types: keep,
    delimiters: keep,
    match: modulesByName(() => ({})),
  }),
  tracing: refuse('spans would be exported to a collector'),
  vars,
}

// --- reverse proxies --------------------------------------------------------------------------

const selectionPolicy: R = (value, at) => moduleBy('policy', () => selectionPolicies)(value, at)

const plainPolicy: R = fields({ policy: keep })

const selectionPolicies: Registry<Surroundings> = {
  client_ip_hash: plainPolicy,
  cookie: fields({ policy: keep, name: keep, secret: keep, fallback: selectionPolicy }),
  first: plainPolicy,
  header: fields({ policy: keep, field: keep, fallback: selectionPolicy }),
  ip_hash: plainPolicy,
  least_conn: plainPolicy,
  query: fields({ policy: keep, key: keep, fallback: selectionPolicy }),
  random: plainPolicy,
  random_choose: plainPolicy,
  round_robin: plainPolicy,
  uri_hash: plainPolicy,
  weighted_round_robin: fields({ policy: keep, weights: keep }),
}

const upstreamTls: R = (value, at) => {
  const confined = fields<Surroundings>({
    server_name: keep,
    handshake_timeout: keep,
    renegotiation: keep,
    except_ports: keep,
    curves: keep,
    ca: omit('local upstreams have certificates of another CA'),
    root_ca_pool: omit('local upstreams have certificates of another CA'),
    root_ca_pem_files: omit('local upstreams have certificates of another CA'),
    client_certificate_file: omit('no production key is read'),
    client_certificate_key_file: omit('no production key is read'),
    client_certificate_automate: omit('no certificate is asked for'),
  })(value, at)
  if (!isObject(confined)) return undefined
  const to = { ...confined, insecure_skip_verify: true }
  at.findings.change(
    below(at, 'insecure_skip_verify').path,
    confined.insecure_skip_verify,
    true,
    'a local upstream has a certificate of another CA',
  )
  return to
}

const transports: Registry<Surroundings> = {
  http: fields({
    protocol: keep,
    tls: upstreamTls,
    keep_alive: settings,
    versions: keep,
    proxy_protocol: keep,
    dial_timeout: keep,
    response_header_timeout: keep,
    resolver: refuse('names are not looked up'),
    forward_proxy_url: refuse(nobody),
    network_proxy: refuse(nobody),
    local_address: omit('an address of the production machine'),
  }),
  fastcgi: fields({ protocol: keep, root: readsFile, split_path: keep, env: keep }),
}

const activeHealthChecks: R = fields({
  path: keep,
  uri: keep,
  headers: keep,
  method: keep,
  body: keep,
  expect_body: keep,
  upstream: (value, at) => localUpstream(value, at) ?? undefined,
  port: omit('the port of another machine'),
  follow_redirects: omit('a redirect may lead anywhere'),
})

const proxyFields: R = fields({
  handler: keep,
  upstreams: listOf((value, at) => upstream(value, at)),
  dynamic_upstreams: refuse('names are not looked up'),
  transport: moduleBy('protocol', () => transports),
  circuit_breaker: refuse('a module the simulation can not vouch for'),
  load_balancing: fields({ selection_policy: selectionPolicy, retry_match: matcherSets }),
  health_checks: fields({
    active: activeHealthChecks,
    passive: fields({ unhealthy_status: keep }),
  }),
  trusted_proxies: keep,
  headers,
  rewrite,
  handle_response: responseHandlers,
})

/**
 * Keeps upstreams on loopback. Where none is left, authentication (`forward_auth`) is answered
 * with 200 by a local stub, so that what lies behind it can be judged; anything else is a 503.
 */
function reverseProxy(value: Json, at: At): Json | undefined {
  const confined = proxyFields(value, at)
  if (!isObject(confined)) return undefined
  if (listAt(confined, 'upstreams').length > 0) return confined
  if (!isForwardAuth(value)) {
    const to = { handler: 'static_response', status_code: 503, body: `stub: ${nobody}` }
    at.findings.change(at.path, { handler: 'reverse_proxy' }, to, 'no upstream is left')
    return to
  }
  at.findings.stubUsed = true
  const { transport: _transport, health_checks: _checks, ...rest } = confined
  const to: JsonObject = { ...rest, upstreams: [{ dial: at.context.stub }] }
  at.findings.change(
    below(at, 'upstreams').path,
    objectAt(value).upstreams,
    to.upstreams,
    'a local stub stands in for authentication and lets everybody in',
  )
  return to
}

/** True for what the directive `forward_auth` expands to: a sub-request that 2xx lets pass. */
export function isForwardAuth(proxy: Json): boolean {
  if (typeof objectAt(proxy, 'rewrite').uri !== 'string') return false
  return listAt(proxy, 'handle_response').some((response) =>
    listAt(objectAt(response, 'match'), 'status_code').some((code) => code === 2 || code === 200),
  )
}

function upstream(value: Json, at: At): Json | undefined {
  const dial = isObject(value) ? value.dial : undefined
  const local = localUpstream(dial ?? null, below(at, 'dial'))
  if (local === null) return undefined
  return { ...(fields({ dial: keep })(value, at) as JsonObject), dial: local }
}

function localUpstream(value: Json, at: At): string | null {
  if (typeof value !== 'string') return null
  if (value === at.context.stub) at.findings.stubUsed = true
  const to = at.context.upstream(value) ?? (isLoopbackAddress(value) ? value : null)
  if (to === null) {
    at.findings.refuse(at.path, value, nobody)
    return null
  }
  at.findings.change(at.path, value, to, 'it is served in the run')
  return to
}

// --- servers ----------------------------------------------------------------------------------

const connectionPolicy: R = fields({
  match: modulesByName(
    () => ({ sni: keep, sni_regexp: keep, remote_ip: keep, local_ip: keep }),
    unknownMatcher,
  ),
  cipher_suites: keep,
  curves: keep,
  alpn: keep,
  protocol_min: keep,
  protocol_max: keep,
  default_sni: keep,
  fallback_sni: keep,
  certificate_selection: omit('certificates come from the internal issuer'),
  client_authentication: omit('the simulation has no client certificate of yours'),
  insecure_secrets_log: omit('no keys are written'),
  handshake_context: refuse('a module the simulation can not vouch for'),
})

/** A server of the HTTP app, but for its listeners, which `caddy-config.ts` sets. */
export const server: R = fields({
  listen: keep,
  listener_wrappers: listOf(
    moduleBy('wrapper', () => ({
      http_redirect: fields({ wrapper: keep }),
      proxy_protocol: fields({ wrapper: keep, allow: keep, deny: keep, fallback_policy: keep }),
      tls: fields({ wrapper: keep }),
    })),
  ),
  routes,
  errors: fields({ routes }),
  named_routes: mapOf(route),
  tls_connection_policies: listOf(connectionPolicy),
  automatic_https: fields({ skip: keep, skip_certificates: keep }),
  trusted_proxies: moduleBy('source', () => ({ static: fields({ source: keep, ranges: keep }) })),
  client_ip_headers: keep,
  logs: fields({ default_logger_name: keep, logger_names: keep, skip_hosts: keep }),
  protocols: keep,
  listen_protocols: keep,
  metrics: settings,
})

// --- certificates -----------------------------------------------------------------------------

const internalIssuer = { module: 'internal' }

const issuers: R = (value, at) => {
  const kept = (Array.isArray(value) ? value : [])
    .filter((issuer) => objectAt(issuer).module === 'internal')
    .map((issuer) => fields({ module: keep, ca: keep, lifetime: keep })(issuer, at) as Json)
  const to = kept.length > 0 ? kept : [internalIssuer]
  if (JSON.stringify(to) !== JSON.stringify(value)) {
    at.findings.refuse(at.path, value, 'certificates come from an internal CA only', to)
  }
  return to
}

const automationPolicy: R = (value, at) => {
  const confined = fields<Surroundings>({
    subjects: keep,
    issuers,
    get_certificate: refuse('certificates come from an internal CA only'),
    key_type: keep,
    storage: refuse('everything stored stays inside the run'),
    ocsp_overrides: refuse(nobody),
  })(value, at)
  if (!isObject(confined)) return undefined
  return { ...confined, issuers: confined.issuers ?? [internalIssuer] }
}

const noLoadedCertificates = omit<Surroundings>('no production key is read')

/** The TLS app, but for the policies that `caddy-config.ts` adds. */
export const tlsApp: R = fields({
  certificates: modulesByName(() => ({
    automate: keep,
    load_files: noLoadedCertificates,
    load_folders: noLoadedCertificates,
    load_pem: noLoadedCertificates,
    load_storage: noLoadedCertificates,
  })),
  automation: fields({
    policies: listOf(automationPolicy),
    on_demand: refuse('nobody is asked; the internal CA issues for every name'),
    ocsp_interval: keep,
    renew_interval: keep,
    storage_clean_interval: keep,
  }),
  session_tickets: fields({
    key_source: moduleBy('provider', () => ({ standard: fields({ provider: keep }) })),
    rotation_interval: keep,
  }),
  cache: settings,
  dns: refuse(nobody),
  encrypted_client_hello: refuse('nothing is published in DNS'),
})

const certificateAuthority: R = (value, at) => {
  const confined = fields<Surroundings>({
    name: keep,
    root_common_name: keep,
    intermediate_common_name: keep,
    intermediate_lifetime: keep,
    install_trust: keep,
    root: omit('no production key is read'),
    intermediate: omit('no production key is read'),
    storage: refuse('everything stored stays inside the run'),
  })(value, at)
  if (!isObject(confined)) return undefined
  const path = below(at, 'install_trust').path
  at.findings.change(path, confined.install_trust, false, 'no trust store is touched')
  return { ...confined, install_trust: false }
}

export const pkiApp: R = fields({ certificate_authorities: mapOf(certificateAuthority) })

// --- logs -------------------------------------------------------------------------------------

const plainWriter: R = fields({ output: keep })

const writers = (logger: string): Registry<Surroundings> => ({
  discard: plainWriter,
  stderr: plainWriter,
  stdout: plainWriter,
  file: (value, at) => {
    if (logger === 'default') return mainLog(value, at)
    const to = logFile(logger, at)
    const confined = fields<Surroundings>({ output: keep, filename: () => to, mode: keep })(
      value,
      at,
    )
    const path = below(at, 'filename').path
    at.findings.change(path, objectAt(value).filename, to, 'logs are written inside the run')
    return confined
  },
  net: (value, at) => {
    const to = logger === 'default' ? stderr : { output: 'file', filename: logFile(logger, at) }
    at.findings.refuse(at.path, value, `${nobody}; the log stays inside the run`, to)
    return to
  },
})

const stderr = { output: 'stderr' }

/** The main log is evidence: it belongs with the process's own output, which the run records. */
function mainLog(value: Json, at: At): Json {
  at.findings.change(at.path, value, stderr, 'the main log is recorded with the process')
  return stderr
}

function logFile(logger: string, at: At): string {
  return `${at.context.logDir}/caddy-${logger.replace(/[^\w.-]/g, '_')}.log`
}

const encoder: R = (value, at) => moduleBy('format', () => logEncoders)(value, at)

const plainEncoder: R = keep

const logEncoders: Registry<Surroundings> = {
  append: fields({ format: keep, wrap: encoder, fields: keep }),
  console: plainEncoder,
  filter: fields({ format: keep, wrap: encoder, fields: keep }),
  json: plainEncoder,
}

const customLog =
  (logger: string): R =>
  (value, at) =>
    fields<Surroundings>({
      writer: (writer, place) => {
        const known = moduleBy('output', () => writers(logger))
        // A log without a writer goes to stderr, which the run records anyhow.
        return known(writer, place)
      },
      encoder,
      core: refuse('a module the simulation can not vouch for'),
      level: keep,
      sampling: settings,
      with_stacktrace: keep,
      include: keep,
      exclude: keep,
    })(value, at)

export const logging: R = fields({
  sink: fields({ writer: moduleBy('output', () => writers('sink')) }),
  logs: (value, at) => {
    if (!isObject(value)) return undefined
    const entries = Object.entries(value).map(([name, log]) => [
      name,
      customLog(name)(log, below(at, name)) ?? {},
    ])
    return Object.fromEntries(entries) as JsonObject
  },
})

/** True for an address of the configuration's own listener, as an upstream would name it. */
export function namesListener(dial: string, original: string): boolean {
  const to = parseNetworkAddress(dial)
  const own = parseNetworkAddress(original)
  if (own.network.startsWith('unix'))
    return to.network === 'unix' && to.host === own.host.split('|')[0]
  if (to.ports === null || own.ports === null || to.ports.first !== own.ports.first) return false
  return (
    to.host === own.host || (isLoopbackHost(to.host) && ['', '0.0.0.0', '::'].includes(own.host))
  )
}
