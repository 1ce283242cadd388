/**
 * The stand-in origin: upstream's reference server from npm, file-backed. Started as a program of
 * its own (`node reference-origin.ts '{"port":…}'`), so that it can be killed like the real one.
 */
import { fileURLToPath } from 'node:url'
import type { Service } from '../runtime/runtime.ts'
import { twinEnvironment, twinProgram } from '../twins.ts'

export interface ReferenceOrigin {
  id: string
  port: number
  dataDir: string
  folder: string
  longPollTimeoutMs: number
  /** How long a planted origin leaves an event stream open; the reference server ends none. */
  sseReconnectMs: number
  /** Null where it cannot be set, as with the reference server itself. */
  maxFileHandles: number | null
  /** Switched on, by a planted origin that has them; and where that one can be reloaded. */
  variants?: readonly string[]
  adminSocket?: string | null
  readyWithinMs: number
}

/** What the program is told, in JSON; a planted one is told the same. */
export type OriginArgument = Required<Pick<ReferenceOrigin, 'port' | 'dataDir' | 'longPollTimeoutMs' | 'sseReconnectMs' | 'maxFileHandles' | 'variants' | 'adminSocket'>>

export function referenceOrigin(options: ReferenceOrigin): Service {
  const { port, dataDir, longPollTimeoutMs, sseReconnectMs, maxFileHandles, variants = [], adminSocket = null } = options
  const argument: OriginArgument = { port, dataDir, longPollTimeoutMs, sseReconnectMs, maxFileHandles, variants, adminSocket }
  return {
    id: options.id,
    program: process.execPath,
    image: 'node',
    args: [twinProgram('origin') ?? fileURLToPath(import.meta.url), JSON.stringify(argument)],
    env: { HOME: options.folder, PATH: process.env.PATH ?? '/usr/bin:/bin', ...twinEnvironment() },
    cwd: options.folder,
    ports: [port],
    // 401 is the answer of authentication in front of it.
    ready: { kind: 'http', port, method: 'HEAD', path: '/v1/stream/is-it-ready', statuses: [404, 401] },
    readyWithinMs: options.readyWithinMs,
    stopSignal: 'SIGTERM',
    stopGraceMs: 15_000,
  }
}

async function serve(text: string): Promise<void> {
  const { DurableStreamTestServer } = await import('@durable-streams/server')
  const { port, dataDir, longPollTimeoutMs } = JSON.parse(text) as OriginArgument
  const server = new DurableStreamTestServer({ host: '127.0.0.1', port, dataDir, longPollTimeout: longPollTimeoutMs })
  process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)))
  await server.start()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(process.argv[2] ?? '{}')
