/**
 * Opens a world for one scenario: origin, tap, cache and TLS edge, in this order, each ready before
 * the next is started. Closing it stops them in reverse.
 */
import { existsSync, type Dirent } from 'node:fs'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { confineCaddyConfig, countListeners } from './confine/caddy-config.ts'
import { renderChanges } from './confine/diff.ts'
import type { PreparedEdge } from './edges/edge.ts'
import { copyDataDir } from './data-dir/copy.ts'
import { flipAByte, recordsOnDisk, type Damage, type SoughtRecord } from './data-dir/flip-a-byte.ts'
import { leaveACrash } from './data-dir/leave-a-crash.ts'
import { HarnessError } from './errors.ts'
import { CapabilityMissing } from './step.ts'
import { reloadCaddy } from './operate/reload.ts'
import { replaceCertificate, type TlsEdgeInHand } from './operate/replace-certificate.ts'
import { traceOf } from './operate/trace.ts'
import { faultWords } from './report/figures.ts'
import { variantById } from './variants.ts'
import type { Crowd, HopId, HopUsage, LinkId, UsageLook, Via } from './history.ts'
import { launchClient, type ClientProgram } from './load/client/launch.ts'
import { runFleet } from './load/fleet/launch.ts'
import { hostCanHold } from './load/fleet/limits.ts'
import type { Endpoint } from './operations.ts'
import { diffOf, leasePorts, portOf, prepareOrigin, subfolder, type FileChange, type PreparedOrigin, type WorldOptions } from './prepare-origin.ts'
import type { HopIdentity } from './report/result.ts'
import { openFaultProxy, type FaultProxy } from './services/fault-proxy/fault-proxy-client.ts'
import { browserService } from './services/browser.ts'
import { keepCertificateFolders } from './services/certificate-folders.ts'
import type { Disk, ImageIdentity, ImageRole, LimitedVolume, Running, Service, StartOutcome, Usage } from './runtime/runtime.ts'
import { askFigures } from './services/origin-figures.ts'
import { openTap, type Tap } from './services/tap/tap-client.ts'
import { tlsEdge } from './services/tls-edge.ts'
import { sha256 } from './sha256.ts'
import { hopWords } from './hop-words.ts'
import { until } from './until.ts'
import type { HopLimits, HopPaused, OriginCapabilities, OriginSettings, Routine, RoutineOutcome, World, WorldBrowser, WorldLink, WorldNeeds } from './world.ts'

export interface OpenedWorld {
  world: World
  fileChanges: FileChange[]
}

/**
 * Opens the world. Throws HarnessError where a hop that is not the subject of a scenario does not
 * start; the origin's first start is the caller's, by `start('origin')`.
 */
export async function openWorld(options: WorldOptions): Promise<OpenedWorld> {
  const { runtime, needs } = options
  const temporary = await runtime.temporaryFolder(options.name)
  const prepared = await prepareOrigin(options, temporary)
  if (needs.copiedDataDir) await copyGiven(options, prepared)
  const tap = await openTap(runtime, { id: `${options.name}.tap`, upstreamPort: prepared.port, numbers: needs.numbersResponses ?? false })
  const world = new RunningWorld(options, prepared, tap, temporary)
  try {
    await world.open(needs)
  } catch (error) {
    await world[Symbol.asyncDispose]()
    throw error
  }
  return { world, fileChanges: [...prepared.fileChanges, ...world.fileChanges] }
}

/** The origin's first start finds what the user gave; a plan has such a world only where something was given. */
async function copyGiven({ subject }: WorldOptions, { dataDir }: PreparedOrigin): Promise<void> {
  if (subject.dataDir === null) throw new HarnessError('no data_dir was given to copy (--data-dir-from)')
  if (dataDir === null) throw new HarnessError('the Caddyfile sets no data_dir, so that its server would not open the copy')
  await copyDataDir(subject.dataDir.folder, dataDir)
}

/** Descriptors a reader costs each hop it passes: over h2 the TLS edge has one a reader towards the cache. */
const passing: Record<Crowd['path'], [HopId, number][]> = {
  'edge-http1': [['edge', 1]],
  'tls-h2': [['edge', 1], ['tls', 1.01]],
  direct: [['origin', 1]],
}

const secondServerWithinMs = 5_000
/** A first start writes a profile. */
const browserWithinMs = 60_000
const neverPrinted = '\u0000'

