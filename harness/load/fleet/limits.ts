/**
 * How many readers this host can hold, asked before a run: what the host cannot hold is a limit of
 * the host, never a failure of the subject.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { readersWithPorts } from './source-address.ts'

/** A process on the way of the readers. */
export interface HopLoad {
  id: string
  pid: number
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

/** The most readers that each process and the kernel have room for, and what would run out. */
export function hostCanHold(
  readers: number,
  hops: readonly HopLoad[],
  options: CapacityOptions = {},
): HostCapacity {
  const perReader = options.fleetDescriptorsPerReader ?? 1
  const limits = [
    fleetLimit(perReader),
    portLimit(options.targetHost ?? '127.0.0.1', perReader),
    ...hops.map(hopLimit),
  ].filter((limit) => limit !== undefined)
  const least = limits.reduce((a, b) => (b.readersMax < a.readersMax ? b : a))
  const enough = least.readersMax >= readers
  return {
    readersMax: least.readersMax,
    because: `${enough ? `enough for ${readers} readers` : 'the host'}: ${least.because}`,
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

/** Undefined where the process is gone or may not be looked at: nothing is known of it. */
function hopLimit(hop: HopLoad): Limit | undefined {
  const max = openFilesMax(hop.pid, 'soft')
  if (max === undefined) return undefined
  const used = openFiles(hop.pid) + descriptorsReserved
  return descriptorLimit(hop.id, max, used, hop.descriptorsPerReader)
}

function descriptorLimit(who: string, max: number, used: number, perReader: number): Limit {
  const readersMax = Math.max(0, Math.floor((max - used) / perReader))
  return {
    readersMax,
    because:
      `${who} may open ${max} files, has or keeps back ${used}, and needs ` +
      `${perReader} a reader, so ${readersMax} readers`,
  }
}

function portLimit(targetHost: string, perReader: number): Limit | undefined {
  const range = textOf('/proc/sys/net/ipv4/ip_local_port_range')?.trim().split(/\s+/).map(Number)
  if (range?.[0] === undefined || range[1] === undefined) return undefined
  const ports = Math.max(0, range[1] - range[0] + 1 - portsReserved)
  const readersMax = Math.floor(readersWithPorts(targetHost, ports) / perReader)
  return {
    readersMax,
    because: `local ports ${range[0]}-${range[1]} to one address suffice for ${readersMax} readers`,
  }
}

/** The limit of open files of a process; undefined where it cannot be read. */
export function openFilesMax(pid: number | 'self', which: 'soft' | 'hard'): number | undefined {
  const limits = textOf(`/proc/${pid}/limits`)
  const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits ?? '')
  const text = match?.[which === 'soft' ? 1 : 2]
  if (text === undefined) return undefined
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
}

function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0
  }
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
