import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  confineCaddyConfig,
  countListeners,
  type ConfineOptions,
} from '../../harness/confine/caddy-config.ts'
import { renderChanges, renderRefusals } from '../../harness/confine/diff.ts'
import {
  isObject,
  listAt,
  objectAt,
  type Json,
  type JsonObject,
} from '../../harness/confine/json.ts'
import { HarnessError, UsageError } from '../../harness/errors.ts'

const options: ConfineOptions = {
  listen: (n) => `127.0.0.1:${30_000 + n}`,
  dataDir: '/run/data',
  storageDir: '/run/storage',
  logDir: '/run/logs',
  adminSocket: '/run/admin.sock',
}

const streams = { handler: 'durable_streams', data_dir: '/var/lib/x', max_file_handles: 8 }

function site(...handle: Json[]): JsonObject {
  return { routes: [{ match: [{ host: ['streams.corp.example'] }], handle }] }
}

function withServers(servers: JsonObject, more: JsonObject = {}): JsonObject {
  return { apps: { http: { servers }, ...more } }
}

function serverOf(config: JsonObject, name: string): JsonObject {
  return objectAt(config, 'apps', 'http', 'servers', name)
}

/** The handlers of the first route of `srv0`. */
function handlersOf(config: JsonObject): JsonObject[] {
  const [route] = listAt(serverOf(config, 'srv0'), 'routes')
  return listAt(route, 'handle').filter(isObject)
}

// --- nothing external is left ----------------------------------------------------------------

/** Places where Caddy only compares, answers or names: an address there is never reached. */
const inertKeys = new Set(
  (
    'match host hide subjects headers request response logger_names skip_hosts skip ' +
    'body set rewrite env vars mappings source destinations defaults error include ' +
    'exclude automate trusted_proxies ranges client_ip_headers browse index_names ' +
    'try_files fields wrap encoder resources name realm allow deny server_name ' +
    'default_sni fallback_sni format level group status_code method prefer split_path ' +
    'mime_types delimiters file_root string value key uri path secret field policy ' +
    'protocols listen_protocols default_logger_name skip_certificates alpn curves ' +
    'cipher_suites key_type id root_common_name intermediate_common_name lifetime ' +
    'replace add delete with_stacktrace versions proxy_protocol expect_body ' +
    'precompressed_order etag_file_extensions protocol_min protocol_max renegotiation ' +
    'except_ports output handler module protocol provider mode query uri_substring ' +
    'path_regexp long_poll_timeout sse_reconnect_interval'
  ).split(' '),
)

const inertEnding = /_(timeout|interval|period|delay|ratio)$|^strip_/

/** Texts at places where Caddy would dial, listen, look up, fetch or write. */
function reachable(value: Json, key = ''): string[] {
  if (inertKeys.has(key) || inertEnding.test(key)) return []
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap((item) => reachable(item, key))
  if (!isObject(value)) return []
  if (value.handler === 'vars' || value.handler === 'static_response') return []
  return Object.entries(value).flatMap(([name, item]) => {
    // The name of an own authority, and a folder that files are served from.
    if (name === 'ca' && value.module === 'internal') return []
    if (name === 'root' && (value.handler === 'file_server' || value.protocol === 'fastcgi'))
      return []
    return reachable(item, name)
  })
}

const external = fc.constantFrom(
  'evil.example.net:443',
  'https://evil.example.net/x?key=1',
  '203.0.113.9:80',
  '[2001:db8::9]:443',
  'unix//run/evil.sock',
  'tcp/evil.example.net:1',
  '127.0.0.1.evil.example.net:80',
  'localhost.evil.example.net:80',
  '127.0.0.1@evil.example.net:80',
  '{env.EVIL}:80',
  '{http.request.host}:443',
  '/evil/path',
)

const isExternal = (text: string) =>
  /evil|203\.0\.113\.9|2001:db8|EVIL|http\.request\.host\}:443/.test(text)