class RunningWorld implements World {
  readonly capabilities: OriginCapabilities
  readonly identities: HopIdentity[] = []
  readonly storedStreams: World['storedStreams']
  readonly fileChanges: FileChange[] = []
  #options: WorldOptions
  #origin: PreparedOrigin
  #tap: Tap
  #clientsLink: Tap | null = null
  #temporary: string
  #services = new Map<HopId, Service>()
  #running = new Map<HopId, Running>()
  #starts = new Map<HopId, number>()
  #endpoints = new Map<Via, Endpoint>()
  #edge: PreparedEdge | null = null
  #faultProxy: FaultProxy | null = null
  #clients = 0
  /** How often its data_dir was given up. */
  #replaced = 0
  #tls: Omit<TlsEdgeInHand, 'endpoint'> | null = null
  /** Switched on at the origin's last start or reload. */
  #variants: readonly string[] = []
  #browser: Promise<WorldBrowser> | null = null
  #browserRunning: Running | null = null

  constructor(options: WorldOptions, origin: PreparedOrigin, tap: Tap, temporary: string) {
    this.#options = options
    this.#origin = origin
    this.#tap = tap
    this.#temporary = temporary
    this.capabilities = origin.capabilities
    this.storedStreams = (options.needs.copiedDataDir && options.subject.dataDir?.streams) || []
    this.identities.push(inImage(origin.identity, options.runtime.image(options.subject.caddyfile ? 'origin' : 'node')))
    const { authority } = origin
    this.#endpoints.set('origin', { url: `http://127.0.0.1:${origin.port}`, authority })
    this.#endpoints.set('direct', { url: `http://127.0.0.1:${tap.port}`, authority })
  }

  /** Prepares every hop the scenario needs and starts all but the origin, which comes first by `start`. */
  async open(needs: WorldNeeds): Promise<void> {
    if (needs.hops.includes('edge')) await this.#prepareEdge()
    if (needs.links?.includes('clients-edge')) await this.#prepareLink()
    if (needs.hops.includes('tls')) await this.#prepareTls(needs)
  }

  async #prepareEdge(): Promise<void> {
    const { runtime, subject, folder, name, needs } = this.#options
    const { kind, program } = subject.edge
    const config = needs.edge === 'stock' ? { ...subject.edge.stock, isDefault: true } : subject.edge.config
    const port = await runtime.leasePort()
    const prepared = await kind.prepare({
      id: `${name}.edge`,
      program,
      config,
      port,
      upstreamPort: this.#tap.port,
      managementPort: needs.operated ? await runtime.leasePort() : null,
      folder: await subfolder(this.#temporary, 'edge'),
      configFolder: folder,
    })
    this.#edge = prepared
    if (!config.isDefault) this.fileChanges.push({ file: config.file, diff: renderChanges(config.file, prepared.changes) })
    this.#services.set('edge', prepared.service)
    this.#endpoints.set('edge', { url: `http://127.0.0.1:${port}`, authority: this.#origin.authority })
    const identity = {
      id: 'edge',
      kind: kind.id,
      version: program.version,
      sha256: program.sha256,
      configSha256: sha256(config.source),
      source: config.isDefault ? kind.config.recommended : config.file,
    }
    await this.#startOrThrow('edge')
    // The control is not among the hops that are judged.
    if (needs.edge === 'stock') return
    await this.#identify(identity, 'edge', [program.path, ...prepared.versionArgs])
  }

