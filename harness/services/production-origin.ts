/** The origin as a service: the Caddy binary with a confined configuration. */
import type { Service } from '../runtime/runtime.ts'
import type { OriginSettings } from '../world.ts'

export interface ProductionOrigin {
  id: string
  program: string
  configFile: string
  /** All loopback ports of the configuration's listeners. */
  ports: number[]
  /** The one that serves streams. */
  port: number
  /** Home and working folder: everything Caddy writes stays below it. */
  folder: string
  streamBase: string
  authority: string
  readyWithinMs: number
}

const stopGraceMs = 15_000

export function productionOrigin(options: ProductionOrigin): Service {
  return {
    id: options.id,
    program: options.program,
    image: 'origin',
    args: ['run', '--config', options.configFile],
    env: caddyEnvironment(options.folder),
    cwd: options.folder,
    ports: options.ports,
    // A HEAD of a stream that does not exist: answered only once the store is open. 401 and 403 are
    // answers of authentication in front of it.
    ready: {
      kind: 'http',
      port: options.port,
      method: 'HEAD',
      path: `${options.streamBase}is-it-ready`,
      statuses: [200, 404, 401, 403],
      host: options.authority,
    },
    readyWithinMs: options.readyWithinMs,
    stopSignal: 'SIGTERM',
    stopGraceMs,
    // Go prints all goroutines: the stacks of a start that hangs.
    stackSignal: 'SIGABRT',
  }
}

/** Nothing of the caller's environment: no secrets in, no home folder to write to. */
export function caddyEnvironment(folder: string): Record<string, string> {
  return {
    HOME: folder,
    XDG_CONFIG_HOME: `${folder}/config`,
    XDG_DATA_HOME: `${folder}/data`,
    PATH: '/usr/bin:/bin',
  }
}

/** Changes every stream handler of a configuration, to compress time or to put it under pressure. */
export function withSettings(config: unknown, settings: OriginSettings): unknown {
  if (Array.isArray(config)) return config.map((item) => withSettings(item, settings))
  if (typeof config !== 'object' || config === null) return config
  const entries = Object.entries(config).map(([key, value]) => [key, withSettings(value, settings)])
  const copy = Object.fromEntries(entries) as Record<string, unknown>
  if (copy.handler !== 'durable_streams') return copy
  const nanoseconds = (ms: number) => Math.round(ms * 1e6)
  if (settings.maxFileHandles !== undefined) copy.max_file_handles = settings.maxFileHandles
  if (settings.longPollTimeoutMs !== undefined) copy.long_poll_timeout = nanoseconds(settings.longPollTimeoutMs)
  if (settings.sseReconnectMs !== undefined) copy.sse_reconnect_interval = nanoseconds(settings.sseReconnectMs)
  return copy
}
