/**
 * Runs a world made of files from production: the confined Caddyfile in a server, the confined VCL
 * in Varnish in front of it, a few requests through both. Meant to be run under `watch.sh`.
 *
 *   hostile-world.ts FOLDER CADDY CADDYFILE VARNISHD|- VCL [reach-out]
 *
 * Writes `answers.json` into the folder. With `reach-out` it ends with what it must never do, to
 * show that the watch sees it.
 */
import { execa } from 'execa'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { confineCaddyConfig, type ConfinedCaddyConfig } from '../../harness/confine/caddy-config.ts'
import { adaptCaddyfile } from '../../harness/confine/caddyfile.ts'
import { confinedEnvironment } from '../../harness/confine/environment.ts'
import { confineVcl } from '../../harness/edges/varnish/confine.ts'
import { compileVcl } from '../../harness/edges/varnish/compile.ts'

export interface Answers {
  /** Status by what was asked. */
  readonly statuses: Record<string, number>
  readonly stream: string
  readonly location: string
}

interface Ask {
  readonly port: number
  readonly path: string
  readonly method?: string
  readonly body?: string
  /** The root certificate, for HTTPS. */
  readonly ca?: string
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly location: string
}

const host = 'streams.corp.example'
const firstPort = 21_000
const varnishPort = 21_900

async function main(): Promise<void> {
  const [folder = '', caddy = '', caddyfile = '', varnishd = '-', vcl = '', last] =
    process.argv.slice(2)
  await using servers = new AsyncDisposableStack()
  const confined = await startCaddy(folder, caddy, caddyfile, servers)
  const streams = confined.capabilities.streamListeners[0]
  const origin = portOf(streams ?? secureListener(confined))
  if (varnishd !== '-') await startVarnish(folder, varnishd, vcl, origin, servers)
  const path = varnishd === '-' ? origin : varnishPort
  const answers = await ask(folder, confined, streams === undefined ? null : path)
  writeFileSync(join(folder, 'answers.json'), JSON.stringify(answers))
  if (last === 'reach-out') await reachOut()
}

async function startCaddy(
  folder: string,
  caddyPath: string,
  file: string,
  servers: AsyncDisposableStack,
): Promise<ConfinedCaddyConfig> {
  const { json } = await adaptCaddyfile({ caddyPath, file })
  const home = join(folder, 'origin')
  mkdirSync(home)
  const confined = confineCaddyConfig(json, {
    listen: (n) => `127.0.0.1:${firstPort + n}`,
    dataDir: join(home, 'streams'),
    storageDir: join(home, 'storage'),
    logDir: join(home, 'logs'),
    adminSocket: join(home, 'admin.sock'),
  })
  const config = join(folder, 'origin.json')
  writeFileSync(config, JSON.stringify(confined.config), { mode: 0o600 })
  start(servers, caddyPath, ['run', '--config', config], home)
  await untilListening(portOf(secureListener(confined)))
  return confined
}

async function startVarnish(
  folder: string,
  varnishd: string,
  file: string,
  origin: number,
  servers: AsyncDisposableStack,
): Promise<void> {
  const home = join(folder, 'edge')
  mkdirSync(home)
  const backends = () => ({ host: '127.0.0.1', port: origin })
  const confined = confineVcl({ source: readFileSync(file, 'utf8'), file, backends })
  const vcl = join(folder, 'edge.vcl')
  writeFileSync(vcl, confined.vcl)
  await compileVcl({
    varnishdPath: varnishd,
    file: vcl,
    workDir: join(folder, 'compile'),
    lines: confined.lines,
  })
  const address = ['-a', `127.0.0.1:${varnishPort}`, '-T', 'none']
  const quiet = ['-p', 'syslog_cli_traffic=off']
  start(servers, varnishd, ['-F', '-j', 'none', '-n', home, ...address, '-f', vcl, ...quiet], home)
  await untilListening(varnishPort)
}

function start(servers: AsyncDisposableStack, program: string, args: string[], home: string): void {
  const child = execa(program, args, {
    cwd: home,
    env: confinedEnvironment(home),
    extendEnv: false,
    reject: false,
    stdio: ['ignore', 'ignore', { file: `${home}.log` }],
  })
  servers.defer(async () => {
    child.kill('SIGTERM')
    await child
  })
}

async function ask(
  folder: string,
  confined: ConfinedCaddyConfig,
  streams: number | null,
): Promise<Answers> {
  const secure = portOf(secureListener(confined))
  const plain = confined.listeners.find((own) => own.redirectsOnly)
  const ca = readFileSync(join(folder, 'origin/storage/pki/authorities/local/root.crt'), 'utf8')
  const path = '/v1/stream/hostile'
  const statuses: Record<string, number> = {}
  if (streams !== null) {
    const created = await send({ port: streams, path, method: 'PUT', body: 'kept' })
    statuses.create = created.status
  }
  const read = await send({
    port: streams ?? secure,
    path: `${path}?offset=-1`,
    ...(streams === null && { ca }),
  })
  const redirect = await send({ port: portOf(plain?.local ?? ''), path })
  statuses.read = read.status
  statuses.redirect = redirect.status
  for (const page of ['/api/x', '/php/x.php', '/private/x']) {
    statuses[page] = (await send({ port: secure, path: page, ca })).status
  }
  return { statuses, stream: read.body, location: redirect.location }
}

function send({ port, path, method = 'GET', body, ca }: Ask): Promise<Answer> {
  const headers = { host, 'content-type': 'text/plain' }
  const target = { host: '127.0.0.1', port, path, method, headers, timeout: 10_000 }
  const request =
    ca === undefined ? httpRequest(target) : httpsRequest({ ...target, ca, servername: host })
  return new Promise((resolve, reject) => {
    request.on('timeout', () => request.destroy(new Error(`no answer from ${port}${path}`)))
    request.on('error', reject)
    request.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(parts).toString(),
          location: response.headers.location ?? '',
        }),
      )
    })
    request.end(body)
  })
}

function secureListener(confined: ConfinedCaddyConfig): string {
  return confined.listeners.find((own) => own.tls)?.local ?? ''
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1))
}

/** Waits until something accepts connections on a port, for 20 s at most. */
async function untilListening(port: number): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (performance.now() < deadlineMs) {
    if (await isOpen(port)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`Nothing listened on port ${port} within 20 s.`)
}

function isOpen(port: number, address = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address)
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

async function reachOut(): Promise<void> {
  writeFileSync('/etc/written-outside', 'x')
  await isOpen(443, '192.0.2.1')
  await isOpen(443, '2001:db8::1')
}

await main()
