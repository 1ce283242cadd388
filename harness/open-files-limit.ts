/** What a process may open on this host must be enough for the server itself: its failures would be blamed on it. */
import { UsageError } from './errors.ts'
import { openFilesMax } from './load/fleet/limits.ts'

/** Connections, metadata, logs and libraries: 74 were seen beside the data files. */
const besideData = 256
const filesMin = 512
/** A scenario makes a tenth more streams than it is asked for. */
const streamsShare = 1.1

/**
 * Crowds are held to what the host can hold and told so. A server that may not open the files of its
 * own pool would fail in ways that look like its own.
 * @param poolMax the highest `max_file_handles` that it runs with; null where it has no pool
 * @throws UsageError when this host's hard limit of open files is below what the run needs
 */
export function refuseLowOpenFilesLimit(poolMax: number | null, streams: number, limit = openFilesMax('self', 'hard')): void {
  const data = poolMax === null ? 0 : Math.min(poolMax, Math.ceil(streams * streamsShare))
  const needed = Math.max(filesMin, data + besideData)
  if (limit === undefined || limit >= needed) return
  const figure = (value: number) => value.toLocaleString('en-US')
  const why = data + besideData > filesMin ? ` with max_file_handles ${figure(poolMax!)} and ${figure(streams)} streams` : ''
  const other = why === '' ? '' : ', or give fewer --streams'
  throw new UsageError(
    `A process may open only ${figure(limit)} files on this host (ulimit -Hn), and a run${why} needs ${figure(needed)}: raise the limit${other}.`,
  )
}
