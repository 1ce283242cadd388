import { objectAt, type JsonObject } from '../confine/json.ts'
import { butForPreflights, inFrontOfStreams, type Variant } from './variant.ts'

const token = 'Bearer simulation'

/** What the directive `forward_auth` expands to: 2xx lets the request pass, anything else is the answer. */
const asksFirst = (port: number): JsonObject => ({
  handler: 'reverse_proxy',
  upstreams: [{ dial: `127.0.0.1:${port}` }],
  rewrite: { method: 'GET', uri: '/authenticate' },
  headers: { request: { set: { 'X-Forwarded-Method': ['{http.request.method}'], 'X-Forwarded-Uri': ['{http.request.uri}'] } } },
  handle_response: [{ match: { status_code: [2] }, routes: [{ handle: [{ handler: 'vars' }] }] }],
})

/** A small service of its own that knows one token. */
const authenticator = (port: number): JsonObject => ({
  listen: [`127.0.0.1:${port}`],
  automatic_https: { disable: true },
  routes: [
    { match: [{ header: { Authorization: [token] } }], handle: [{ handler: 'static_response', status_code: 204 }] },
    { handle: [{ handler: 'static_response', status_code: 401, body: 'who are you?' }] },
  ],
})

/** `forward_auth`: another service is asked about each request first. */
export const forwardAuth: Variant = {
  id: 'forward-auth',
  words: 'with forwarded authentication',
  change(config, { port }) {
    const guarded = inFrontOfStreams(config, [butForPreflights([asksFirst(port)])]) as JsonObject
    const http = objectAt(guarded, 'apps', 'http')
    const servers = { ...objectAt(http, 'servers'), operator_authenticator: authenticator(port) }
    return { ...guarded, apps: { ...objectAt(guarded, 'apps'), http: { ...http, servers } } }
  },
  headers: { authorization: token },
  listens: ({ port }) => [port],
  trace: { kind: 'stranger', status: 401 },
}
