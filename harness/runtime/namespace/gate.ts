/**
 * The first program in a world's network namespace: its container holds the namespace, and this is
 * the one way in, a Unix socket in the run's folder. `node gate.ts /path/of/gate.sock`.
 *
 * A connection begins with a line: a port, and what follows goes to 127.0.0.1:<port> inside; or
 * `listeners`, and it is told who listens inside, as JSON ([port, [socket inodes]][]).
 */
import { connect, createServer, type Socket } from 'node:net'
import { readListeners } from '../listeners.ts'
import { splice } from './splice.ts'

const lineBytesMax = 16

function serve(socketPath: string): void {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (outside) => {
    outside.on('error', () => {})
    readLine(outside, (line) => (line === 'listeners' ? tellListeners(outside) : enter(outside, Number(line))))
  })
  server.listen(socketPath, () => console.log('open'))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))
}

/** Reads byte by byte, so that nothing behind the line is taken; the line is a few bytes. */
function readLine(socket: Socket, then: (line: string) => void): void {
  let line = ''
  const look = () => {
    for (let byte = socket.read(1) as Buffer | null; byte !== null; byte = socket.read(1) as Buffer | null) {
      if (byte[0] === 0x0a) {
        socket.off('readable', look)
        return then(line)
      }
      line += byte.toString('latin1')
      if (line.length > lineBytesMax) return void socket.destroy()
    }
  }
  socket.on('readable', look)
}

function tellListeners(outside: Socket): void {
  const listeners = readListeners()
  outside.end(JSON.stringify(listeners && [...listeners].map(([port, inodes]) => [port, [...inodes]])))
}

function enter(outside: Socket, port: number): void {
  const inside = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  inside.once('error', () => outside.destroy())
  inside.once('connect', () => splice(outside, inside))
}

serve(process.argv[2]!)
