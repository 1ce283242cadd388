/**
 * Control groups, of either version: where a process's are, what they counted, and groups of a run's
 * own for processes that are to be limited. https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { LimitCounters, Limits } from './runtime.ts'

const controllers = ['memory', 'cpu'] as const
type Controller = (typeof controllers)[number]

interface Hierarchy {
  version: 1 | 2
  mountPoint: string
}

const ownPrefix = 'durable-streams-simulator-'
const periodUs = 100_000

/** Where each controller is; in version 2 all of them are in one place. */
function hierarchies(): Partial<Record<Controller, Hierarchy>> {
  const found: Partial<Record<Controller, Hierarchy>> = {}
  for (const line of read('/proc/self/mountinfo').split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const mountPoint = before.split(' ')[4]
    const [type, , options = ''] = after.split(' ')
    if (mountPoint === undefined) continue
    for (const controller of controllers) {
      if (type === 'cgroup' && options.split(',').includes(controller)) found[controller] = { version: 1, mountPoint }
      if (type === 'cgroup2' && read(path.join(mountPoint, 'cgroup.controllers')).split(/\s+/).includes(controller)) {
        found[controller] ??= { version: 2, mountPoint }
      }
    }
  }
  return found
}

/** What keeps a run from having groups of its own, as a clause; null when nothing does. */
export function whyNoGroups(): string | null {
  const places = hierarchies()
  const missing = controllers.find((controller) => places[controller] === undefined)
  if (missing !== undefined) return `this kernel has no ${missing} control groups mounted`
  const trial = new OwnGroup(`trial-${process.pid}`, 'trial')
  try {
    trial.limit({ memoryBytes: 64 * 1024 ** 2, cpus: 0.5 })
    return null
  } catch (error) {
    return `this user may make no control groups (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`
  } finally {
    trial.remove()
    removeGroups(`trial-${process.pid}`)
  }
}

/** A group for one service of a run, in each hierarchy. */
export class OwnGroup {
  #folders: { controller: Controller; version: 1 | 2; folder: string }[] = []

  constructor(runId: string, name: string) {
    for (const [controller, { version, mountPoint }] of Object.entries(hierarchies()) as [Controller, Hierarchy][]) {
      const ofRun = path.join(mountPoint, `${ownPrefix}${runId}`)
      this.#folders.push({ controller, version, folder: path.join(ofRun, name) })
    }
  }

  /** @throws where this user may not */
  make(): void {
    for (const { version, folder } of this.#folders) {
      mkdirSync(path.dirname(folder), { recursive: true })
      if (version === 2) writeFileSync(path.join(path.dirname(folder), 'cgroup.subtree_control'), '+memory +cpu')
      mkdirSync(folder, { recursive: true })
    }
  }

  add(pid: number): void {
    this.make()
    for (const folder of new Set(this.#folders.map((one) => one.folder))) writeFileSync(path.join(folder, 'cgroup.procs'), String(pid))
  }

  /** @throws where this user may not, or the memory in use cannot be pressed below the limit */
  limit({ memoryBytes, cpus }: Limits): void {
    this.make()
    for (const { controller, version, folder } of this.#folders) {
      if (controller === 'memory' && memoryBytes !== undefined) writeFileSync(path.join(folder, version === 1 ? 'memory.limit_in_bytes' : 'memory.max'), String(memoryBytes ?? (version === 1 ? -1 : 'max')))
      if (controller !== 'cpu' || cpus === undefined) continue
      const quotaUs = cpus === null ? null : Math.round(cpus * periodUs)
      if (version === 1) writeFileSync(path.join(folder, 'cpu.cfs_quota_us'), String(quotaUs ?? -1))
      else writeFileSync(path.join(folder, 'cpu.max'), `${quotaUs ?? 'max'} ${periodUs}`)
    }
  }

  counters(): LimitCounters {
    return countersOf(this.#folders)
  }

  /** Only when nothing runs in it any more; else the end of the run removes it. */
  remove(): void {
    for (const { folder } of this.#folders) removeQuietly(folder)
  }
}

/** What was counted of the groups that a process is in: those that its engine made for it. */
export function groupCountersOf(pid: number): LimitCounters {
  const lines = read(`/proc/${pid}/cgroup`).split('\n').map((line) => line.split(':'))
  const folders = (Object.entries(hierarchies()) as [Controller, Hierarchy][]).flatMap(([controller, { version, mountPoint }]) => {
    const own = lines.find(([id, names = '']) => (version === 1 ? names.split(',').includes(controller) : id === '0'))?.[2]
    return own === undefined ? [] : [{ controller, version, folder: path.join(mountPoint, own) }]
  })
  return countersOf(folders)
}

function countersOf(folders: { controller: Controller; version: 1 | 2; folder: string }[]): LimitCounters {
  const counters: LimitCounters = { memoryBytes: 0, memoryPeakBytes: 0, memoryHits: 0, cpuThrottled: 0 }
  for (const { controller, version, folder } of folders) {
    const number = (name: string) => Number(read(path.join(folder, name))) || 0
    const field = (name: string, key: string) => Number(new RegExp(`^${key} (\\d+)`, 'm').exec(read(path.join(folder, name)))?.[1] ?? 0)
    if (controller === 'cpu') counters.cpuThrottled = field('cpu.stat', 'nr_throttled')
    else if (version === 1) Object.assign(counters, { memoryBytes: number('memory.usage_in_bytes'), memoryPeakBytes: number('memory.max_usage_in_bytes'), memoryHits: number('memory.failcnt') })
    else Object.assign(counters, { memoryBytes: number('memory.current'), memoryPeakBytes: number('memory.peak'), memoryHits: field('memory.events', 'max') })
  }
  return counters
}

/** Removes the groups of a run, however it ended. Nothing of it may run any more. */
export function removeGroups(runId: string): void {
  for (const mountPoint of new Set(Object.values(hierarchies()).map((place) => place.mountPoint))) {
    const ofRun = path.join(mountPoint, `${ownPrefix}${runId}`)
    for (const name of foldersIn(ofRun)) removeQuietly(path.join(ofRun, name))
    removeQuietly(ofRun)
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

function removeQuietly(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Not there, or something still runs in it.
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
