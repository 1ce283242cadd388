/** Which runtime a run has, and for containers the engine and images it takes. */
import type { Edge } from './edges/edge.ts'
import type { Options } from './options.ts'
import type { Provisioned } from './provision/provision.ts'
import { openContainerRuntime } from './runtime/containers.ts'
import { openEngine } from './runtime/engine.ts'
import { provideImages } from './runtime/images/provide-images.ts'
import { openProcessRuntime, type ProcessRuntimeOptions } from './runtime/processes.ts'
import type { Runtime } from './runtime/runtime.ts'

/** @throws UsageError when containers were asked for and cannot be had */
export async function openRuntime(
  kind: Options['runtime'],
  { server, caddy, edge }: Pick<Provisioned, 'server' | 'caddy'> & { edge: Pick<Edge, 'image'> },
  onProgress: (line: string) => void,
  options: ProcessRuntimeOptions,
): Promise<Runtime> {
  if (kind !== 'containers') return openProcessRuntime(options)
  const engine = await openEngine()
  const { signal } = options
  const images = (host: Runtime) =>
    provideImages({
      docker: engine.docker,
      host,
      server: server.kind === 'production' ? server : null,
      caddy,
      edge: edge.image,
      onProgress,
      ...(signal ? { signal } : {}),
    })
  return openContainerRuntime({ ...options, engine, images })
}
