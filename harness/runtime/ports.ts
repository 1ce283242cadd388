/**
 * Leases of loopback ports. A lease is a listening socket in Linux's abstract namespace, named after
 * the port: it is exclusive among all runs and users of the host, and the kernel ends it with its
 * process, however that ends. No lease can be left behind, so none has to be told from a live one.
 */
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { HarnessError, UsageError } from '../errors.ts'

export interface PortRange {
  first: number
  last: number
}

const usualRange: PortRange = { first: 20_000, last: 29_999 }
const portsMin = 200

export interface PortLeases {
  /** A free port that no other run is given until `release`. Throws UsageError when there is none. */
  lease(): Promise<number>
  release(): Promise<void>
}

/** Opens leases; ports come from outside the range from which outgoing connections take theirs. */
export function openPortLeases(range: PortRange = chooseRange(readEphemeralRange())): PortLeases {
  const held: Server[] = []
  const count = range.last - range.first + 1
  // Runs start at different places, so that they seldom meet; they may meet all the same.
  let next = randomInt(count)
  return {
    async lease() {
      for (let tried = 0; tried < count; tried += 1) {
        const port = range.first + (next++ % count)
        const lease = await listen({ path: `\0durable-streams-simulation-port-${port}` })
        if (lease === 'taken') continue
        if (lease === 'impossible') throw new HarnessError('This host has no abstract Unix sockets, with which ports are leased.')
        if (await isFree(port)) {
          held.push(lease)
          return port
        }
        await close(lease)
      }
      throw new UsageError(
        `No loopback port between ${range.first} and ${range.last} is free: end some programs that listen there.`,
      )
    },
    async release() {
      await Promise.all(held.splice(0).map(close))
    },
  }
}

/** 20000-29999 where outgoing connections leave it alone, else the widest range they do. */
export function chooseRange(ephemeral: PortRange): PortRange {
  const below = { first: 1_024, last: ephemeral.first - 1 }
  const above = { first: ephemeral.last + 1, last: 65_535 }
  if (usualRange.last < ephemeral.first || usualRange.first > ephemeral.last) return usualRange
  const widest = width(below) >= width(above) ? below : above
  // A host that gives every port to outgoing connections: a clash is found when the service starts.
  return width(widest) >= portsMin ? widest : usualRange
}

function width(range: PortRange): number {
  return range.last - range.first + 1
}

function readEphemeralRange(): PortRange {
  const linuxDefault = { first: 32_768, last: 60_999 }
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
    const [first, last] = text.trim().split(/\s+/).map(Number)
    return first && last ? { first, last } : linuxDefault
  } catch {
    return linuxDefault
  }
}

/** Tried on 127.0.0.1 and on all addresses, so that a listener on any of them is noticed. */
async function isFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::']) {
    const trial = await listen({ port, host, exclusive: true })
    if (trial === 'taken') return false
    if (trial !== 'impossible') await close(trial)
  }
  return !isInUse(port)
}

/**
 * A connection that goes out from the port lets a listener bind beside it, and is found in the
 * kernel's table only. One in TIME_WAIT is over: nobody holds the port any more.
 */
function isInUse(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((file) => {
    if (!existsSync(file)) return false
    return readFileSync(file, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some((fields) => fields[1]?.endsWith(local) && fields[3] !== timeWait)
  })
}

const timeWait = '06'

/** 'impossible': not because somebody has the address; a host without IPv6, for example. */
function listen(
  address: { path: string } | { port: number; host: string; exclusive: true },
): Promise<Server | 'taken' | 'impossible'> {
  const { promise, resolve } = Promise.withResolvers<Server | 'taken' | 'impossible'>()
  const server = createServer((socket) => socket.destroy())
  server.once('error', (error: NodeJS.ErrnoException) =>
    resolve(error.code === 'EADDRINUSE' ? 'taken' : 'impossible'),
  )
  server.listen(address, () => resolve(server.unref()))
  return promise
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
