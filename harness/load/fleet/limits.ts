/**
 * How many readers this host can hold, asked before a run: what the host cannot hold is a limit of
 * the host, never a failure of the subject.
 */
import { readFileSync } from 'node:fs'
import { readersWithPorts } from './source-address.ts'

/** A hop on the way of the readers, as it stands before they come. */
export interface HopLoad {
  id: string
  openFiles: number
  /** The limit of its most constrained process. */
  openFilesMax: number
  /** 1 where a reader ends there, 2 where it is passed on by a connection of its own. */
  descriptorsPerReader: number
}

export interface HostCapacity {
  readersMax: number
  /** Which limit that is, with its numbers. */
  because: string
  /** The kernel's listen backlog: more connects at once than that may be dropped. */
  connectsInFlightMax: number
}

export interface CapacityOptions {
  /** 1 over HTTP/1.1; over h2 a connection's share. */
  fleetDescriptorsPerReader?: number
  targetHost?: string
}

/** What a process needs besides its readers: listeners, logs, timers, data files. */
const descriptorsReserved = 128
const portsReserved = 500

/** The most readers that the fleet, each hop and the kernel have room for, and what would run out. */
export function hostCanHold(hops: readonly HopLoad[], options: CapacityOptions = {}): HostCapacity {
  const perReader = options.fleetDescriptorsPerReader ?? 1
  const passedOn = hops.some((hop) => hop.descriptorsPerReader > 1)
  const limits = [
    fleetLimit(perReader),
    portLimit(options.targetHost ?? '127.0.0.1', perReader),
    passedOn ? passingPortLimit() : undefined,
    ...hops.map(hopLimit),
  ].filter((limit) => limit !== undefined)
  const least = limits.reduce((a, b) => (b.readersMax < a.readersMax ? b : a))
  return {
    ...least,
    connectsInFlightMax: numberIn('/proc/sys/net/core/somaxconn') ?? 128,
  }
}

interface Limit {
  readersMax: number
  because: string
}

/** A Node process raises its soft limit to the hard one when it starts. */
function fleetLimit(perReader: number): Limit {
  const max = openFilesMax('self', 'hard') ?? Number.POSITIVE_INFINITY
  return descriptorLimit('the fleet', max, descriptorsReserved, perReader)
}

function hopLimit(hop: HopLoad): Limit {
  return descriptorLimit(`the ${hop.id}`, hop.openFilesMax, hop.openFiles + descriptorsReserved, hop.descriptorsPerReader)
}

function descriptorLimit(who: string, max: number, used: number, perReader: number): Limit {
  const readersMax = Math.max(0, Math.floor((max - used) / perReader))
  const share = perReader === 1 ? 'one a reader' : `${perReader} a reader`
  return { readersMax, because: `${who} may open ${max} files, keeps ${used} for itself and needs ${share} (ulimit -Hn).` }
}

function portLimit(targetHost: string, perReader: number): Limit | undefined {
  const range = portRange()
  if (range === undefined) return undefined
  const readersMax = Math.floor(readersWithPorts(targetHost, range.ports) / perReader)
  return { readersMax, because: `local ports ${range.text} to one address are all that there are.` }
}

/** A proxy connects to the next hop from one address, so its readers share that address's ports. */
function passingPortLimit(): Limit | undefined {
  const range = portRange()
  return range && { readersMax: range.ports, because: `a proxy on the way has local ports ${range.text} towards the next hop.` }
}

function portRange(): { ports: number; text: string } | undefined {
  const [low, high] = textOf('/proc/sys/net/ipv4/ip_local_port_range')?.trim().split(/\s+/).map(Number) ?? []
  if (low === undefined || high === undefined) return undefined
  return { ports: Math.max(0, high - low + 1 - portsReserved), text: `${low}-${high}` }
}

/** The limit of open files of a process; undefined where it cannot be read. */
export function openFilesMax(pid: number | 'self', which: 'soft' | 'hard'): number | undefined {
  return limitOf('open files', pid, which)
}

/** How many processes and threads this process's user may have, and the kernel numbers; infinite where neither can be read. */
export function processesMax(which: 'soft' | 'hard'): number {
  const limit = limitOf('processes', 'self', which) ?? Number.POSITIVE_INFINITY
  return Math.min(limit, numberIn('/proc/sys/kernel/pid_max') ?? Number.POSITIVE_INFINITY)
}

function limitOf(what: string, pid: number | 'self', which: 'soft' | 'hard'): number | undefined {
  const limits = textOf(`/proc/${pid}/limits`)
  const match = new RegExp(`^Max ${what}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(limits ?? '')
  const text = match?.[which === 'soft' ? 1 : 2]
  if (text === undefined) return undefined
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
}

function numberIn(path: string): number | undefined {
  const value = Number(textOf(path))
  return value > 0 ? value : undefined
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
