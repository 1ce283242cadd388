/**
 * The origin of a world before its first start: the production server with the user's Caddyfile,
 * confined to loopback and to the run's folder, or the reference server.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { maxFileHandlesDefault } from './confine/caddy-capabilities.ts'
import { confineCaddyConfig, countListeners, type ConfinedCaddyConfig } from './confine/caddy-config.ts'
import { renderChanges, renderRefusals } from './confine/diff.ts'
import type { JsonObject } from './confine/json.ts'
import { HarnessError } from './errors.ts'
import type { Subject } from './gather.ts'
import type { HopIdentity } from './report/result.ts'
import type { Disk, LimitedVolume, Runtime, Service } from './runtime/runtime.ts'
import { keepCertificateFolders } from './services/certificate-folders.ts'
import { productionOrigin, withSettings } from './services/production-origin.ts'
import { referenceOrigin } from './services/reference-origin.ts'
import { sha256 } from './sha256.ts'
import { twinFileHandles, twinVariants } from './twins.ts'
import { variantById, withVariants } from './variants.ts'
import type { VariantPlace } from './variants/variant.ts'
import type { OriginCapabilities, OriginSettings, WorldNeeds } from './world.ts'

export interface WorldOptions {
  runtime: Runtime
  subject: Subject
  needs: WorldNeeds
  /** For configurations and other small evidence that stays in the run's folder. */
  folder: string
  /** Name of the world's temporary folder. */
  name: string
  readyWithinMs: number
}

/** What was changed in the user's files so that nothing reaches production. */
export interface FileChange {
  file: string
  diff: string
}

/** The origin, prepared: its service and what it can do. */
export interface PreparedOrigin {
  service(id: string, settings: OriginSettings, other?: { port?: number; dataDir?: string }): Promise<Service>
  port: number
  dataDir: string | null
  /** Null where data_dir is a folder like any other. */
  volume: LimitedVolume | null
  /** Null where it is on no disk of its own. */
  disk: Disk | null
  /** Where it tells its figures; null where it was not asked to, or cannot. */
  figuresSocket: string | null
  capabilities: OriginCapabilities
  /** What requests say in `Host`: a name the user's file serves streams under, where it names any. */
  authority: string
  /** Null where the origin's own configuration does not end TLS. */
  ownTls: OwnTls | null
  /** Where it can be reloaded; null where it cannot. */
  adminSocket: string | null
  /** What a reload to these settings loads. */
  configFor(settings: OriginSettings): JsonObject
  /** Where variants leave their traces. */
  place: VariantPlace
  identity: HopIdentity
  fileChanges: FileChange[]
}

/** TLS as the user's own Caddyfile ends it, with certificates of an internal CA. */
export interface OwnTls {
  port: number
  servername: string
  /** Where the same file speaks plain HTTP to the outside; null where it does not. */
  plainPort: number | null
  /** Caddy's storage, in which the CA's root is written at the first start. */
  storage: string
}

/** Makes the origin of a world ready to be started: its configuration confined, its ports leased. */
export async function prepareOrigin(options: WorldOptions, temporary: string): Promise<PreparedOrigin> {
  return options.subject.caddyfile ? prepareProduction(options, temporary) : prepareReference(options, temporary)
}

