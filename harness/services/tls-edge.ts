/** The TLS edge as a service: a Caddy with an internal CA in front of the cache. */
import type { Service } from '../runtime/runtime.ts'
import { twinEnvironment, twinProgram } from '../twins.ts'
import { caddyEnvironment } from './production-origin.ts'

export interface TlsEdge {
  id: string
  program: string
  configFile: string
  port: number
  ports: number[]
  folder: string
}

export function tlsEdge(options: TlsEdge): Service {
  const twin = twinProgram('tls')
  const args = ['run', '--config', options.configFile]
  return {
    id: options.id,
    program: twin === undefined ? options.program : process.execPath,
    image: twin === undefined ? 'caddy' : 'node',
    args: twin === undefined ? args : [twin, ...args],
    env: { ...caddyEnvironment(options.folder), ...(twin === undefined ? {} : twinEnvironment()) },
    cwd: options.folder,
    ports: options.ports,
    ready: { kind: 'tcp', port: options.port },
    readyWithinMs: 20_000,
    stopSignal: 'SIGTERM',
    stopGraceMs: 12_000,
    stackSignal: 'SIGABRT',
  }
}
