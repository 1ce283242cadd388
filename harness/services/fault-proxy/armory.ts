/** Which fault is armed for which client, and how often each has struck. */
import { isDoorFault, type Armed, type DoorFault, type HttpFault } from './faults.ts'

interface Entry extends Armed {
  struck: number
  /** That have come to the client since it was armed. */
  bytes: number
}

const noBytes = Buffer.alloc(0)

export class Armory {
  #entries = new Map<string, Entry>()

  arm(client: string, armed: Armed): void {
    this.#entries.set(client, { ...armed, struck: 0, bytes: 0 })
  }

  /** How often it had struck. */
  disarm(client: string): number {
    const struck = this.#entries.get(client)?.struck ?? 0
    this.#entries.delete(client)
    return struck
  }

  /** What a request of this client is answered now instead of being passed on; it counts as struck. */
  onRequest(client: string, authorization: string | undefined): { status: number; headers: Record<string, string> } | null {
    const fault = this.#http(client)
    if (fault?.kind === 'answer') return this.#strike(client, { status: fault.status, headers: fault.headers ?? {} })
    if (fault?.kind === 'token' && authorization !== fault.authorization) return this.#strike(client, { status: 401, headers: {} })
    return null
  }

  /** Whether this client's next connection is to meet a fault, so that no request may pass by the old one. */
  awaitsConnection(client: string): boolean {
    return this.#live(client)?.fault.kind === 'certificate'
  }

  /**
   * How much of these bytes of an event stream is passed on before it ends; null where it goes on. An end
   * counts as struck. `event` is what came before of an event that is not whole yet.
   */
  onEvents(client: string, bytes: Buffer, event: Buffer = noBytes): number | null {
    if (this.#http(client)?.kind !== 'cut') return null
    const found = /event: ?data\n(.+\n)+\n/.exec(event.toString('latin1') + bytes.toString('latin1'))
    const upTo = found === null ? 0 : found.index + found[0].length - event.length
    return upTo > 0 ? this.#strike(client, upTo) : null
  }

  /** The fault that a new connection of this client meets, struck. */
  onConnection(client: string): Exclude<DoorFault, { kind: 'hang-up' }> | null {
    const fault = this.#live(client)?.fault
    return fault?.kind === 'reset' || fault?.kind === 'certificate' ? this.#strike(client, fault) : null
  }

  /** How many of these bytes come to the client before its connection ends; null where it goes on. */
  onBytes(client: string, bytes: number): number | null {
    const entry = this.#live(client)
    if (entry?.fault.kind !== 'hang-up') return null
    const left = entry.fault.afterBytes - entry.bytes
    entry.bytes += bytes
    return bytes < left ? null : this.#strike(client, left)
  }

  #http(client: string): HttpFault | null {
    const entry = this.#live(client)
    return entry && !isDoorFault(entry.fault) ? entry.fault : null
  }

  #live(client: string): Entry | undefined {
    const entry = this.#entries.get(client)
    return entry && (entry.times === null || entry.struck < entry.times) ? entry : undefined
  }

  #strike<T>(client: string, what: T): T {
    this.#entries.get(client)!.struck += 1
    return what
  }
}
