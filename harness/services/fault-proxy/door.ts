/** A client's own way in: a TCP port that leads to the TLS edge, or to a reset or a wrong certificate. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { monotonicMs } from '../../clock.ts'
import type { Armory } from './armory.ts'
import type { WrongCertificates } from './certificates.ts'
import type { DoorFault, Observation } from './faults.ts'

/** A connection that must end is given this long after its last bytes, so that the answer under way arrives whole. */
const lastBytesMs = 5

interface Surroundings {
  tlsPort: number
  armory: Armory
  certificates: WrongCertificates
  tell(observation: Observation): void
}

export class Door {
  #client: string
  #around: Surroundings
  #connections = new Set<{ client: Socket; end(): void; endsAfterData: boolean }>()

  constructor(client: string, around: Surroundings) {
    this.#client = client
    this.#around = around
  }

  listen(): Promise<number> {
    const server: Server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => resolve((server.address() as AddressInfo).port))
    })
  }

  /** Connections that are there already meet the fault too: reset at once, or ended so that the next one meets it. */
  armed(fault: DoorFault): void {
    if (fault.kind === 'hang-up') return
    if (fault.kind === 'certificate') {
      for (const connection of this.#connections) connection.endsAfterData = true
      return
    }
    for (const connection of this.#connections) {
      if (this.#around.armory.onConnection(this.#client) === null) return
      this.#refused('reset')
      connection.client.resetAndDestroy()
      connection.end()
    }
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {})
    const fault = this.#around.armory.onConnection(this.#client)
    if (fault === null) return this.#lead(socket)
    this.#refused(fault.kind)
    if (fault.kind === 'reset') return void socket.resetAndDestroy()
    const { key, cert } = this.#around.certificates[fault.wrong]
    const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }) })
    // A client that accepts such a certificate is met by silence, and shows by it.
    secure.on('error', () => secure.destroy())
  }

  #lead(client: Socket): void {
    const upstream = connect({ port: this.#around.tlsPort, host: '127.0.0.1', noDelay: true })
    const connection = { client, end: () => upstream.destroy(), endsAfterData: false }
    this.#connections.add(connection)
    upstream.on('error', () => client.destroy())
    client.pipe(upstream)
    upstream.once('end', () => client.end())
    client.on('drain', () => upstream.resume())
    upstream.on('data', (chunk: Buffer) => {
      const upTo = this.#around.armory.onBytes(this.#client, chunk.length)
      if (upTo !== null) return this.#hangUp(client, chunk.subarray(0, upTo))
      if (!client.write(chunk)) upstream.pause()
      if (connection.endsAfterData) setTimeout(() => this.#endAll(), lastBytesMs)
    })
    client.once('close', () => {
      this.#connections.delete(connection)
      upstream.destroy()
    })
  }

  #hangUp(client: Socket, last: Buffer): void {
    this.#around.tell({ event: 'cut', client: this.#client, atMs: monotonicMs() })
    client.write(last, () => client.destroy())
  }

  /** Idle ones too: a client that keeps several would go on by another. */
  #endAll(): void {
    for (const { client, endsAfterData } of this.#connections) if (endsAfterData) client.end()
  }

  #refused(fault: 'reset' | 'certificate'): void {
    this.#around.tell({ event: 'refused-connection', client: this.#client, atMs: monotonicMs(), fault })
  }
}
