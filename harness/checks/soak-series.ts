/** What is watched for hours: its name in the samples, in words, and where its growth hurts. */
import type { HopId } from '../history.ts'
import { hopWords } from '../hop-words.ts'

export type Concern = 'memory' | 'handles' | 'disk' | 'cache' | 'latency'

export interface Watched {
  concern: Concern
  /** 'memory of the origin'. */
  title: string
  unit: 'bytes' | 'ms' | 'count'
  /** Whose restart begins it anew. */
  resetBy: HopId[]
  /** Null for what is shown and not judged. */
  limit: number | null
}

const GiB = 2 ** 30
/** What a container is usually given. */
const memoryBytes = GiB
/** The soft limit that shells and many units start a process with. */
const openFiles = 1_024
/** A request this slow is an outage. */
const latencyMs = 1_000

const ofHops = (Object.entries(hopWords) as [HopId, string][]).flatMap(([hop, word]): [string, Watched][] => [
  // A cache that fills its store has not leaked it.
  [`${hop}.${hop === 'edge' ? 'memoryBeyondStoreBytes' : 'memoryBytes'}`, { concern: 'memory', title: `memory of the ${word}${hop === 'edge' ? ' beyond what it stores' : ''}`, unit: 'bytes', resetBy: [hop], limit: memoryBytes }],
  [`${hop}.openFiles`, { concern: 'handles', title: `open files of the ${word}${hop === 'origin' ? ' beyond those of streams' : ''}`, unit: 'count', resetBy: [hop], limit: openFiles }],
  [`${hop}.threads`, { concern: 'handles', title: `threads of the ${word}`, unit: 'count', resetBy: [hop], limit: 5_000 }],
])

const watched = new Map<string, Watched>([
  ...ofHops,
  ['origin.heapBytes', { concern: 'memory', title: 'heap in use of the origin', unit: 'bytes', resetBy: ['origin'], limit: memoryBytes }],
  ['origin.goroutines', { concern: 'handles', title: 'goroutines of the origin', unit: 'count', resetBy: ['origin'], limit: 50_000 }],
  // A pool of max_file_handles: it fills, and that is what it is for.
  ['origin.dataFiles', { concern: 'handles', title: 'open files of streams', unit: 'count', resetBy: ['origin'], limit: null }],
  ['disk.beyondLiveBytes', { concern: 'disk', title: 'disk in use beyond live data', unit: 'bytes', resetBy: [], limit: 10 * GiB }],
  ['disk.writtenBytes', { concern: 'disk', title: 'bytes acknowledged so far', unit: 'bytes', resetBy: [], limit: null }],
  ['disk.usedBytes', { concern: 'disk', title: 'disk in use', unit: 'bytes', resetBy: [], limit: null }],
  ['cache.objects', { concern: 'cache', title: 'objects in the cache', unit: 'count', resetBy: ['edge'], limit: 1_000_000 }],
  ['cache.bans', { concern: 'cache', title: "entries of the cache's ban list", unit: 'count', resetBy: ['edge'], limit: 100_000 }],
  ['cache.storedBytes', { concern: 'cache', title: 'bytes in the cache', unit: 'bytes', resetBy: ['edge'], limit: null }],
  ['errors', { concern: 'latency', title: 'operations that failed, a second', unit: 'count', resetBy: [], limit: null }],
])

/** Growth below this alarms nobody: garbage not collected yet, connections that come and go. */
const leastGrowth: Record<Concern, number> = { memory: 4 * 2 ** 20, handles: 10, disk: 2 ** 18, cache: 100, latency: 5 }

export function leastGrowthOf({ concern }: Watched): number {
  return leastGrowth[concern]
}

/** Of what is written so much may stay when its stream has gone: of a light load a tight bound, of a heavy one a wide one. */
export const diskShareKept = 0.02

/** So long programs take memory when they have been started; a cache's threads touch their stacks one by one. */
export function settlesMs(name: string): number {
  if (watchedBy(name)?.concern !== 'memory') return 0
  return name.startsWith('edge.') ? 1_500_000 : 240_000
}

/** Names of all samples that a soak takes, in their order. */
export const sampleNames: readonly string[] = [...watched.keys()].filter((name) => name !== 'errors')

/** Undefined for a name that nobody watches. `latency.append.origin` is made as it comes. */
export function watchedBy(name: string): Watched | undefined {
  const latency = /^latency\.(\w+)\.(\S+)$/.exec(name)
  if (latency === null) return watched.get(name)
  return { concern: 'latency', title: `${latency[1]} by way of ${latency[2]}, median`, unit: 'ms', resetBy: ['origin', 'edge', 'tls'], limit: latencyMs }
}
