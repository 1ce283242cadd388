/**
 * One connection through the tap: bytes pass unchanged, as they come, in both directions; ends and
 * resets of one side are repeated on the other. While the link is anything but open, as it says.
 */
import { connect, type Socket } from 'node:net'
import type { Ledger } from './counting.ts'
import type { Link } from './link.ts'
import { Observer } from './observer.ts'
import type { ResponseLog } from './response-log.ts'
import type { Wire } from './wire.ts'

/**
 * Relays an accepted connection (paused, half-open allowed) to the origin's port. An origin that
 * refuses makes the client's connection end with a reset: the nearest thing to a refused connection
 * that can be done to one already accepted.
 */
export function relay(client: Socket, upstreamPort: number, { ledger, link, log }: { ledger: Ledger; link: Link; log: ResponseLog | null }): void {
  if (!link.admits(client)) return
  const observer = new Observer(ledger, log, link.marks)
  const origin = connect({ host: '127.0.0.1', port: upstreamPort, allowHalfOpen: true, noDelay: true })
  const { up, down } = link.join(client, origin)
  let connected = false
  origin.once('connect', () => {
    connected = true
    pass(client, origin, up, (chunk) => {
      observer.up(chunk)
      return chunk
    })
    pass(origin, client, down, (chunk) => observer.down(chunk))
    // It was accepted paused, and a paused socket does not begin to flow for a listener alone.
    client.resume()
  })
  origin.once('end', () => observer.downEnded(true))
  origin.once('error', () => {
    if (!connected) ledger.refuse()
    down.after(() => resetOnceWritten(client))
  })
  client.once('error', () => up.after(() => origin.resetAndDestroy()))
  origin.once('close', () => {
    observer.downEnded(false)
    if (!connected) client.resetAndDestroy()
  })
}

/** One direction: what `observe` makes of a piece is carried. */
function pass(from: Socket, to: Socket, wire: Wire, observe: (chunk: Buffer) => Buffer): void {
  from.on('data', (chunk: Buffer) => wire.carry(observe(chunk)))
  from.once('end', () => wire.after(() => to.end()))
  from.resume()
}

/**
 * What the origin sent before its reset has arrived at the client; so it does through the tap. The
 * empty write is done once all before it are.
 */
function resetOnceWritten(client: Socket): void {
  if (client.writableLength === 0) client.resetAndDestroy()
  else client.write('', () => client.resetAndDestroy())
}
