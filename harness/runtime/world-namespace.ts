/**
 * The network namespace of a run's containers: nothing but a loopback device, held by a container of
 * its own. Services, tap and fleet share it and meet on 127.0.0.1 as processes do; a crowd never
 * leaves it. Small traffic of the harness comes in through a Unix socket (namespace/gate.ts), by
 * ports of this host that are open while the service inside listens (namespace/relay.ts).
 */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../errors.ts'
import { until } from '../until.ts'
import type { Listeners } from './listeners.ts'
import type { RelayAnswer, RelayOrder } from './namespace/relay.ts'
import { launchContainer, type ContainerPlan, type OwnedContainer } from './owned-container.ts'
import { noSuchFolder } from './elsewhere/sees-this-host.ts'
import { engineElsewhere, type Docker } from './engine.ts'
import { loopbackBytesOf } from './process-table.ts'
import type { Conversation } from './runtime.ts'
import type { ServiceLog } from './service-log.ts'

export const gateProgram = fileURLToPath(new URL('./namespace/gate.ts', import.meta.url))
const relayProgram = fileURLToPath(new URL('./namespace/relay.ts', import.meta.url))
const openMsMax = 15_000
/** What the kernel takes for the path of a Unix socket; unix(7). */
const socketPathBytesMax = 107
/** A new namespace begins with the kernel's own values; crowds count on those of this host. */
const sysctls = ['net.core.somaxconn', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_max_syn_backlog'] as const

export interface NamespaceOptions {
  docker: Docker
  /** Of the holder: image, mounts, user and labels. */
  plan: ContainerPlan
  node: string
  runFolder: string
  log: ServiceLog
  /** Starts the relay, on this host. */
  converse(id: string, program: string, args: string[]): Promise<Conversation>
}

export interface WorldNamespace extends AsyncDisposable {
  /** What another container joins it by. */
  readonly networkMode: string
  listeners(): Promise<Listeners | null>
  /** What its loopback device has passed; null where that is not told. */
  loopbackBytes(): number | null
  /** Makes ports reachable from this host; the one that is taken here, or null. */
  open(ports: number[]): Promise<number | null>
  close(ports: number[]): Promise<void>
}

/** @throws UsageError where the engine's containers do not share this host's files and kernel */
export async function openNamespace(options: NamespaceOptions): Promise<WorldNamespace> {
  const socket = path.join(options.runFolder, 'gate.sock')
  if (Buffer.byteLength(socket) > socketPathBytesMax) {
    throw new UsageError(`${socket} is too long for a Unix socket: set TMPDIR to a shorter path.`)
  }
  const holder = await launchContainer({
    docker: options.docker,
    plan: holderPlan(options, socket),
    stopSignal: 'SIGTERM',
    log: options.log,
  }).catch((error: Error) => {
    throw noSuchFolder.test(error.message) ? engineElsewhere(error) : error
  })
  try {
    await until(() => holder.exit !== null || answers(socket), { for: 'the gate', timeoutMs: openMsMax, everyMs: 20 })
    if (holder.exit !== null || !(await answers(socket)) || holder.pids().length === 0) throw engineElsewhere()
    return new Namespace(holder, new Relay(await options.converse('relay', process.execPath, [relayProgram, socket])), socket)
  } catch (error) {
    await holder.kill()
    throw error instanceof UsageError || error instanceof SyntaxError ? error : engineElsewhere(error)
  }
}

function holderPlan({ plan, node }: NamespaceOptions, socket: string): ContainerPlan {
  const values = Object.fromEntries(sysctls.flatMap((name) => valueOf(name)))
  return {
    ...plan,
    Entrypoint: [node],
    Cmd: [gateProgram, socket],
    HostConfig: { ...plan.HostConfig, NetworkMode: 'none', Sysctls: values },
  }
}

function valueOf(name: string): [string, string][] {
  try {
    const file = `/proc/sys/${name.replaceAll('.', '/')}`
    return [[name, readFileSync(file, 'latin1').trim().replaceAll(/\s+/g, ' ')]]
  } catch {
    return []
  }
}

async function answers(socket: string): Promise<boolean> {
  return askListeners(socket).then(() => true, () => false)
}

async function askListeners(path: string): Promise<Listeners | null> {
  const gate = connect({ path })
  gate.write('listeners\n')
  const listed = JSON.parse(await text(gate)) as [number, string[]][] | null
  return listed && new Map(listed.map(([port, inodes]) => [port, new Set(inodes)]))
}

class Namespace implements WorldNamespace {
  readonly networkMode: string
  #holder: OwnedContainer
  #relay: Relay
  #socket: string

  constructor(holder: OwnedContainer, relay: Relay, socket: string) {
    this.networkMode = `container:${holder.id}`
    this.#holder = holder
    this.#relay = relay
    this.#socket = socket
  }

  listeners(): Promise<Listeners | null> {
    return askListeners(this.#socket)
  }

  loopbackBytes(): number | null {
    const [pid] = this.#holder.pids()
    return pid === undefined ? null : loopbackBytesOf(pid)
  }

  async open(ports: number[]): Promise<number | null> {
    return (await this.#relay.order({ open: ports })).taken ?? null
  }

  async close(ports: number[]): Promise<void> {
    await this.#relay.order({ close: ports })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay.end()
    await this.#holder.kill()
  }
}

/** Orders to the relay and their answers, matched by number. */
class Relay {
  #conversation: Conversation
  #nextId = 1
  #waiting = new Map<number, (answer: RelayAnswer) => void>()
  #over = false

  constructor(conversation: Conversation) {
    this.#conversation = conversation
    void this.#listen()
  }

  order(what: { open: number[] } | { close: number[] }): Promise<RelayAnswer> {
    const id = this.#nextId++
    const { promise, resolve } = Promise.withResolvers<RelayAnswer>()
    // A relay that has ended keeps no port open.
    if (this.#over) return Promise.resolve({ id })
    this.#waiting.set(id, resolve)
    this.#conversation.write(JSON.stringify({ id, ...what } satisfies RelayOrder))
    return promise
  }

  async #listen(): Promise<void> {
    for await (const line of this.#conversation.lines) {
      const answer = JSON.parse(line) as RelayAnswer
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    }
    this.#over = true
    for (const [id, resolve] of this.#waiting) resolve({ id })
  }

  async end(): Promise<void> {
    this.#conversation.end()
    await this.#conversation.kill()
  }
}
