/**
 * Which runtime a run has and which programs it takes: with `auto`, containers wherever an engine of
 * use answers, their programs in images; else processes, with programs of this host.
 */
import type { Edge } from './edges/edge.ts'
import { UsageError } from './errors.ts'
import type { Options } from './options.ts'
import { provisionHops, provisionServer, type Hops, type ProvisionOptions } from './provision/provision.ts'
import type { ProvidedServer } from './provision/server-binary.ts'
import { openContainerRuntime } from './runtime/containers.ts'
import { told } from './runtime/elsewhere/told.ts'
import { engineUnwilling, openEngine, type Engine } from './runtime/engine.ts'
import { hopsInImages } from './runtime/images/hops-in-images.ts'
import { provideImages } from './runtime/images/provide-images.ts'
import { openProcessRuntime, type ProcessRuntimeOptions } from './runtime/processes.ts'
import type { Runtime } from './runtime/runtime.ts'

/** What a run works with. */
export interface Workshop extends AsyncDisposable {
  runtime: Runtime
  /** Why this runtime: a clause that follows "because". */
  runtimeBecause: string
  server: ProvidedServer
  edge: { kind: Edge; program: Hops['edge'] }
  caddy: Hops['caddy']
}

export interface WorkshopOptions extends ProcessRuntimeOptions {
  kind: Options['runtime']
  edge: Edge
  provision: Omit<ProvisionOptions, 'edge'>
  onProgress(line: string): void
}

const asAsked = 'it was asked for'

/** @throws UsageError when containers were asked for and cannot be had, or a program is missing */
export async function openWorkshop(options: WorkshopOptions): Promise<Workshop> {
  const { kind, onProgress } = options
  // The user's own mistake about the server must not look like one of the engine's.
  const server = await provisionServer(options.provision)
  options.signal?.throwIfAborted()
  if (kind === 'processes') return inProcesses(server, options, asAsked)
  try {
    return await inContainers(server, options)
  } catch (error) {
    // Inside of an engine there is nothing else.
    if (kind === 'containers' || told() !== null || !(error instanceof UsageError) || options.signal?.aborted) throw error
    const because = withoutAdvice(error.message)
    onProgress(`No containers, so plain processes: ${because}`)
    return inProcesses(server, options, `no containers could be had: ${because}`)
  }
}

async function inProcesses(server: ProvidedServer, options: WorkshopOptions, runtimeBecause: string): Promise<Workshop> {
  const { edge, caddy } = await provisionHops(server, { ...options.provision, edge: options.edge })
  options.signal?.throwIfAborted()
  const runtime = await openProcessRuntime(options)
  return { runtime, runtimeBecause, server, edge: { kind: options.edge, program: edge }, caddy, [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose]() }
}

async function inContainers(server: ProvidedServer, options: WorkshopOptions): Promise<Workshop> {
  const engine = await openEngine()
  await using opening = new AsyncDisposableStack()
  const opened = openContainerRuntime({ ...options, engine, images: imagesOf(server, engine, options) })
  const runtime = opening.use(await opened.catch((error: unknown) => refuseEngine(error, options.signal)))
  const { edge, caddy } = await hopsInImages(runtime, server, options.edge).catch((error: unknown) => refuseEngine(error, options.signal))
  const runtimeBecause = `${options.kind === 'auto' ? 'a container engine answers' : asAsked} (${engine.description})`
  const owned = opening.move()
  return { runtime, runtimeBecause, server, edge: { kind: options.edge, program: edge }, caddy, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function imagesOf(server: ProvidedServer, engine: Engine, { edge, onProgress, signal }: WorkshopOptions) {
  const production = server.kind === 'production' ? server : null
  return (host: Runtime) =>
    provideImages({ docker: engine.docker, host, server: production, caddy: production, edge: edge.image, onProgress, ...(signal ? { signal } : {}) })
}

function refuseEngine(error: unknown, signal: AbortSignal | undefined): never {
  if (error instanceof UsageError || !(error instanceof Error) || signal?.aborted) throw error
  throw engineUnwilling(error)
}

/** The sentence without "or run without containers", which is what is done. */
function withoutAdvice(message: string): string {
  return message.replace(/,? or run without containers: --runtime processes\.$/, '.')
}
