/** docker-compose.yml against the harness that it must not drift from; started once where that can be. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { varnishEdge } from '../harness/edges/varnish/service.ts'
import { varnish } from '../harness/edges/varnish/varnish.ts'
import { parseVarnishdParameters } from '../harness/edges/varnish/varnishd-parameters.ts'
import { publicTags } from '../harness/runtime/images/public-images.ts'
import { volumeFolder } from '../harness/runtime/images/recipes.ts'
import { openPortLeases } from '../harness/runtime/ports.ts'
import type { Service } from '../harness/runtime/runtime.ts'
import { productionOrigin } from '../harness/services/production-origin.ts'
import { tlsEdge } from '../harness/services/tls-edge.ts'
import { until } from '../harness/until.ts'
import { engine, imagesForTests } from './runtime/engine-for-tests.ts'

const root = path.resolve(import.meta.dirname, '..')
const text = (file: string) => readFileSync(path.join(root, file), 'utf8')

interface ComposeService {
  image: string
  command: string[]
  network_mode?: string
  volumes: string[]
  stop_signal: string
  stop_grace_period: string
  healthcheck?: object
  ports?: string[]
}

const compose = parse(text('docker-compose.yml')) as { services: Record<'namespace' | 'origin' | 'cache' | 'edge', ComposeService>; volumes: object }
const { namespace, origin, cache, edge } = compose.services

describe('docker-compose.yml', () => {
  test('starts the services of the simulation, all in one namespace', () => {
    expect(Object.keys(compose.services)).toEqual(['namespace', 'origin', 'cache', 'edge'])
    for (const service of [origin, cache, edge]) expect(service.network_mode).toBe('service:namespace')
    for (const service of [namespace, cache]) expect(service.healthcheck).toBeDefined()
  })

  test('takes the public images by the tags of the one file', () => {
    expect(defaultOf(namespace.image)).toBe(publicTags.node)
    expect(defaultOf(cache.image)).toBe(varnish.image.tag)
    expect(defaultOf(edge.image)).toBe(publicTags.caddy)
    const reference = parse(text('docker-compose.reference.yml')) as { services: { origin: ComposeService } }
    expect(defaultOf(reference.services.origin.image)).toBe(publicTags.node)
  })

  test('mounts the very files that are judged by default, and keeps data_dir in a volume', () => {
    expect(origin.volumes).toEqual(['./caddy/Caddyfile:/etc/caddy/Caddyfile:ro', `data:${volumeFolder}`])
    expect(text('caddy/Caddyfile')).toContain(`data_dir ${volumeFolder}\n`)
    expect(compose.volumes).toHaveProperty('data')
    expect(cache.volumes).toEqual(['./varnish/recommended.vcl:/etc/varnish/default.vcl:ro'])
    expect(edge.volumes).toEqual(['./caddy/tls-edge.Caddyfile:/etc/caddy/tls-edge.Caddyfile:ro'])
  })

  test("starts each as the harness does, but for addresses and the run's own folders", () => {
    const source = text('varnish/recommended.vcl')
    const parameters = [...parseVarnishdParameters(source)]
    const own = varnishEdge({ id: 'edge', varnishd: '', vclFile: '/etc/varnish/default.vcl', port: 6081, folder: '/tmp/varnish', parameters, storageMebibytes: 256 })
    expect(cache.command).toEqual(own.args.map((arg) => (arg === '127.0.0.1:6081' ? ':6081' : arg)))
    expectSameEnd(cache, own)
    const caddy = { id: '', program: '', port: 1, ports: [1], folder: '/' }
    const server = productionOrigin({ ...caddy, configFile: '/etc/caddy/Caddyfile', streamBase: '/', authority: '', readyWithinMs: 1 })
    expect(origin.command).toEqual([...server.args, '--adapter', 'caddyfile'])
    expectSameEnd(origin, server)
    const ending = tlsEdge({ ...caddy, configFile: '/etc/caddy/tls-edge.Caddyfile' })
    expect(edge.command).toEqual([...ending.args, '--adapter', 'caddyfile'])
    expectSameEnd(edge, ending)
  })

  test('publishes, on loopback only, the ports that the files listen on', () => {
    const inside = namespace.ports!.map((port) => /^127\.0\.0\.1:\$\{\w+:-\d+\}:(\d+)$/.exec(port)?.[1])
    expect(inside).toEqual(['443', '80', '6081', '4437'])
    expect(text('caddy/Caddyfile')).toContain('http://:4437 {')
    expect(text('varnish/recommended.vcl')).toMatch(/\.port = "4437"/)
    expect(text('caddy/tls-edge.Caddyfile')).toContain('{$TLS_EDGE_UPSTREAM:127.0.0.1:6081}')
  })
})

/** '${NAME:-value}' */
function defaultOf(image: string): string {
  return /^\$\{\w+:-(.*)\}$/.exec(image)![1]!
}

