/** Who listens on a loopback port, as far as the host tells. */
import { closeSync, openSync, readSync } from 'node:fs'
import { descriptorTargets, listPids, programOf } from './process-table.ts'

const listenState = '0A'
/** 127.0.0.1, 0.0.0.0, ::, ::1 and ::ffff:127.0.0.1 as the kernel prints them on little-endian hosts. */
const reachedByLoopback = new Set([
  '0100007F',
  '00000000',
  '00000000000000000000000000000000',
  '00000000000000000000000001000000',
  '0000000000000000FFFF00000100007F',
])

/** Sockets that would take a connection to a port of 127.0.0.1 or ::1: port to socket inodes. */
export type Listeners = Map<number, Set<string>>

/** Null where the host does not tell. */
export function readListeners(): Listeners | null {
  const listeners: Listeners = new Map()
  try {
    collect('/proc/net/tcp', listeners)
  } catch {
    return null
  }
  try {
    collect('/proc/net/tcp6', listeners)
  } catch {
    // A host without IPv6.
  }
  return listeners
}

/** Columns: number, local address:port, remote, state, queues, timer, retransmits, uid, timeout, inode. */
function collect(file: string, listeners: Listeners): void {
  for (const line of linesOf(file)) {
    const columns = line.trim().split(/\s+/, 10)
    if (columns[0] === 'sl') continue
    // Listening sockets come first. The kernel walks its whole table for those behind them, some 20 ms
    // each time, unless they are not read.
    if (columns[3] !== listenState) return
    const [address, port] = columns[1]!.split(':')
    if (!reachedByLoopback.has(address!)) continue
    const portNumber = Number.parseInt(port!, 16)
    const inodes = listeners.get(portNumber) ?? new Set()
    listeners.set(portNumber, inodes.add(columns[9]!))
  }
}

const pieceBytes = 4_096

/** Reads on only as far as lines are asked for. */
function* linesOf(file: string): Generator<string> {
  const descriptor = openSync(file, 'r')
  try {
    const piece = Buffer.alloc(pieceBytes)
    let begun = ''
    for (let bytes = readSync(descriptor, piece); bytes > 0; bytes = readSync(descriptor, piece)) {
      const lines = (begun + piece.toString('latin1', 0, bytes)).split('\n')
      begun = lines.pop()!
      yield* lines
    }
  } finally {
    closeSync(descriptor)
  }
}

export type Ownership =
  /** All ports are listened on by these processes and nobody else. */
  | { owned: true }
  /** Nobody listens on this port yet. */
  | { owned: false; missing: number }
  /** Somebody else listens on this port, alone or with the service. */
  | { owned: false; port: number; foreign: string }

/** Judges that the listening sockets of `ports` belong to `pids` and to nobody else. */
export function judgeOwnership(listeners: Listeners, ports: number[], pids: number[]): Ownership {
  const own = new Set(pids.flatMap(descriptorTargets))
  let missing: number | undefined
  for (const port of ports) {
    const inodes = [...(listeners.get(port) ?? [])]
    if (inodes.length === 0) missing ??= port
    const foreign = inodes.find((inode) => !own.has(`socket:[${inode}]`))
    if (foreign !== undefined) return { owned: false, port, foreign: describeHolder(foreign) }
  }
  return missing === undefined ? { owned: true } : { owned: false, missing }
}

/** For a message: 'process 123 (caddy run)'. */
function describeHolder(inode: string): string {
  const target = `socket:[${inode}]`
  const pid = listPids().find((each) => descriptorTargets(each).includes(target))
  return pid === undefined ? 'a process that may not be looked into' : `process ${pid} (${programOf(pid)})`
}
