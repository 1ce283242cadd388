import { listAt } from '../confine/json.ts'
import { withServers, type Variant } from './variant.ts'

const path = '/metrics-of-the-operator'

/** Every request is measured, and a scraper can ask for the figures. */
export const metrics: Variant = {
  id: 'metrics',
  words: 'with metrics',
  change: (config) =>
    withServers(config, (server) => ({
      ...server,
      metrics: {},
      routes: [{ match: [{ path: [path] }], handle: [{ handler: 'metrics' }] }, ...listAt(server, 'routes')],
    })),
  trace: { kind: 'page', path, text: 'caddy_http_request' },
}
