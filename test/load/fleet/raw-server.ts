/** A real TCP server that answers with exactly the bytes it is told, in pieces, or breaks off. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What happens on a connection when its request has come. */
export type Answer = (socket: Socket, path: string) => void | Promise<void>

export class RawServer implements AsyncDisposable {
  readonly port: number
  readonly #server: Server
  readonly #sockets: Set<Socket>

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server
    this.#sockets = sockets
    this.port = (server.address() as AddressInfo).port
  }

  static async start(answer: Answer): Promise<RawServer> {
    const sockets = new Set<Socket>()
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      let request = ''
      socket.on('data', (bytes) => {
        request += bytes.toString('latin1')
        for (let end = request.indexOf('\r\n\r\n'); end >= 0; end = request.indexOf('\r\n\r\n')) {
          const path = request.split(' ')[1]!
          request = request.slice(end + 4)
          void answer(socket, path)
        }
      })
    })
    server.listen(0, '127.0.0.1', 4_096)
    await once(server, 'listening')
    return new RawServer(server, sockets)
  }

  get connections(): number {
    return this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Writes piece by piece, each in a turn of its own so that most arrive as reads of their own. */
export async function writePieces(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return
    if (!socket.write(piece)) await once(socket, 'drain').catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Cuts bytes at the given places, wherever they are. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])]
  cuts.sort((a, b) => a - b)
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
}
