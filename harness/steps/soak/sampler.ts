/** Looks at every hop once a second: into the history, and as a table that a spreadsheet reads. */
import { createWriteStream, type WriteStream } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../clock.ts'
import { nothingDriftsCheck, worstDrift } from '../../checks/nothing-drifts.ts'
import { sampleNames } from '../../checks/soak-series.ts'
import type { HistoryEvent, HopId } from '../../history.ts'
import type { StepContext } from '../../step.ts'
import type { Nursery } from './lives.ts'

const everyMs = 1_000
/** What costs a program's start, a request or a walk over all files. */
const costlyEvery = 2
const tellAnewMs = 30_000
const hops: HopId[] = ['origin', 'edge', 'tls']
const concerns = ['memory', 'handles', 'disk'] as const

export class Sampler {
  #context: StepContext
  #nursery: Nursery
  #stop = new AbortController()
  #began = monotonicMs()
  #table: WriteStream
  /** The check's own arithmetic, for whoever watches. */
  #watching = concerns.map((of) => nothingDriftsCheck.init({ of }))
  #worst: string | null = null
  #toldAtMs = -Infinity

  constructor(context: StepContext, nursery: Nursery) {
    this.#context = context
    this.#nursery = nursery
    this.#table = createWriteStream(path.join(context.folder, '..', 'samples.csv'))
    // A disk that is full is told by the history's own writer.
    this.#table.on('error', () => {})
    this.#table.write(`seconds,${sampleNames.join(',')}\n`)
  }

  async run(): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, this.#context.signal])
    for (let n = 0; !signal.aborted; n += 1) {
      const values = await this.#look(n % costlyEvery === 0)
      if (signal.aborted) break
      this.#write(values)
      const nextMs = this.#began + (n + 1) * everyMs
      if (nextMs < monotonicMs()) this.#began = monotonicMs() - (n + 1) * everyMs
      await delay(Math.max(0, nextMs - monotonicMs()), undefined, { signal }).catch(() => {})
    }
    this.#table.end()
  }

  stop(): void {
    this.#stop.abort()
  }

  restarted(hop: HopId): void {
    this.#watch({ kind: 'lifecycle', hop, what: 'started' })
  }

  replaced(): void {
    this.#watch({ kind: 'lifecycle', hop: 'origin', what: 'replaced' })
  }

  /** In a sentence; null before there is anything to tell. */
  worstDrift(): string | null {
    if (monotonicMs() - this.#toldAtMs < tellAnewMs) return this.#worst
    this.#toldAtMs = monotonicMs()
    const verdicts = this.#watching.map((state) => ({ kind: nothingDriftsCheck.finish(state).verdict, line: worstDrift(state) }))
    const worst = verdicts.find(({ kind }) => kind === 'fail') ?? verdicts.find(({ kind }) => kind === 'unknown') ?? verdicts[0]
    return (this.#worst = worst?.line ?? null)
  }

  async #look(costly: boolean): Promise<Record<string, number>> {
    const { world } = this.#context
    const values: Record<string, number> = {}
    const cache = costly ? await world.cacheCounters().catch(() => null) : null
    for (const hop of hops) await this.#lookAt(hop, values, cache?.storedBytes)
    if (!costly) return values
    const figures = await world.originFigures()
    if (figures) Object.assign(values, { 'origin.heapBytes': figures.heapBytes, 'origin.goroutines': figures.goroutines })
    for (const [name, value] of Object.entries({ objects: cache?.objects, bans: cache?.bans, storedBytes: cache?.storedBytes })) {
      if (value !== undefined) values[`cache.${name}`] = value
    }
    const used = await world.dataDirBytes()
    // Nothing at all is a walk that failed: folders come and go.
    if (used) Object.assign(values, { 'disk.usedBytes': used, 'disk.writtenBytes': this.#nursery.writtenBytes, 'disk.beyondLiveBytes': used - this.#liveBytes() })
    return values
  }

  async #lookAt(hop: HopId, values: Record<string, number>, storedBytes: number | undefined): Promise<void> {
    const usage = this.#context.world.has(hop) ? await this.#context.world.usage(hop) : null
    if (usage === null) return
    values[`${hop}.openFiles`] = usage.openFiles - usage.openDataFiles
    if (hop === 'origin') values['origin.dataFiles'] = usage.openDataFiles
    values[`${hop}.threads`] = usage.threads
    if (hop !== 'edge') values[`${hop}.memoryBytes`] = usage.ownBytes
    else if (storedBytes !== undefined) values['edge.memoryBeyondStoreBytes'] = usage.ownBytes - storedBytes
  }

  #liveBytes(): number {
    let bytes = 0
    for (const one of this.#nursery.liveBytes.values()) bytes += one
    return bytes
  }

  #write(values: Record<string, number>): void {
    this.#context.recorder.record({ kind: 'samples', values })
    this.#watch({ kind: 'samples', values })
    const seconds = ((monotonicMs() - this.#began) / 1000).toFixed(1)
    this.#table.write(`${seconds},${sampleNames.map((name) => values[name] ?? '').join(',')}\n`)
  }

  #watch(body: { kind: 'samples'; values: Record<string, number> } | { kind: 'lifecycle'; hop: HopId; what: 'started' | 'replaced' }): void {
    const event = { ...body, seq: 0, atMs: monotonicMs(), scenario: '' } as HistoryEvent
    for (const state of this.#watching) nothingDriftsCheck.step(state, event)
  }
}