async function prepareProduction({ needs: wanted, ...options }: WorldOptions, temporary: string): Promise<PreparedOrigin> {
  const { runtime, subject } = options
  const needs = { origin: withFigures(wanted) }
  const adapted = subject.caddyfile!
  const server = subject.server as Extract<Subject['server'], { kind: 'production' }>
  const home = await subfolder(temporary, 'origin')
  const { dataDir, volume, disk } = await placeData({ ...options, needs: wanted }, temporary)
  const ports = await leasePorts(runtime, countListeners(adapted.json))
  const confined = confine(adapted.json, ports, home, dataDir)
  const listener = confined.capabilities.streamListeners[0]
  if (listener === undefined) throw new HarnessError(`${adapted.file}: no listener serves streams`)
  const port = portOf(listener)
  const streamBase = streamBaseOf(confined.capabilities.streamRoutes)
  const authority = subject.names[0] ?? `127.0.0.1:${port}`
  const place = { folder: home, port: await runtime.leasePort(), adminSocket: path.join(await runtime.socketFolder(), 'admin.sock') }
  const service: PreparedOrigin['service'] = async (id, settings, other = {}) => {
    const ownPorts = other.port === undefined ? ports : ports.map((own) => (own === port ? other.port! : own))
    const own = other.port === undefined && other.dataDir === undefined ? confined : confine(adapted.json, ownPorts, home, other.dataDir ?? dataDir)
    const config = configFor(own.config, { ...needs.origin, ...settings }, place)
    const configFile = path.join(options.folder, `${id}.json`)
    await writeFile(configFile, JSON.stringify(config, null, 1))
    const ownPort = other.port ?? port
    const beside = (settings.variants ?? needs.origin?.variants ?? []).flatMap((variant) => variantById(variant).listens?.(place) ?? [])
    const listening = [...own.listeners.map((each) => portOf(each.local)), ...beside]
    return productionOrigin({
      id,
      program: server.path,
      configFile,
      ports: [...new Set(listening)],
      port: ownPort,
      folder: home,
      streamBase,
      authority,
      readyWithinMs: options.readyWithinMs,
    })
  }
  return {
    service,
    port,
    dataDir: confined.capabilities.dataDirSet ? dataDir : null,
    volume,
    disk,
    figuresSocket: wanted.figures === true ? place.adminSocket : null,
    authority,
    ownTls: await ownTlsOf(confined, subject.names, path.join(home, 'storage')),
    adminSocket: confined.capabilities.adminEnabled ? place.adminSocket : null,
    configFor: (settings) => configFor(confined.config, { ...needs.origin, ...settings }, place),
    place,
    capabilities: { ...capabilitiesOf(confined, needs.origin), streamBase },
    identity: {
      id: 'origin',
      kind: 'durable-streams-server',
      version: server.version,
      sha256: server.sha256,
      configSha256: sha256(JSON.stringify(adapted.json)),
      source: `${server.source}, ${server.label}; ${adapted.isDefault ? 'caddy/Caddyfile' : adapted.file}`,
    },
    fileChanges: adapted.isDefault ? [] : [{ file: adapted.file, diff: diffOf(adapted.file, confined) }],
  }
}

function withFigures({ origin = {}, figures = false }: WorldNeeds): OriginSettings {
  return figures ? { ...origin, variants: [...(origin.variants ?? []), 'admin-api'] } : origin
}

/** What the file says, but where the scenario has settings of its own. */
function capabilitiesOf({ capabilities }: ConfinedCaddyConfig, settings: OriginSettings = {}): Omit<OriginCapabilities, 'streamBase'> {
  return {
    variants: 'every',
    reload: capabilities.adminEnabled,
    dataDir: capabilities.dataDirSet,
    maxFileHandles: capabilities.maxFileHandles ?? maxFileHandlesDefault,
    longPollTimeoutMs: settings.longPollTimeoutMs ?? capabilities.longPollTimeoutMs,
    sseReconnectMs: settings.sseReconnectMs ?? capabilities.sseReconnectIntervalMs,
  }
}

/** The confined file with a scenario's settings, and with the variants that it switches on. */
function configFor(confined: JsonObject, settings: OriginSettings, place: VariantPlace): JsonObject {
  return withVariants(withSettings(confined, settings) as JsonObject, settings.variants ?? [], place)
}

/** The folder of data_dir, on a volume or a disk of its own where the scenario needs one. */
async function placeData({ runtime, needs, name }: WorldOptions, temporary: string) {
  const { dataVolumeBytes, dataDiskBytes } = needs
  const volume = dataVolumeBytes === undefined ? null : await runtime.limitedVolume(`${name}-volume`, dataVolumeBytes)
  const disk = dataDiskBytes === undefined ? null : await runtime.disk(`${name}-disk`, dataDiskBytes)
  return { dataDir: path.join((volume ?? disk)?.path ?? temporary, 'data'), volume, disk }
}

