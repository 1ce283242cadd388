/**
 * What each hop of a scenario cost, from the looks that were taken at it: pure, so that it is the same
 * live and from the file, and bounded by the number of hops.
 */
import type { HistoryEvent, HopUsage, Used } from './history.ts'

/** One hop over a scenario. What is counted adds up over its starts. */
export interface HopCost {
  hop: Used
  /** How often it was looked at while it ran. */
  looks: number
  cpuMs: number
  /** Most of one processor between two looks; 1 is one processor. */
  cpuShareMax: number
  memoryBytesMax: number
  processesMax: number
  threadsMax: number
  openFilesMax: number
  diskReadBytes: number
  diskWrittenBytes: number
  readBytes: number
  writtenBytes: number
}

const counted = ['cpuMs', 'diskReadBytes', 'diskWrittenBytes', 'readBytes', 'writtenBytes'] as const
/** The scheduler counts in ticks of 10 ms: over a shorter span a share means nothing. */
const spanMsMin = 200

interface Last {
  atMs: number
  usage: HopUsage
}

export class HopCosts {
  #costs = new Map<Used, HopCost>()
  /** Of the present start of each. */
  #last = new Map<Used, Last>()
  #loopback: { first: number; last: number } | null = null

  write(event: HistoryEvent): void {
    if (event.kind !== 'usage') return
    for (const [hop, usage] of Object.entries(event.hops) as [Used, HopUsage][]) this.#add(hop, usage, event.atMs)
    const { loopbackBytes } = event
    if (loopbackBytes !== null) this.#loopback = { first: this.#loopback?.first ?? loopbackBytes, last: loopbackBytes }
  }

  /** In the order in which a request meets them; only those that were seen. */
  get hops(): HopCost[] {
    return (['tls', 'edge', 'tap', 'origin'] as const).flatMap((hop) => this.#costs.get(hop) ?? [])
  }

  /** Bytes that passed the loopback device between the first look and the last; null where it was not told. */
  get loopbackBytes(): number | null {
    return this.#loopback === null ? null : this.#loopback.last - this.#loopback.first
  }

  #add(hop: Used, usage: HopUsage, atMs: number): void {
    const cost = this.#costs.get(hop) ?? nothing(hop)
    this.#costs.set(hop, cost)
    const last = this.#last.get(hop)
    // What a start had counted is kept; the next one begins at zero.
    const before = last?.usage.start === usage.start ? last : null
    // A process that ends on its own takes its count with it.
    for (const name of counted) cost[name] += Math.max(0, usage[name] - (before?.usage[name] ?? 0))
    if (before !== null && atMs - before.atMs >= spanMsMin) {
      cost.cpuShareMax = Math.max(cost.cpuShareMax, (usage.cpuMs - before.usage.cpuMs) / (atMs - before.atMs))
    }
    cost.looks += 1
    cost.memoryBytesMax = Math.max(cost.memoryBytesMax, usage.rssBytes)
    cost.processesMax = Math.max(cost.processesMax, usage.processes)
    cost.threadsMax = Math.max(cost.threadsMax, usage.threads)
    cost.openFilesMax = Math.max(cost.openFilesMax, usage.openFiles)
    this.#last.set(hop, { atMs, usage })
  }
}

function nothing(hop: Used): HopCost {
  return { hop, looks: 0, cpuMs: 0, cpuShareMax: 0, memoryBytesMax: 0, processesMax: 0, threadsMax: 0, openFilesMax: 0, diskReadBytes: 0, diskWrittenBytes: 0, readBytes: 0, writtenBytes: 0 }
}
