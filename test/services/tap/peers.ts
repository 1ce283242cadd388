/** Both sides of a tap: origins that keep what they got, clients that keep what came back. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { within } from '../../../harness/until.ts'

/** An origin on a port, closed with all its connections when it is disposed of. */
export class Listening implements AsyncDisposable {
  readonly port: number
  readonly sockets = new Set<Socket>()
  #server: Server

  constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => this.sockets.delete(socket))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }
}

export async function listen(server: Server, port = 0): Promise<Listening> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return new Listening(server, (server.address() as { port: number }).port)
}

/** An origin of bytes: every connection is handed to `serve`, half-open allowed. */
export function listenRaw(serve: (socket: Socket) => void): Promise<Listening> {
  return listen(createServer({ allowHalfOpen: true, noDelay: true }, serve))
}

/** Sends chunks one by one, then the end; each chunk is a segment of its own as far as TCP allows. */
export async function sendAll(socket: Socket, chunks: Uint8Array[]): Promise<void> {
  for (const chunk of chunks) {
    if (!socket.write(chunk)) await once(socket, 'drain')
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.end()
}

export async function receiveAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await within(once(socket, 'end'), { for: 'the end of what a peer sends', timeoutMs: 10_000 })
  return Buffer.concat(chunks)
}

export function open(port: number): Socket {
  return connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
}

/** How a connection ended: 'end' in order, or the error's code. */
export async function fate(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.resume()
  socket.once('end', () => resolve('end'))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
  return within(promise, { for: 'a connection to end', timeoutMs: 10_000 })
}