async function ownTlsOf({ listeners, capabilities }: ConfinedCaddyConfig, names: readonly string[], storage: string): Promise<OwnTls | null> {
  const [name] = names
  const secure = listeners.find((own) => own.tls && !own.madeForTheRun && capabilities.streamListeners.includes(own.local))
  if (secure === undefined || name === undefined) return null
  await keepCertificateFolders(storage, names)
  const plain = listeners.find((own) => !own.tls && !own.madeForTheRun)
  return { port: portOf(secure.local), servername: name, plainPort: plain ? portOf(plain.local) : null, storage }
}

/** What confinement changed in a Caddyfile, and what of it is not reached. */
export function diffOf(file: string, confined: ConfinedCaddyConfig): string {
  return [renderChanges(file, confined.changes), renderRefusals(confined.refused)].filter(Boolean).join('\n')
}

function confine(json: JsonObject, ports: number[], home: string, dataDir: string): ConfinedCaddyConfig {
  return confineCaddyConfig(json, {
    listen: (n) => `127.0.0.1:${ports[n]!}`,
    dataDir,
    storageDir: path.join(home, 'storage'),
    logDir: path.join(home, 'logs'),
    adminSocket: null,
  })
}

/** '/v1/stream/*' serves below '/v1/stream/'; '/*' anywhere, so the usual place is taken. */
function streamBaseOf(routes: string[]): string {
  const route = routes[0] ?? '/*'
  const base = route.replace(/\*+$/, '')
  return base === '/' ? '/v1/stream/' : base.endsWith('/') ? base : `${base}/`
}

async function prepareReference(options: WorldOptions, temporary: string): Promise<PreparedOrigin> {
  const { runtime, needs, subject } = options
  const home = await subfolder(temporary, 'origin')
  const { dataDir, volume, disk } = await placeData(options, temporary)
  const port = await runtime.leasePort()
  const longPollTimeoutMs = needs.origin?.longPollTimeoutMs ?? 30_000
  const sseReconnectMs = 60_000
  const maxFileHandles = twinFileHandles()
  const variants = twinVariants()
  const place = { folder: home, port: 0, adminSocket: path.join(await runtime.socketFolder(), 'admin.sock') }
  const adminSocket = variants === null ? null : place.adminSocket
  return {
    adminSocket,
    configFor: (settings) => ({ variants: settings.variants ?? [] }),
    place,
    service: async (id, settings, other = {}) =>
      referenceOrigin({
        id,
        port: other.port ?? port,
        dataDir: other.dataDir ?? dataDir,
        folder: home,
        longPollTimeoutMs: settings.longPollTimeoutMs ?? longPollTimeoutMs,
        sseReconnectMs: settings.sseReconnectMs ?? needs.origin?.sseReconnectMs ?? sseReconnectMs,
        maxFileHandles: maxFileHandles === null ? null : (settings.maxFileHandles ?? needs.origin?.maxFileHandles ?? maxFileHandles),
        variants: settings.variants ?? needs.origin?.variants ?? [],
        adminSocket,
        readyWithinMs: options.readyWithinMs,
      }),
    port,
    dataDir,
    volume,
    disk,
    figuresSocket: null,
    authority: `127.0.0.1:${port}`,
    ownTls: null,
    capabilities: {
      variants: variants ?? [],
      reload: variants !== null,
      dataDir: true,
      maxFileHandles,
      longPollTimeoutMs,
      sseReconnectMs,
      streamBase: '/v1/stream/',
    },
    identity: {
      id: 'origin',
      kind: 'reference-server',
      version: subject.server.version,
      sha256: null,
      configSha256: null,
      source: 'npm package @durable-streams/server, file-backed',
    },
    fileChanges: [],
  }
}

export async function leasePorts(runtime: Runtime, count: number): Promise<number[]> {
  const ports: number[] = []
  for (let n = 0; n < count; n += 1) ports.push(await runtime.leasePort())
  return ports
}

export async function subfolder(parent: string, name: string): Promise<string> {
  const folder = path.join(parent, name)
  await mkdir(folder, { recursive: true })
  return folder
}

/** The port of `host:port`. */
export function portOf(address: string): number {
  return Number(address.split(':').at(-1))
}
