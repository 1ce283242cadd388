/** Two connections made one: bytes, half-closes and resets of either pass to the other. */
import type { Socket } from 'node:net'

export function splice(one: Socket, other: Socket): void {
  pass(one, other)
  pass(other, one)
}

function pass(from: Socket, to: Socket): void {
  from.pipe(to)
  from.on('error', () => reset(to))
  // Gone without an end of its own: cut, not finished.
  from.once('close', () => {
    if (!from.readableEnded) reset(to)
  })
}

/** A Unix socket knows no reset: there, and where it is closed already, it is a plain end. */
function reset(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.remoteFamily === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
