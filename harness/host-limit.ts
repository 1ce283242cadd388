/** How many readers this host can hold, before anything is blamed on the subject. */
import { readFile } from 'node:fs/promises'

/** Descriptors a process needs beside its connections. */
const reserve = 300

/**
 * The fleet and the cache need one descriptor a reader each; over h2 the TLS edge needs one a
 * reader towards the cache. All of them live under the same hard limit.
 */
export async function hostLimit(readers: number): Promise<{ readersMax: number; because: string }> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const line = limits.split('\n').find((candidate) => candidate.startsWith('Max open files'))
  const hard = Number(line?.split(/\s{2,}/)[2] ?? Number.NaN)
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '32768 60999')
  const [low = 32768, high = 60999] = range.trim().split(/\s+/).map(Number)
  const byPorts = high - low - reserve
  if (!Number.isFinite(hard)) return { readersMax: Math.min(readers, byPorts), because: `${byPorts} local ports are free.` }
  const byFiles = hard - reserve
  const readersMax = Math.max(1, Math.min(byFiles, byPorts))
  const because = byFiles < byPorts ? `its limit of open files is ${hard} (ulimit -Hn).` : `its range of local ports is ${low}-${high}.`
  return { readersMax, because }
}