  /** Clients that go to the cache go through a tap of their own, which can be cut. */
  async #prepareLink(): Promise<void> {
    const { runtime, name } = this.#options
    const { url, ...edge } = this.endpoint('edge')
    this.#clientsLink = await openTap(runtime, { id: `${name}.link`, upstreamPort: Number(new URL(url).port) })
    this.#endpoints.set('edge', { ...edge, url: `http://127.0.0.1:${this.#clientsLink.port}` })
  }

  async #prepareTls(needs: WorldNeeds): Promise<void> {
    const { runtime, subject, folder } = this.#options
    const home = await subfolder(this.#temporary, 'tls')
    const [storage, adminSocket] = [path.join(home, 'storage'), path.join(await runtime.socketFolder(), 'admin.sock')]
    const ports = await leasePorts(runtime, countListeners(subject.tlsEdge.json))
    const edge = new URL(this.#endpoints.get('edge')!.url)
    const faultPort = needs.faultProxy ? await runtime.leasePort() : null
    const upstream = faultPort === null ? edge.host : `127.0.0.1:${faultPort}`
    const confined = confineCaddyConfig(subject.tlsEdge.json, {
      listen: (n) => `127.0.0.1:${ports[n]!}`,
      dataDir: home,
      storageDir: storage,
      logDir: home,
      upstreams: () => upstream,
      adminSocket: needs.operated ? adminSocket : null,
    })
    const { file, isDefault } = subject.tlsEdge
    if (!isDefault) this.fileChanges.push({ file, diff: diffOf(file, confined) })
    const configFile = path.join(folder, 'tls-edge.json')
    await writeFile(configFile, JSON.stringify(confined.config, null, 1))
    this.#tls = { config: confined.config, adminSocket, storage, folder: home }
    const secure = confined.listeners.find((listener) => listener.tls)
    const plain = confined.listeners.find((listener) => !listener.tls)
    if (!secure) throw new HarnessError(`the TLS edge of ${file} has no listener with TLS`)
    const port = portOf(secure.local)
    const used = [...new Set(confined.listeners.map((listener) => portOf(listener.local)))]
    this.#services.set('tls', tlsEdge({ id: `${this.#options.name}.tls`, program: subject.caddy.path, configFile, port, ports: used, folder: home }))
    const servername = secure.hosts[0] ?? 'localhost'
    if (faultPort !== null) {
      const plan = { httpPort: faultPort, upstreamPort: Number(edge.port), tlsPort: port, servername }
      this.#faultProxy = await openFaultProxy(runtime, `${this.#options.name}.fault-proxy`, plan)
    }
    await keepCertificateFolders(storage, confined.listeners.flatMap(({ tls, hosts }) => (tls ? hosts : [])))
    await this.#startOrThrow('tls')
    const caPem = await internalCa(storage)
    // Names of the user's are asked for as on port 443; "localhost" is asked for where it listens.
    const authority = subject.names.length > 0 ? servername : `${servername}:${port}`
    this.#endpoints.set('tls', { url: `https://127.0.0.1:${port}`, authority, tls: { caPem, servername } })
    if (plain) this.#endpoints.set('plain', { url: `http://127.0.0.1:${portOf(plain.local)}`, authority: servername })
    const identity = {
      id: 'tls',
      kind: 'caddy',
      version: subject.caddy.version,
      sha256: subject.caddy.sha256,
      configSha256: sha256(JSON.stringify(subject.tlsEdge.json)),
      source: `${subject.caddy.source}; ${subject.tlsEdge.isDefault ? 'caddy/tls-edge.Caddyfile' : subject.tlsEdge.file}`,
    }
    await this.#identify(identity, 'caddy', [subject.caddy.path, 'version'])
  }

  /** A program of an image's own is asked who it is: the host's of that name may be another one. */
  async #identify(identity: HopIdentity, role: ImageRole, [program, ...args]: [string, ...string[]]): Promise<void> {
    const { runtime, name } = this.#options
    const image = runtime.image(role)
    if (image === null || image.programSha256 === identity.sha256) return void this.identities.push(inImage(identity, image))
    const { stdout, stderr } = await runtime.run(program, args, { timeoutMs: 10_000, beside: `${name}.${identity.id}` })
    const version = /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'unknown'
    this.identities.push(inImage({ ...identity, version, sha256: null }, image))
  }

  /** Cache and TLS edge are the harness's own choice of program: if they do not start, it is our fault. */
  async #startOrThrow(hop: HopId): Promise<void> {
    const outcome = await this.start(hop)
    if (outcome.ready) return
    throw new HarnessError(`The ${hop} did not start: ${outcome.because}\n${outcome.lastLogLines.slice(-8).join('\n')}`)
  }

  has(hop: HopId): boolean {
    return hop === 'origin' || this.#services.has(hop)
  }

  reaches(via: Via): boolean {
    return this.#endpoints.has(via)
  }

  endpoint(via: Via): Endpoint {
    const endpoint = this.#endpoints.get(via)
    if (!endpoint) throw new HarnessError(`this world has no way "${via}"`)
    const headers = credentialsOf(this.#variants)
    return headers === undefined ? endpoint : { ...endpoint, headers }
  }

  async start(hop: HopId, settings: OriginSettings = {}): Promise<StartOutcome> {
    const variants = settings.variants ?? this.#options.needs.origin?.variants ?? []
    if (hop === 'origin') this.#switchOn(variants)
    const service = hop === 'origin' ? await this.#origin.service(`${this.#options.name}.origin`, settings, this.#fresh()) : this.#services.get(hop)
    if (!service) throw new HarnessError(`this world has no hop "${hop}"`)
    const limitable = this.#options.needs.limited?.includes(hop) ?? false
    const outcome = await this.#options.runtime.start(limitable ? { ...service, limitable } : service)
    if (outcome.ready) {
      this.#running.set(hop, outcome.running)
      this.#starts.set(hop, (this.#starts.get(hop) ?? 0) + 1)
    }
    if (outcome.ready && hop === 'origin') await this.#reachOwnTls()
    return outcome
  }

  #switchOn(variants: readonly string[]): void {
    const { variants: possible } = this.capabilities
    const missing = possible === 'every' ? [] : variants.filter((id) => !possible.includes(id))
    if (missing.length > 0) throw new CapabilityMissing(`This origin has no Caddyfile: it cannot run ${missing.map((id) => variantById(id).words).join(' and ')}.`)
    this.#variants = variants
  }

  async operate(routine: Routine): Promise<RoutineOutcome> {
    const { runtime } = this.#options
    if (routine.kind === 'reload') return this.#reload(routine.settings, routine.force)
    if (routine.kind === 'certificate-replacement') return replaceCertificate({ ...this.#tls!, endpoint: this.endpoint('tls') })
    const act = this.#edge?.routines?.[routine.kind]
    if (act === undefined) throw new CapabilityMissing(`This cache knows no ${faultWords(routine.kind)} while it runs.`)
    return act(runtime)
  }

  async #reload(settings: OriginSettings, force: boolean): Promise<RoutineOutcome> {
    const { adminSocket } = this.#origin
    if (adminSocket === null) throw new CapabilityMissing(this.capabilities.variants === 'every' ? 'The Caddyfile turns the admin API off: a changed configuration needs a restart.' : 'This origin takes no changed configuration while it runs.')
    const outcome = await reloadCaddy(adminSocket, this.#origin.configFor(settings), { force })
    if (outcome.proven) this.#variants = settings.variants ?? this.#options.needs.origin?.variants ?? []
    return outcome
  }

  traceOf(variant: string, streamPath: string): Promise<RoutineOutcome> {
    return traceOf(variantById(variant), { endpoint: this.endpoint('origin'), place: this.#origin.place, streamPath })
  }

  /** The way to the origin over TLS as the user's file ends it. Its CA is there from the first start on. */
  async #reachOwnTls(): Promise<void> {
    const { ownTls } = this.#origin
    if (ownTls === null || this.#endpoints.has('origin-tls')) return
    const { port, servername, plainPort, storage } = ownTls
    const tls = { caPem: await internalCa(storage), servername }
    this.#endpoints.set('origin-tls', { url: `https://127.0.0.1:${port}`, authority: servername, tls })
    if (plainPort !== null) this.#endpoints.set('origin-plain', { url: `http://127.0.0.1:${plainPort}`, authority: servername })
  }

  async stop(hop: HopId, options?: Parameters<World['stop']>[1]) {
    const { exit, tookMs, killed } = await this.#need(hop).stop(options)
    this.#running.delete(hop)
    return { tookMs, killed, code: exit.code }
  }

  async kill(hop: HopId): Promise<void> {
    await this.#need(hop).kill()
    this.#running.delete(hop)
  }

  async pause(hop: HopId): Promise<HopPaused> {
    const running = this.#need(hop)
    await running.pause()
    const before = await running.usage()
    return {
      cpuMs: async () => (await running.usage()).cpuMs - before.cpuMs,
      resume: () => running.resume(),
    }
  }

  limits(hop: HopId): HopLimits {
    const running = this.#need(hop)
    return { set: (limits) => running.limit(limits), counters: () => running.limitCounters() }
  }

  link(id: LinkId): WorldLink {
    const tap = id === 'edge-origin' ? this.#tap : this.#clientsLink
    if (tap === null) throw new HarnessError(`this world has no link "${id}"`)
    return { set: (state) => tap.link(state), counters: () => tap.link() }
  }

  dataVolume(): LimitedVolume {
    const { volume } = this.#origin
    if (volume === null) throw new HarnessError('this world has no volume of its own for data_dir')
    return volume
  }

  dataDisk(): Disk {
    const { disk } = this.#origin
    if (disk === null) throw new HarnessError('this world has no disk of its own for data_dir')
    return disk
  }

  #need(hop: HopId): Running {
    const running = this.#running.get(hop)
    if (!running) throw new HarnessError(`${hop} is not running`)
    return running
  }

  async usage(hop: HopId) {
    const running = this.#running.get(hop)
    if (!running?.isRunning()) return null
    return running.usage(hop === 'origin' && this.#dataDir ? this.#dataDir : undefined)
  }

  async usages(): Promise<Omit<UsageLook, 'kind'>> {
    const hops: UsageLook['hops'] = {}
    const looked = [{ id: 'tap' as const, one: this.#tap, start: 1 }, ...[...this.#running].map(([id, one]) => ({ id, one, start: this.#starts.get(id)! }))]
    for (const { id, one, start } of looked) {
      const usage = await one.usage()
      // One that has just ended has no processes.
      if (usage.processes > 0) hops[id] = usedOf(usage, start)
    }
    return { hops, loopbackBytes: await this.#options.runtime.loopbackBytes() }
  }

  async startSecond(on: 'data-dir' | 'port') {
    const { runtime } = this.#options
    const other =
      on === 'data-dir'
        ? { port: await runtime.leasePort() }
        : { dataDir: path.join(this.#temporary, 'second-data') }
    const service = await this.#origin.service(`${this.#options.name}.second-on-${on}`, {}, other)
    // On the shared port a probe would be answered by the first server: only its own end counts.
    const probe = on === 'port' ? { ready: { kind: 'line' as const, text: neverPrinted }, ports: [] } : {}
    const { stackSignal: _none, ...plain } = service
    const outcome = await runtime.start({ ...plain, ...probe, readyWithinMs: secondServerWithinMs })
    const logLines = outcome.ready ? await outcome.running.lastLogLines(20) : outcome.lastLogLines
    if (outcome.ready) await outcome.running.kill()
    return { outcome, logLines }
  }

  async lastLogLines(hop: HopId, linesMax: number): Promise<string[]> {
    return this.#running.get(hop)?.lastLogLines(linesMax) ?? []
  }

  markTap(): Promise<number> {
    return this.#tap.mark()
  }

  async tapSince(mark: number) {
    const tally = await this.#tap.since(mark)
    const odd = tally.opaque.odd + tally.opaque.upgraded
    const doubts = [tally.because, odd > 0 ? `${odd} connections spoke something else than HTTP/1.1` : ''].filter(Boolean)
    return { requests: tally.requests, total: tally.total, doubt: doubts.join('; ') }
  }

  tapInFlight(targetPrefix: string): Promise<number> {
    return this.#tap.inFlight(targetPrefix)
  }

  tapResponses(path: string) {
    return this.#tap.responses(path)
  }

  async cacheCounters() {
    return this.#edge?.counters(this.#options.runtime) ?? null
  }

  async dataDirBytes(): Promise<number | null> {
    return this.#dataDir === null ? null : allocatedBytes(this.#dataDir)
  }

  async originFigures() {
    const { figuresSocket } = this.#origin
    return figuresSocket === null || !this.#running.get('origin')?.isRunning() ? null : askFigures(figuresSocket)
  }

  async leaveACrash(mark: string, data: Buffer, written: 'half' | 'whole') {
    return this.#dataDir === null ? null : leaveACrash(this.#dataDir, mark, data, written)
  }

  async flipAByte(sought: SoughtRecord, damage: Damage) {
    return this.#dataDir === null ? null : flipAByte(this.#dataDir, sought, damage)
  }

  async recordsOnDisk(sought: readonly SoughtRecord[]) {
    return this.#dataDir === null ? new Set<string>() : recordsOnDisk(this.#dataDir, sought)
  }

  replaceDataDir(): void {
    this.#replaced += 1
  }

  /** Where the origin stores, if that is not where it began. */
  #fresh(): { dataDir?: string } {
    return this.#origin.dataDir === null || this.#replaced === 0 ? {} : { dataDir: `${this.#origin.dataDir}-${this.#replaced + 1}` }
  }

  get #dataDir(): string | null {
    return this.#fresh().dataDir ?? this.#origin.dataDir
  }

  places() {
    const caFile = this.#tls === null ? null : caFileIn(this.#tls.storage)
    return { dataDir: this.#dataDir, adminSocket: this.#origin.figuresSocket ?? this.#origin.place.adminSocket, caFile }
  }

  faultProxy(): FaultProxy {
    if (this.#faultProxy === null) throw new HarnessError('this world has no fault proxy')
    return this.#faultProxy
  }

  async startClient(): Promise<ClientProgram> {
    const { runtime, folder, name } = this.#options
    const { caPem, servername } = this.endpoint('tls').tls!
    const caFile = path.join(folder, 'clients-trust.pem')
    await writeFile(caFile, `${caPem}\n${this.#faultProxy?.caPem ?? ''}`)
    this.#clients += 1
    return launchClient(runtime, `${name}.client-${this.#clients}`, { caFile, hosts: [servername] })
  }

  async readers(plan: Parameters<World['readers']>[0], onMilestone: Parameters<World['readers']>[1]) {
    return runFleet(this.#options.runtime, plan, onMilestone)
  }

  browser(): Promise<WorldBrowser> {
    this.#browser ??= this.#startBrowser()
    return this.#browser
  }

  async #startBrowser(): Promise<WorldBrowser> {
    const { runtime, subject, name } = this.#options
    if ('missing' in subject.browser) return subject.browser
    const { path: program, version } = subject.browser
    const port = await runtime.leasePort()
    const folder = await subfolder(this.#temporary, 'browser')
    const outcome = await runtime.start(browserService({ id: `${name}.browser`, program, port, folder, readyWithinMs: browserWithinMs }))
    if (!outcome.ready) return { missing: `${version} (${program}) did not start: ${outcome.because}` }
    this.#browserRunning = outcome.running
    return { devtoolsUrl: `http://127.0.0.1:${port}`, version }
  }

  async converse(id: string, file: string, args: string[]) {
    return this.#options.runtime.converse(`${this.#options.name}.${id}`, process.execPath, [file, ...args])
  }

  async crowdLimit(way: Crowd['path']) {
    const loads = await Promise.all(passing[way].map(async ([hop, descriptorsPerReader]) => {
      const usage = await this.usage(hop)
      return usage === null ? [] : [{ id: hopWords[hop], ...usage, descriptorsPerReader }]
    }))
    return hostCanHold(loads.flat(), { fleetDescriptorsPerReader: way === 'tls-h2' ? 0.01 : 1 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#browserRunning?.isRunning()) await this.#browserRunning.stop()
    for (const hop of ['tls', 'edge', 'origin'] as const) {
      const running = this.#running.get(hop)
      if (running?.isRunning()) await running.stop({ graceMs: 3_000 })
    }
    await this.#faultProxy?.close()
    await this.#clientsLink?.close()
    await this.#tap.close()
  }
}

/** What goes into the history of it. */
function usedOf({ rssBytes, openFiles, threads, processes, cpuMs, diskReadBytes, diskWrittenBytes, readBytes, writtenBytes }: Usage, start: number): HopUsage {
  return { start, rssBytes, openFiles, threads, processes, cpuMs, diskReadBytes, diskWrittenBytes, readBytes, writtenBytes }
}

/** What clients must send with these variants on. */
function credentialsOf(variants: readonly string[]): Record<string, string> | undefined {
  return variants.map((id) => variantById(id).headers).find((headers) => headers !== undefined)
}

/** The image that ran is named with its digest. */
function inImage(identity: HopIdentity, image: ImageIdentity | null): HopIdentity {
  return image === null ? identity : { ...identity, source: `${identity.source}; image ${image.reference}, ${image.id}` }
}

function caFileIn(storage: string): string {
  return path.join(storage, 'pki', 'authorities', 'local', 'root.crt')
}

/** The root certificate of Caddy's internal CA; it is written at the first start. */
async function internalCa(storage: string): Promise<string> {
  const file = caFileIn(storage)
  await until(() => existsSync(file), { for: `the internal CA's root certificate in ${file}`, timeoutMs: 10_000 })
  return readFile(file, 'utf8')
}

/** Bytes allocated on disk by the files below a folder; a file that goes meanwhile counts nothing. */
async function allocatedBytes(folder: string): Promise<number> {
  const entries = await allEntries(folder)
  let bytes = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const found = await stat(path.join(entry.parentPath, entry.name)).catch(() => null)
    bytes += (found?.blocks ?? 0) * 512
  }
  return bytes
}

const walksMax = 5

/** A folder that goes in the middle of a walk ends it: it is walked anew. */
async function allEntries(folder: string): Promise<Dirent[]> {
  for (let walk = 1; walk <= walksMax; walk += 1) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => null)
    if (entries !== null) return entries
  }
  return []
}
