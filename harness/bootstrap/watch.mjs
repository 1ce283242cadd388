/**
 * Loaded before the program that the bootstrap starts. The bootstrap holds the other end of a
 * pipe; when it ends without a word (SIGKILL, a crash), the program is told to stop.
 */
import { Socket } from 'node:net'

const fd = Number(process.env.DURABLE_STREAMS_BOOTSTRAP_FD)
// Programs started from here must not take the number for theirs.
delete process.env.DURABLE_STREAMS_BOOTSTRAP_FD

if (fd > 2) {
  const pipe = new Socket({ fd, readable: true, writable: false })
  pipe.on('error', () => {})
  pipe.on('close', () => process.kill(process.pid, 'SIGTERM'))
  pipe.resume()
  pipe.unref()
}
