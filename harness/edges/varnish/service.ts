/** The cache as a service, and its counters. */
import { searchPath } from '../../confine/environment.ts'
import type { Runtime, Service } from '../../runtime/runtime.ts'
import type { CacheCounters } from '../../world.ts'

export interface VarnishEdge {
  id: string
  varnishd: string
  vclFile: string
  port: number
  /** Varnish's working folder: compiled VCL and shared memory. */
  folder: string
  /** `name=value`, from the VCL's own header or the defaults. */
  parameters: { name: string; value: string }[]
  storageMebibytes: number
  /** Where varnishadm reaches it, with the secret in its folder. */
  managementPort?: number | null
}

export function varnishEdge(options: VarnishEdge): Service {
  const { managementPort = null } = options
  const parameters = options.parameters.flatMap(({ name, value }) => ['-p', `${name}=${value}`])
  return {
    id: options.id,
    program: options.varnishd,
    image: 'edge',
    args: [
      '-F',
      // No privileges are dropped: the folder is the run's own.
      '-j',
      'none',
      '-n',
      options.folder,
      '-a',
      `127.0.0.1:${options.port}`,
      // Nothing but this run may command it: no management port, or one that wants the folder's secret.
      '-T',
      managementPort === null ? 'none' : `127.0.0.1:${managementPort}`,
      '-f',
      options.vclFile,
      '-s',
      `malloc,${options.storageMebibytes}m`,
      ...parameters,
    ],
    env: { PATH: searchPath(process.env), HOME: options.folder },
    cwd: options.folder,
    ports: managementPort === null ? [options.port] : [options.port, managementPort],
    ready: { kind: 'tcp', port: options.port },
    readyWithinMs: 30_000,
    stopSignal: 'SIGTERM',
    stopGraceMs: 10_000,
  }
}

/** Varnish's own counts since its start: what it fetched from the origin, what it had. */
export async function varnishCounters(
  runtime: Runtime,
  { id, folder }: Pick<VarnishEdge, 'id' | 'folder'>,
  varnishstat: string,
): Promise<CacheCounters | null> {
  const result = await runtime.run(varnishstat, ['-1', '-j', '-n', folder], { timeoutMs: 10_000, beside: id })
  if (result.code !== 0) return null
  const parsed = JSON.parse(result.stdout) as { counters?: Record<string, { value: number }> }
  const value = (name: string) => parsed.counters?.[`MAIN.${name}`]?.value ?? 0
  const waiting = value('busy_sleep') - value('busy_wakeup') - value('busy_killed')
  const storedBytes = Object.entries(parsed.counters ?? {}).reduce((sum, [name, counter]) => sum + (/^SM[AF]\..*\.g_bytes$/.test(name) ? counter.value : 0), 0)
  const held = { objects: value('n_object'), bans: value('bans'), storedBytes }
  return { waiting, fetches: value('backend_req'), hits: value('cache_hit'), misses: value('cache_miss'), ...held }
}
