/**
 * The fleet over TLS: all readers as streams of few HTTP/2 connections to a Caddy, which asks the
 * holding server for each of them.
 */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { HarnessError } from '../harness/errors.ts'
import type { BenchGroup, BenchOptions, Measurement } from './benchmark.ts'
import { measure } from './benchmark.ts'
import { fleetClient, removeColumns } from './held-readers/clients.ts'
import { compilePrograms } from './held-readers/compile.ts'
import { HoldingServer, runClient, type Job } from './held-readers/job.ts'
import { spawnProgram } from './spawn-program.ts'

const name = 'held.test'
const readyWithinMs = 15_000
const readersPerConnection = 100

const benchmarks = {
  'tls-h2-connect': 'until a Caddy has passed all requests on; most of it is its own work',
}

async function run(options: BenchOptions): Promise<Measurement[]> {
  await using programs = await compilePrograms()
  const caddy = await findCaddy()
  if (!programs || !caddy) {
    const missing = programs ? 'Caddy (DURABLE_STREAMS_SERVER_BIN, or caddy in PATH)' : 'C compiler'
    options.say(`No ${missing}: TLS over h2 is not measured.`)
    return []
  }
  const values: number[] = []
  for (let round = 1; round <= options.rounds; round++) {
    values.push(await oneRound(programs.holdingServer, caddy, options.readers))
    await removeColumns()
    options.say(`tls-h2: round ${round} of ${options.rounds} done`)
  }
  return measure([{ id: 'tls-h2-connect', subject: 'fleet', unit: 'ms', values }])
}

async function oneRound(holdingServer: string, caddy: string, readers: number): Promise<number> {
  const job: Job = { mode: 'response', readers, waves: 1, gapMs: 0 }
  await using server = await HoldingServer.start(holdingServer, job)
  await using edge = await startEdge(caddy, server.port)
  const client = fleetClient((port) => ({
    transport: 'h2',
    connections: Math.ceil(readers / readersPerConnection),
    target: {
      host: '127.0.0.1',
      port,
      authority: name,
      tls: { caPem: edge.caPem, servername: name },
    },
  }))
  const { connectMs } = await runClient(client, server, edge.port, job)
  return connectMs
}

async function findCaddy(): Promise<string | undefined> {
  for (const candidate of [process.env.DURABLE_STREAMS_SERVER_BIN, 'caddy']) {
    if (!candidate) continue
    const answered = await promisify(execFile)(candidate, ['version']).catch(() => undefined)
    if (answered) return candidate
  }
  return undefined
}

/** A Caddy with an authority of its own, whose every file is in a folder that goes with it. */
async function startEdge(caddy: string, upstreamPort: number) {
  const folder = await mkdtemp(path.join(tmpdir(), 'tls-edge-'))
  const port = await freePort()
  const caddyfile = path.join(folder, 'Caddyfile')
  await writeFile(caddyfile, edgeConfig(port, upstreamPort))
  const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const args = ['run', '--config', caddyfile, '--adapter', 'caddyfile']
  const program = spawnProgram(caddy, args, { ...process.env, ...home })
  const root = path.join(folder, 'caddy/pki/authorities/local/root.crt')
  const edge = {
    port,
    caPem: '',
    async [Symbol.asyncDispose]() {
      await program.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    edge.caPem = await Promise.race([edgeReady(port, root), edgeExit(program.exited)])
    return edge
  } catch (error) {
    await edge[Symbol.asyncDispose]()
    throw error
  }
}

function edgeConfig(port: number, upstreamPort: number): string {
  return `{
    admin off
    auto_https disable_redirects
    skip_install_trust
  }
  https://${name}:${port} {
    bind 127.0.0.1
    tls internal
    reverse_proxy 127.0.0.1:${upstreamPort}
  }`
}

async function edgeExit(exited: Promise<{ code: number | null }>): Promise<never> {
  const { code } = await exited
  throw new HarnessError(`Caddy ended with ${code} before it served TLS.`)
}

/** The authority's certificate, once a handshake verifies against it. */
async function edgeReady(port: number, root: string): Promise<string> {
  const deadline = performance.now() + readyWithinMs
  while (performance.now() < deadline) {
    const caPem = await readFile(root, 'utf8').catch(() => undefined)
    if (caPem && (await handshakes(port, caPem))) return caPem
    await delay(20)
  }
  throw new HarnessError(`Caddy did not serve TLS within ${readyWithinMs} ms.`)
}

async function handshakes(port: number, ca: string): Promise<boolean> {
  const socket = tls.connect({ host: '127.0.0.1', port, ca, servername: name })
  const verified = await once(socket, 'secureConnect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return verified
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

export default { benchmarks, run } satisfies BenchGroup
