/** What the hops cost: CPU, memory, what they hold open and what they move, the same for processes and containers. */
import { hopWords } from '../../hop-words.ts'
import { bytes, duration, number, percent } from '../figures.ts'
import type { HopCost, Measurements, Result } from '../result.ts'
import { html, type Content } from './markup.ts'
import { table, type Column } from './table.ts'

/** Of one scenario. */
export function usage({ usage: seen }: Measurements): Content {
  if (seen === undefined || seen.hops.length === 0) return ''
  const passed = seen.loopbackBytes === null ? '' : html`<p class="quiet">${bytes(seen.loopbackBytes)} passed the network that all of them, readers and writers meet on.</p>`
  return html`<details><summary>What each hop cost</summary>${table('What each hop cost', columns, seen.hops)}${passed}</details>`
}

/** Over all scenarios: what is counted is added, the most is the most of any. */
export function usageOfRun({ scenarios, runtime }: Pick<Result, 'scenarios' | 'runtime'>): Content {
  const all = scenarios.flatMap(({ measurements }) => measurements.usage?.hops ?? [])
  const hops = (['tls', 'edge', 'tap', 'origin'] as const).flatMap((hop) => together(all.filter((one) => one.hop === hop)) ?? [])
  if (hops.length === 0) return ''
  return html`${table(`What each hop cost over the run, ${runtime === 'containers' ? 'by its container' : 'by its processes'}`, columns, hops)}
    <p class="quiet">100 % is one processor. Read and written are all its bytes: network, files and pipes. The hops share one loopback device, so that nothing tells the network's part by hop. The tap counts requests between cache and origin; it is the simulator's own.</p>`
}

function together(costs: readonly HopCost[]): HopCost | undefined {
  return costs.reduce<HopCost | undefined>((sum, one) => (sum === undefined ? one : added(sum, one)), undefined)
}

function added(one: HopCost, other: HopCost): HopCost {
  const names = Object.keys(one).filter((name) => name !== 'hop') as Exclude<keyof HopCost, 'hop'>[]
  const both = names.map((name) => [name, name.endsWith('Max') ? Math.max(one[name], other[name]) : one[name] + other[name]])
  return { ...one, ...Object.fromEntries(both) }
}

const columns: Column<HopCost>[] = [
  { head: 'Hop', cell: ({ hop }) => (hop === 'tap' ? 'tap' : hopWords[hop]) },
  { head: 'CPU time', figures: true, cell: ({ cpuMs }) => duration(cpuMs) },
  { head: 'CPU, at most', figures: true, cell: ({ cpuShareMax }) => percent(cpuShareMax) },
  { head: 'Memory, at most', figures: true, cell: ({ memoryBytesMax }) => bytes(memoryBytesMax) },
  { head: 'Processes, threads, at most', figures: true, cell: ({ processesMax, threadsMax }) => `${number(processesMax)}, ${number(threadsMax)}` },
  { head: 'Open files, at most', figures: true, cell: ({ openFilesMax }) => number(openFilesMax) },
  { head: 'Disk read, written', figures: true, cell: ({ diskReadBytes, diskWrittenBytes }) => `${bytes(diskReadBytes)}, ${bytes(diskWrittenBytes)}` },
  { head: 'Read, written', figures: true, cell: ({ readBytes, writtenBytes }) => `${bytes(readBytes)}, ${bytes(writtenBytes)}` },
  { head: 'Looks', figures: true, cell: ({ looks }) => number(looks) },
]
