/**
 * The host's side of the gate: listens on the ports of services that run inside, and only while they
 * listen themselves, so that a connection to a service that is down is refused here too. It carries
 * the harness's own small traffic, never a crowd's. `node relay.ts /path/of/gate.sock`.
 *
 * On standard input: {"id": 1, "open": [20001]} or {"id": 2, "close": [20001]}; answers {"id": 1} or
 * {"id": 1, "taken": 20001}. It ends with its input.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { splice } from './splice.ts'

export type RelayOrder = { id: number; open: number[] } | { id: number; close: number[] }
export type RelayAnswer = { id: number; taken?: number }

const open = new Map<number, Server>()

async function openPort(port: number, gate: string): Promise<boolean> {
  if (open.has(port)) return true
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (outside) => lead(outside, port, gate))
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true })
    await once(server, 'listening')
  } catch {
    return false
  }
  open.set(port, server)
  return true
}

function lead(outside: Socket, port: number, gate: string): void {
  outside.on('error', () => {})
  const inside = connect({ path: gate, allowHalfOpen: true })
  inside.once('error', () => outside.resetAndDestroy())
  inside.once('connect', () => {
    inside.write(`${port}\n`)
    splice(outside, inside)
  })
}

function closePort(port: number): void {
  // Connections that are there end by what is inside.
  open.get(port)?.close()
  open.delete(port)
}

async function obey(order: RelayOrder, gate: string): Promise<RelayAnswer> {
  const { id } = order
  if ('close' in order) order.close.forEach(closePort)
  else for (const port of order.open) if (!(await openPort(port, gate))) return { id, taken: port }
  return { id }
}

const gate = process.argv[2]!
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line) as RelayOrder, gate)))
}
process.exit(0)