const dialling = fc.constantFrom(
  'dial',
  'upstreams',
  'dynamic_upstreams',
  'addresses',
  'address',
  'url',
  'ask',
  'endpoint',
  'endpoints',
  'resolver',
  'resolvers',
  'forward_proxy_url',
  'network_proxy',
  'upstream',
  'local_address',
  'webhook_callback_url',
  'data_dir',
  'filename',
  'storage',
  'admin',
  'remote',
  'identity',
  'load',
  'listen',
  'issuers',
  'get_certificate',
  'on_demand',
  'permission',
  'dns',
  'encrypted_client_hello',
  'certificates',
  'load_files',
  'writer',
  'transport',
  'tls',
  'bind_host',
  'fs',
  'circuit_breaker',
  'insecure_secrets_log',
  'handshake_context',
  'ocsp_overrides',
  'events',
  'layer4',
  'dynamic_dns',
  'exec',
  'handle',
  'handlers',
  'unheard_of',
  'sink',
  'core',
  'logs',
  'routes',
  'ca',
  'root',
  'uri',
  'path',
)

const moduleKey = fc.constantFrom(
  'handler',
  'module',
  'output',
  'protocol',
  'source',
  'via',
  'provider',
  'wrapper',
  'policy',
)
const moduleName = fc.constantFrom(
  'reverse_proxy',
  'http',
  'net',
  'file',
  'consul',
  's3',
  'redis',
  'acme',
  'zerossl',
  'internal',
  'a',
  'srv',
  'exec',
  'durable_streams',
  'subroute',
  'fastcgi',
  'tailscale',
  'jwt',
  'tracing',
  'acme_server',
  'file_server',
  'file_system',
  'static',
  'tls',
)

const poison: fc.Arbitrary<Json> = fc.letrec<{ node: Json }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    external,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(dialling, tie('node'), { maxKeys: 3 }),
    fc
      .tuple(moduleKey, moduleName, fc.dictionary(dialling, tie('node'), { maxKeys: 3 }))
      .map(([key, name, rest]) => ({ ...rest, [key]: name }) as Json),
  ),
})).node

/** A working configuration with many modules in it, to be poisoned anywhere. */
const host: JsonObject = {
  admin: { listen: 'localhost:2019', config: {} },
  logging: { logs: { default: { writer: { output: 'file' }, level: 'INFO' } } },
  storage: { module: 'file_system', root: '/var/lib/caddy' },
  apps: {
    http: {
      http_port: 80,
      servers: {
        srv0: {
          listen: [':443'],
          errors: { routes: [{ handle: [{ handler: 'error' }] }] },
          automatic_https: {},
          logs: {},
          tls_connection_policies: [{ match: { sni: ['a.example'] } }],
          ...site(
            {
              handler: 'reverse_proxy',
              upstreams: [{ dial: '127.0.0.1:1' }],
              transport: { protocol: 'http', tls: {} },
              health_checks: { active: { path: '/' } },
            },
            { handler: 'subroute', routes: [{ handle: [streams] }] },
            { handler: 'authentication', providers: { http_basic: {} } },
          ),
        },
      },
    },
    tls: {
      certificates: {},
      automation: { policies: [{ issuers: [{ module: 'acme' }] }], on_demand: {} },
    },
    pki: { certificate_authorities: { corp: {} } },
  },
}

interface Container {
  readonly value: JsonObject | Json[]
}

function containersOf(value: Json): Container[] {
  if (Array.isArray(value)) return [{ value }, ...value.flatMap(containersOf)]
  return isObject(value) ? [{ value }, ...Object.values(value).flatMap(containersOf)] : []
}

const poisoned = fc
  .array(fc.tuple(fc.nat(), fc.nat(), fc.boolean(), dialling, poison), {
    minLength: 1,
    maxLength: 4,
  })
  .map((changes) => {
    const json = structuredClone(host)
    for (const [at, existing, replaces, name, value] of changes) {
      const all = containersOf(json)
      const { value: place } = all[at % all.length] as Container
      if (Array.isArray(place)) place.push(value)
      else
        place[
          replaces ? (Object.keys(place)[existing % Object.keys(place).length] ?? name) : name
        ] = value
    }
    return json
  })

function confineOrRefuse(json: Json) {
  try {
    return confineCaddyConfig(json, options)
  } catch (error) {
    if (error instanceof UsageError) return null
    throw error
  }
}

