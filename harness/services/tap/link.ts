/**
 * The state of a link between two hops, and its connections: open, cut (everything is reset), silent
 * (nothing passes, nobody is told), slow. What it did to whom is counted: a fault's proof.
 */
import type { Socket } from 'node:net'
import { Marks } from './marks.ts'
import { Wire, type LinkState } from './wire.ts'

export type { LinkState } from './wire.ts'

/** All since its start. */
export interface LinkCounters {
  /** Connections that it let through. */
  passed: number
  /** Connections that stood and were reset, and those that were reset as soon as they came. */
  reset: number
  refused: number
  /** Pieces that waited because nothing passes, or that came later or smaller than they were sent. */
  heldPieces: number
  delayedPieces: number
  /** The least that a piece waited which was delayed on purpose; null where none was. */
  delayMsMin: number | null
  standing: number
  /** Answers that were given headers on their way. */
  marked: number
}

interface Connection {
  client: Socket
  upstream: Socket
  wires: Wire[]
}

export class Link {
  #state: LinkState = { state: 'open' }
  #connections = new Set<Connection>()
  readonly marks = new Marks()
  readonly #counters: Omit<LinkCounters, 'standing' | 'marked'> = { passed: 0, reset: 0, refused: 0, heldPieces: 0, delayedPieces: 0, delayMsMin: null }

  counters(): LinkCounters {
    return { ...this.#counters, standing: this.#connections.size, marked: this.marks.marked }
  }

  /** Changes what happens from now on, to connections that stand as well. */
  set(state: LinkState): void {
    this.#state = state
    this.marks.set(state.state === 'open' ? (state.markings ?? []) : [])
    for (const { client, upstream, wires } of this.#connections) {
      if (state.state !== 'cut') {
        for (const wire of wires) wire.stateChanged()
        continue
      }
      this.#counters.reset += 1
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
  }

  /** False for a connection that comes while it is cut: it has been reset. */
  admits(client: Socket): boolean {
    if (this.#state.state !== 'cut') {
      this.#counters.passed += 1
      return true
    }
    this.#counters.refused += 1
    client.on('error', () => {})
    client.resetAndDestroy()
    return false
  }

  /** A connection's two directions, to be carried as the link's state says. */
  join(client: Socket, upstream: Socket): { up: Wire; down: Wire } {
    const told = {
      state: () => this.#state,
      held: () => void (this.#counters.heldPieces += 1),
      delayed: (ms: number) => {
        this.#counters.delayedPieces += 1
        this.#counters.delayMsMin = Math.min(this.#counters.delayMsMin ?? Number.POSITIVE_INFINITY, ms)
      },
    }
    const [up, down] = [new Wire(client, upstream, told), new Wire(upstream, client, told)]
    const connection = { client, upstream, wires: [up, down] }
    this.#connections.add(connection)
    const leave = () => {
      if (client.destroyed && upstream.destroyed) this.#connections.delete(connection)
    }
    client.once('close', leave)
    upstream.once('close', leave)
    return { up, down }
  }
}
