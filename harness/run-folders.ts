/** The runs that are kept, each in a folder of its own below another one: found, read, and the oldest removed. */
import { readdir, readlink, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { UsageError } from './errors.ts'
import type { KeptRun } from './report/run-list.ts'
import { readSavedResult } from './saved-result.ts'

/** `2026-11-25T09-57-50-105c`: nothing else below reports/ is a run, and nothing else is ever removed. */
export const runName = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[0-9a-f]{4}$/
/** A folder that changed in the last minutes may be a run that goes on. */
const restMs = 5 * 60_000

/** A run by its name below the folder of runs, or by any path. */
export function folderOf(run: string, out: string): string {
  return run.includes(path.sep) ? path.resolve(run) : path.join(out, run)
}

/** The kept runs, the newest first. Throws UsageError for a folder that cannot be read. */
export async function keptRuns(out: string): Promise<KeptRun[]> {
  const runs = await runNames(out)
  return Promise.all(runs.map(async (name) => ({ name, result: await readSavedResult(path.join(out, name)).catch(() => null), bytes: await bytesIn(path.join(out, name)) })))
}

async function runNames(out: string): Promise<string[]> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${out} cannot be read (${error.code}); give the folder of the runs with --out.`)
  })
  return names.filter((name) => runName.test(name)).toSorted().toReversed()
}

/**
 * Removes all but the newest `keep` runs; never the latest one, nor one that may still be going on.
 * Returns the names of those that went, or would go.
 */
export async function pruneRuns(out: string, keep: number, dryRun: boolean): Promise<string[]> {
  const latest = await readlink(path.join(out, 'latest')).catch(() => '')
  const old = (await runNames(out)).slice(keep).filter((name) => name !== path.basename(latest))
  const resting = await Promise.all(old.map((name) => isResting(path.join(out, name))))
  const going = old.filter((_name, index) => resting[index])
  if (!dryRun) for (const name of going) await rm(path.join(out, name), { recursive: true, force: true })
  return going
}

async function isResting(folder: string): Promise<boolean> {
  const entries = [folder, ...(await readdir(folder)).map((name) => path.join(folder, name))]
  const times = await Promise.all(entries.map(async (entry) => (await stat(entry).catch(() => null))?.mtimeMs ?? 0))
  return Date.now() - Math.max(...times) > restMs
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = entries.filter((entry) => entry.isFile()).map(async (entry) => (await stat(path.join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