describe('confineCaddyConfig', () => {
  test('leaves no address outside loopback, wherever it was put', () => {
    let examined = 0
    fc.assert(
      fc.property(poisoned, (json) => {
        const confined = confineOrRefuse(json)
        if (confined === null) return
        examined += 1
        expect(reachable(confined.config).filter(isExternal)).toEqual([])
      }),
      { numRuns: 2_000 },
    )
    expect(examined).toBeGreaterThan(500)
  })

  test('changes nothing the second time', () => {
    fc.assert(
      fc.property(poisoned, (json) => {
        const once = confineOrRefuse(json)
        if (once === null) return
        const twice = confineCaddyConfig(once.config, options)
        expect(twice.config).toEqual(once.config)
        expect(twice.changes).toEqual([])
        expect(twice.refused).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('takes any JSON: an answer or an error of use, never a crash', () => {
    fc.assert(
      fc.property(fc.jsonValue() as fc.Arbitrary<Json>, (json) => void confineOrRefuse(json)),
    )
    fc.assert(fc.property(poison, (json) => void confineOrRefuse({ apps: json })))
  })

  const proxy = (more: JsonObject): JsonObject => ({
    handler: 'reverse_proxy',
    upstreams: [{ dial: '127.0.0.1:1' }],
    ...more,
  })
  const policy = (more: JsonObject): JsonObject => ({ automation: { policies: [more] } })
  const handled = (handler: JsonObject) =>
    withServers({ srv0: { listen: [':443'], ...site(handler) } })
  const served = (more: JsonObject) =>
    withServers({ srv0: { listen: [':443'], ...site(streams), ...more } })
  const tls = (app: JsonObject) => withServers({ srv0: { listen: [':443'] } }, { tls: app })

  test.each<[string, JsonObject]>([
    ['an upstream', handled(proxy({ upstreams: [{ dial: 'SECRET:80' }] }))],
    [
      'upstreams found by DNS',
      handled(proxy({ dynamic_upstreams: { source: 'srv', name: 'SECRET' } })),
    ],
    [
      'a proxy behind the proxy',
      handled(proxy({ transport: { protocol: 'http', forward_proxy_url: 'http://SECRET' } })),
    ],
    [
      'a network proxy',
      handled(
        proxy({
          transport: { protocol: 'http', network_proxy: { from: 'url', url: 'http://SECRET' } },
        }),
      ),
    ],
    [
      'a resolver',
      handled(proxy({ transport: { protocol: 'http', resolver: { addresses: ['SECRET'] } } })),
    ],
    [
      'a client certificate',
      handled(
        proxy({ transport: { protocol: 'http', tls: { client_certificate_file: '/SECRET' } } }),
      ),
    ],
    ['another transport', handled(proxy({ transport: { protocol: 'ntlm', dial: 'SECRET' } }))],
    [
      'another upstream for health checks',
      handled(proxy({ health_checks: { active: { upstream: 'SECRET:1' } } })),
    ],
    ['a webhook', handled({ ...streams, webhook_callback_url: 'https://SECRET/x' })],
    ['a setting of streams nobody knows', handled({ ...streams, replicate_to: 'SECRET:1' })],
    ['a collector', handled({ handler: 'tracing', span: 'SECRET' })],
    ['a remote file system', handled({ handler: 'file_server', fs: 's3-SECRET' })],
    [
      'a list of proxies that is fetched',
      served({ trusted_proxies: { source: 'cloudflare', url: 'SECRET' } }),
    ],
    [
      'a file of TLS secrets',
      served({ tls_connection_policies: [{ insecure_secrets_log: '/SECRET' }] }),
    ],
    [
      'a context of handshakes',
      served({ tls_connection_policies: [{ handshake_context: { module: 'x', a: 'SECRET' } }] }),
    ],
    ['an issuer', tls(policy({ issuers: [{ module: 'acme', ca: 'https://SECRET' }] }))],
    [
      'a DNS challenge',
      tls(
        policy({
          issuers: [{ module: 'acme', challenges: { dns: { provider: { name: 'SECRET' } } } }],
        }),
      ),
    ],
    [
      'a certificate manager',
      tls(policy({ get_certificate: [{ via: 'http', url: 'https://SECRET' }] })),
    ],
    ['storage of a policy', tls(policy({ storage: { module: 'redis', host: 'SECRET' } }))],
    ['an OCSP responder', tls(policy({ ocsp_overrides: { 'http://SECRET': '' } }))],
    ['an ask endpoint', tls({ automation: { on_demand: { ask: 'https://SECRET' } } })],
    [
      'a permission module',
      tls({ automation: { on_demand: { permission: { module: 'http', endpoint: 'SECRET' } } } }),
    ],
    [
      'loaded certificates',
      tls({ certificates: { load_files: [{ certificate: '/SECRET', key: '/SECRET' }] } }),
    ],
    [
      'a source of certificates nobody knows',
      tls({ certificates: { vault: { address: 'SECRET' } } }),
    ],
    ['ECH', tls({ encrypted_client_hello: { configs: [{ public_name: 'SECRET' }] } })],
    ['a DNS provider', tls({ dns: { name: 'route53', secret: 'SECRET' } })],
    [
      'shared keys of session tickets',
      tls({
        session_tickets: {
          key_source: { provider: 'distributed', storage: { module: 's3', host: 'SECRET' } },
        },
      }),
    ],
    ['another app', withServers({}, { layer4: { servers: { a: { listen: ['SECRET:1'] } } } })],
    [
      'handlers of events',
      withServers(
        {},
        { events: { subscriptions: [{ handlers: [{ handler: 'exec', command: 'SECRET' }] }] } },
      ),
    ],
    [
      'key pairs of an authority',
      withServers(
        {},
        { pki: { certificate_authorities: { a: { root: { private_key: '/SECRET' } } } } },
      ),
    ],
    ['shared storage', { ...withServers({}), storage: { module: 'consul', address: 'SECRET:1' } }],
    [
      'a log sent away',
      {
        ...withServers({}),
        logging: { logs: { a: { writer: { output: 'net', address: 'SECRET:1' } } } },
      },
    ],
    [
      'a sink sent away',
      { ...withServers({}), logging: { sink: { writer: { output: 'net', address: 'SECRET:1' } } } },
    ],
    [
      'a log file',
      {
        ...withServers({}),
        logging: { logs: { a: { writer: { output: 'file', filename: '/SECRET' } } } },
      },
    ],
    ['remote administration', { ...withServers({}), admin: { remote: { listen: 'SECRET:1' } } }],
    [
      'an identity',
      { ...withServers({}), admin: { identity: { issuers: [{ module: 'acme', ca: 'SECRET' }] } } },
    ],
    [
      'a configuration loaded from elsewhere',
      { ...withServers({}), admin: { config: { load: { module: 'http', url: 'SECRET' } } } },
    ],
    [
      'a part of the configuration nobody knows',
      { ...withServers({}), cluster: { join: 'SECRET:1' } },
    ],
  ])('takes out %s', (_name, json) => {
    const { config, changes } = confineCaddyConfig(json, options)
    expect(JSON.stringify(json)).toContain('SECRET')
    expect(JSON.stringify(config)).not.toContain('SECRET')
    expect(changes.length).toBeGreaterThan(0)
  })

  test('leaves the configuration it was given alone', () => {
    const json = structuredClone(host)
    confineCaddyConfig(json, options)
    expect(json).toEqual(host)
  })

  test('lists each address it takes out, with its reason', () => {
    const proxy = { handler: 'reverse_proxy', upstreams: [{ dial: 'api.corp.example:80' }] }
    const { refused } = confineCaddyConfig(
      withServers({ srv0: { listen: [':80'], ...site(proxy) } }),
      options,
    )
    expect(refused).toEqual([
      {
        path: 'apps.http.servers.srv0.routes[0].handle[0].upstreams[0].dial',
        address: 'api.corp.example:80',
        because: 'nothing outside loopback is reached',
      },
    ])
    expect(renderRefusals(refused)).toContain('api.corp.example:80')
  })
})

describe('listeners', () => {
  const confine = (server: JsonObject, http: JsonObject = {}) => {
    const json = { apps: { http: { ...http, servers: { srv0: server } } } }
    return { count: countListeners(json), ...confineCaddyConfig(json, options) }
  }

  test.each<[string, JsonObject, JsonObject, [string, boolean][]]>([
    [
      'HTTPS by port',
      { listen: [':443'], ...site(streams) },
      {},
      [
        [':443', true],
        [':80', false],
      ],
    ],
    [
      'HTTPS by host name',
      { listen: [':8443'], ...site(streams) },
      {},
      [
        [':8443', true],
        [':80', false],
      ],
    ],
    ['plain HTTP by port', { listen: [':80'], ...site(streams) }, {}, [[':80', false]]],
    [
      'plain HTTP without a name',
      { listen: [':4437'], routes: [{ handle: [streams] }] },
      {},
      [[':4437', false]],
    ],
    [
      'a file with its own ports',
      { listen: [':8443'], ...site(streams) },
      { https_port: 8443, http_port: 8080 },
      [
        [':8443', true],
        [':8080', false],
      ],
    ],
    [
      'automatic HTTPS switched off',
      { listen: [':443'], automatic_https: { disable: true }, ...site(streams) },
      {},
      [[':443', false]],
    ],
    [
      'no redirects',
      { listen: [':443'], automatic_https: { disable_redirects: true }, ...site(streams) },
      {},
      [[':443', true]],
    ],
    [
      'a skipped name',
      { listen: [':8080'], automatic_https: { skip: ['streams.corp.example'] }, ...site(streams) },
      {},
      [[':8080', false]],
    ],
    [
      'a socket',
      { listen: ['unix//run/x.sock'], routes: [{ handle: [streams] }] },
      {},
      [['unix//run/x.sock', false]],
    ],
    [
      'a range of ports',
      { listen: ['10.0.0.1:8000-8002'], routes: [] },
      {},
      [
        ['10.0.0.1:8000', false],
        ['10.0.0.1:8001', false],
        ['10.0.0.1:8002', false],
      ],
    ],
  ])('%s stays what it was', (_name, server, http, expected) => {
    const { listeners, config, count } = confine(server, http)
    const theirs = listeners.filter((own) => !own.madeForTheRun)
    expect(theirs.map(({ original, tls }) => [original, tls])).toEqual(expected)
    const used = theirs.map((own) => Number(own.local.split(':')[1]) - 30_000)
    expect(Math.max(...used)).toBeLessThan(count)
    expect(new Set(used).size).toBe(used.length)
    // What Caddy goes by after the move must say the same as before it.
    const moved = serverOf(config, 'srv0')
    const endsTls = theirs.some((own) => own.tls)
    expect(Array.isArray(moved.tls_connection_policies)).toBe(endsTls)
  })

  test('hosts stay, so that requests keep theirs', () => {
    const { listeners, config } = confine({ listen: [':443'], ...site(streams) })
    expect(listeners[0]?.hosts).toEqual(['streams.corp.example'])
    expect(JSON.stringify(serverOf(config, 'srv0').routes)).toContain('streams.corp.example')
  })

  test('streams over TLS only get a plain way in for the cache', () => {
    const { capabilities, config } = confine({ listen: [':443'], ...site(streams) })
    expect(capabilities.streamListeners).toEqual(['127.0.0.1:30003', '127.0.0.1:30001'])
    expect(serverOf(config, 'simulation_plain').listen).toEqual(['127.0.0.1:30003'])
    const plain = confine({ listen: [':4437'], routes: [{ handle: [streams] }] })
    expect(plain.capabilities.streamListeners).toEqual(['127.0.0.1:30004'])
    expect(serverOf(plain.config, 'simulation_plain')).toEqual({})
  })

  test('a port that is no number is an error of use', () => {
    expect(() => confine({ listen: [':{env.PORT}'], routes: [] })).toThrow(UsageError)
    expect(() => confine({ listen: [':1000-2000'], routes: [] })).toThrow(/at most 100 ports/)
  })

  test("an address that is not on loopback is the caller's fault", () => {
    const listen = () => '0.0.0.0:80'
    expect(() => confineCaddyConfig(withServers({}), { ...options, listen })).toThrow(HarnessError)
  })
})

describe('what a file asks for', () => {
  test('data_dir is redirected only where it is set', () => {
    const two = [streams, { handler: 'durable_streams' }, { ...streams, data_dir: '/srv/other' }]
    const json = withServers({ srv0: { listen: [':1'], routes: [{ handle: two }] } })
    const { config, capabilities } = confineCaddyConfig(json, options)
    expect(handlersOf(config).map((handler) => handler.data_dir)).toEqual([
      '/run/data',
      undefined,
      '/run/data-2',
    ])
    expect(capabilities).toMatchObject({ streamHandlers: 3, dataDirSet: false, maxFileHandles: 8 })
  })

  test('forward_auth is answered by a stub that lets everybody in', () => {
    const auth = {
      handler: 'reverse_proxy',
      rewrite: { method: 'GET', uri: '/verify' },
      handle_response: [{ match: { status_code: [2] }, routes: [] }],
      transport: { protocol: 'http', tls: {} },
      upstreams: [{ dial: 'auth.corp.example:443' }],
    }
    const { config, capabilities } = confineCaddyConfig(
      withServers({ srv0: { listen: [':1'], routes: [{ handle: [auth, streams] }] } }),
      options,
    )
    const [first] = handlersOf(config)
    expect(first).toMatchObject({
      handler: 'reverse_proxy',
      upstreams: [{ dial: '127.0.0.1:30002' }],
    })
    expect(first?.transport).toBeUndefined()
    expect(serverOf(config, 'simulation_stub').listen).toEqual(['127.0.0.1:30002'])
    expect(capabilities.auth).toEqual(['forward'])
  })

  test("an upstream that is the file's own listener, or the caller's, stays connected", () => {
    const proxy = (dial: string) => ({
      routes: [{ handle: [{ handler: 'reverse_proxy', upstreams: [{ dial }] }] }],
    })
    const json = withServers({
      inner: { listen: [':4437'], routes: [{ handle: [streams] }] },
      outer: { listen: [':8080'], ...proxy('localhost:4437') },
      cache: { listen: [':8081'], ...proxy('varnish:6081') },
    })
    const upstreams = (dial: string) => (dial === 'varnish:6081' ? '127.0.0.1:999' : null)
    const text = (name: string) =>
      JSON.stringify(serverOf(confineCaddyConfig(json, { ...options, upstreams }).config, name))
    expect(text('outer')).toContain('"dial":"127.0.0.1:30004"')
    expect(text('cache')).toContain('"dial":"127.0.0.1:999"')
  })

  test('a matcher nobody knows is an error of use: without it the file would mean more', () => {
    const json = withServers({
      srv0: { listen: [':1'], routes: [{ match: [{ maxmind: {} }], handle: [streams] }] },
    })
    expect(() => confineCaddyConfig(json, options)).toThrow(
      /match\[0\]\.maxmind: a matcher the simulation does not know/,
    )
  })

  test('streams inside a module nobody knows are an error of use', () => {
    const wrapper = { handler: 'tenant', routes: [{ handle: [streams] }] }
    const json = withServers({ srv0: { listen: [':1'], routes: [{ handle: [wrapper] }] } })
    expect(() => confineCaddyConfig(json, options)).toThrow(
      /served through what was refused: tenant/,
    )
  })

  test('a module nobody knows is taken out and listed', () => {
    const json = withServers({
      srv0: {
        listen: [':1'],
        routes: [{ handle: [{ handler: 'rate_limit', zone: 'x' }, streams] }],
      },
    })
    const { config, refused } = confineCaddyConfig(json, options)
    expect(JSON.stringify(config)).not.toContain('rate_limit')
    expect(refused.map(({ address }) => address)).toEqual(['rate_limit'])
  })

  test("names below ts.net do not wake the machine's own Tailscale", () => {
    const json = withServers({
      srv0: {
        listen: [':443'],
        routes: [{ match: [{ host: ['a.b.ts.net'] }], handle: [streams] }],
      },
    })
    const { config } = confineCaddyConfig(json, options)
    const policies = objectAt(config, 'apps', 'tls', 'automation').policies as JsonObject[]
    expect(policies[0]).toEqual({ subjects: ['a.b.ts.net'], issuers: [{ module: 'internal' }] })
  })

  test('no secret of the file is in what people read', () => {
    const secrets = {
      password: 'hash-of-alice',
      token: 'tok-1234567890',
      url: 'https://u:pw123456@x.example/?key=kkkkkk1',
    }
    const json = withServers({
      srv0: {
        listen: [':1'],
        routes: [
          {
            handle: [
              {
                handler: 'authentication',
                providers: {
                  http_basic: { accounts: [{ username: 'a', password: secrets.password }] },
                },
              },
              { handler: 'unknown', api_token: secrets.token, dial: secrets.url },
            ],
          },
        ],
      },
    })
    const { changes, refused } = confineCaddyConfig(json, options)
    const shown =
      JSON.stringify([changes, refused]) + renderChanges('x', changes) + renderRefusals(refused)
    for (const secret of ['hash-of-alice', 'tok-1234567890', 'pw123456', 'kkkkkk1']) {
      expect(shown).not.toContain(secret)
    }
    expect(shown).toContain('x.example')
  })
})
