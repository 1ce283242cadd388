/**
 * One connection through the tap: bytes pass unchanged, as they come, in both directions; ends and
 * resets of one side are repeated on the other.
 */
import { connect, type Socket } from 'node:net'
import type { Ledger } from './counting.ts'
import { Observer } from './observer.ts'
import type { ResponseLog } from './response-log.ts'

/**
 * Relays an accepted connection (paused, half-open allowed) to the origin's port. An origin that
 * refuses makes the client's connection end with a reset: the nearest thing to a refused connection
 * that can be done to one already accepted.
 */
export function relay(client: Socket, upstreamPort: number, ledger: Ledger, log: ResponseLog | null = null): void {
  const observer = new Observer(ledger, log)
  const origin = connect({ host: '127.0.0.1', port: upstreamPort, allowHalfOpen: true, noDelay: true })
  let connected = false
  origin.once('connect', () => {
    connected = true
    pass(client, origin, (chunk) => {
      observer.up(chunk)
      return chunk
    })
    pass(origin, client, (chunk) => observer.down(chunk))
    // It was accepted paused, and a paused socket does not begin to flow for a listener alone.
    client.resume()
  })
  origin.once('end', () => observer.downEnded(true))
  origin.once('error', () => {
    if (!connected) ledger.refuse()
    resetOnceWritten(client)
  })
  client.once('error', () => origin.resetAndDestroy())
  origin.once('close', () => {
    observer.downEnded(false)
    if (!connected) client.resetAndDestroy()
  })
}

/** One direction. Reading stops while the other side does not take what was read. */
function pass(from: Socket, to: Socket, observe: (chunk: Buffer) => Buffer): void {
  from.on('data', (chunk: Buffer) => {
    const passed = observe(chunk)
    if (!to.destroyed && !to.write(passed)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.once('end', () => to.end())
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