function expectSameEnd(service: ComposeService, own: Service): void {
  expect(service.stop_signal).toBe(own.stopSignal)
  expect(service.stop_grace_period).toBe(`${own.stopGraceMs / 1_000}s`)
}

/** The current plugin, else the older program of its own; null without either. */
const composeProgram = await (async () => {
  for (const words of [['docker', 'compose'], ['docker-compose']]) {
    const { failed } = await execa(words[0]!, [...words.slice(1), 'version'], { reject: false, timeout: 20_000 })
    if (!failed) return words
  }
  console.warn('SKIPPED, the world of docker-compose.yml was not started: there is neither "docker compose" nor docker-compose.')
  return null
})()

const startMsMax = 600_000

test.skipIf(engine === null || composeProgram === null)('the world of docker-compose.yml answers through its TLS edge', { timeout: startMsMax }, async () => {
  const { docker } = engine!
  const images = await imagesForTests()
  const leases = openPortLeases()
  const edgePort = await leases.lease()
  const env = {
    COMPOSE_PROJECT_NAME: `durable-streams-compose-test-${process.pid}`,
    COMPOSE_FILE: 'docker-compose.yml:docker-compose.reference.yml',
    ORIGIN_IMAGE: images.origin.reference,
    NODE_IMAGE: images.node.reference,
    VARNISH_IMAGE: images.edge.reference,
    CADDY_IMAGE: images.caddy.reference,
    CADDY_PROGRAM: images.caddy.program,
    EDGE_PORT: String(edgePort),
    PLAIN_PORT: String(await leases.lease()),
    CACHE_PORT: String(await leases.lease()),
    ORIGIN_PORT: String(await leases.lease()),
  }
  await leases.release()
  const run = (...args: string[]) => execa(composeProgram![0]!, [...composeProgram!.slice(1), ...args], { cwd: root, env, all: true, timeout: 120_000 })
  try {
    await run('up', '--detach')
    const health = async () => (await run('ps', '--quiet', 'namespace')).stdout.trim()
    const isHealthy = async () => (await docker.getContainer(await health()).inspect()).State.Health?.Status === 'healthy'
    await until(isHealthy, { for: 'the world to be healthy', timeoutMs: 110_000, everyMs: 500 })
    const url = `https://localhost:${edgePort}/v1/stream/${process.pid}`
    expect(await curl(['-X', 'PUT', '-H', 'content-type: text/plain', url])).toBe('201')
    expect(await curl(['-X', 'POST', '-H', 'content-type: text/plain', '-d', 'poked', url])).toMatch(/^20[04]$/)
    expect((await execa('curl', ['-sk', `${url}?offset=-1`])).stdout).toBe('poked')
  } finally {
    await run('down', '--volumes', '--timeout', '2')
  }
})

/** Its status. */
async function curl(args: string[]): Promise<string> {
  return (await execa('curl', ['-sk', '-o', '/dev/null', '-w', '%{http_code}', ...args], { timeout: 20_000 })).stdout
}
