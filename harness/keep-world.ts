/**
 * `--keep` of one scenario: its world is left running when everything is said and saved, with its addresses
 * printed, until a signal comes. It still is the run's: however the harness ends, the supervisor ends it.
 */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { HopId, Via } from './history.ts'
import { keptWorldLines, type KeptAddress } from './report/kept-world.ts'
import type { KeptWorld } from './run-scenario.ts'

/** Nobody remembers it for longer. */
export const keptMsMax = 12 * 3_600_000

const ways: readonly [Via, HopId | null][] = [
  ['origin', 'origin'],
  ['origin-tls', 'origin'],
  ['direct', null],
  ['edge', 'edge'],
  ['tls', 'tls'],
  ['plain', 'tls'],
]

export class WorldKeeper implements AsyncDisposable {
  #kept: { id: string; world: KeptWorld } | null = null

  /** Takes over the world of a scenario that has ended. */
  take(id: string, world: KeptWorld): void {
    this.#kept = { id, world }
  }

  /** Prints where everything is, and waits until the signal is aborted; at once where no world was opened. */
  async hold(print: (line: string) => void, logs: string, signal: AbortSignal): Promise<void> {
    if (this.#kept === null || signal.aborted) return
    const { id, world: { world, streams } } = this.#kept
    const { dataDir, adminSocket, caFile } = world.places()
    const addresses: KeptAddress[] = []
    for (const [via, hop] of ways) {
      if (!world.reaches(via)) continue
      const { url, authority, headers = {} } = world.endpoint(via)
      addresses.push({ via, url, authority, headers, isRunning: hop === null || (await world.usage(hop)) !== null })
    }
    const stream = streams.find((one) => !one.deleted)?.path ?? null
    const socket = adminSocket !== null && existsSync(adminSocket) ? adminSocket : null
    for (const line of keptWorldLines({ id, addresses, dataDir, adminSocket: socket, caFile, logs, stream, stop: `kill ${process.pid}`, keptMsMax })) print(line)
    await delay(keptMsMax, undefined, { signal }).catch(() => {})
    print('The kept world is being stopped.')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kept?.world.world[Symbol.asyncDispose]()
  }
}
