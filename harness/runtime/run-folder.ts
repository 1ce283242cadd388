/**
 * Where runs keep their temporary folders, and how a run that died is told from one that lives.
 *
 *   <tmp>/durable-streams-simulation-<uid>/<run>/owner.json     harness and supervisor, by identity
 *                                               /<name>-XXXXXX   one temporary folder
 *
 * Folders may be passed through by other users (a cache may give up its privileges), not listed.
 */
import { readlinkSync } from 'node:fs'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { UsageError } from '../errors.ts'
import { killUntilGone } from './ending.ts'
import { releaseKernel } from './kernel-leftovers.ts'
import { bootId, identityOf, isAlive, pidsWithEnvironment, runTag, type ProcessIdentity } from './process-table.ts'

const passableMode = 0o711
/** Not a run yet: its owner is still being written. */
const unfinishedPrefix = '.new-'
/** Claimed by whoever removes it. */
const deadPrefix = '.dead-'
const unfinishedMsMax = 3_600_000

/** Process numbers mean something only within one boot and one process namespace of one host. */
interface Place {
  hostname: string
  bootId: string
  processNamespace: string
}

/** Who has to be dead before what a run left is removed. */
export interface Owner {
  runId: string
  place: Place
  harness: ProcessIdentity
  supervisor: ProcessIdentity | null
}

function here(): Place {
  return {
    hostname: hostname(),
    bootId: bootId(),
    processNamespace: readlinkSync('/proc/self/ns/pid'),
  }
}

/** The folder of all of this user's runs. */
export function runsFolder(): string {
  return path.join(tmpdir(), `durable-streams-simulation-${userInfo().uid}`)
}

/**
 * Creates the folder of a run, owned by this process. Returns its path.
 * @throws UsageError when somebody else made the folder of this user's runs
 */
export async function createRunFolder(runId: string): Promise<string> {
  const unfinished = await createUnfinished(runsFolder())
  await chmod(unfinished, passableMode)
  const owner: Owner = { runId, place: here(), harness: identityOf(process.pid)!, supervisor: null }
  await writeOwner(unfinished, owner)
  const folder = path.join(runsFolder(), runId)
  await rename(unfinished, folder)
  return folder
}

const triesMax = 5

/** The last run to end removes the folder of all runs; it may do so between two looks. */
async function createUnfinished(runs: string, tries = 1): Promise<string> {
  // Something else of this name is told below, as what it is.
  await mkdir(runs, { recursive: true, mode: passableMode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  try {
    const found = await lstat(runs)
    if (!found.isDirectory() || found.uid !== userInfo().uid) {
      throw new UsageError(`${runs} is not a folder of this user: remove it, or set TMPDIR to another place.`)
    }
    return await mkdtemp(path.join(runs, unfinishedPrefix))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === triesMax) throw error
    return createUnfinished(runs, tries + 1)
  }
}

/** Notes the supervisor beside the harness: while either lives, the run does. */
export async function addSupervisor(folder: string, supervisor: ProcessIdentity): Promise<void> {
  const owner = await readOwner(folder)
  if (owner) await writeOwner(folder, { ...owner, supervisor })
}

/** Replaced as a whole: nobody ever reads half of it. */
async function writeOwner(folder: string, owner: Owner): Promise<void> {
  const file = path.join(folder, 'owner.json')
  await writeFile(`${file}.new`, JSON.stringify(owner))
  await rename(`${file}.new`, file)
}

/** Null where it cannot be read. */
export async function readOwner(folder: string): Promise<Owner | null> {
  try {
    return JSON.parse(await readFile(path.join(folder, 'owner.json'), 'utf8')) as Owner
  } catch {
    return null
  }
}

/** A fresh folder below a run's. `name` stays readable in its path. */
export async function createTemporaryFolder(runFolder: string, name: string): Promise<string> {
  const folder = await mkdtemp(path.join(runFolder, `${name.replaceAll(/[^\w.-]/g, '-')}-`))
  await chmod(folder, passableMode)
  return folder
}

/** Removes a folder with all it holds, however often it is asked, also while files are still appearing. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
}

/** Removes the folder of a run and what it had in the kernel, and the folder of all runs when it was the last. */
export async function removeRunFolder(folder: string): Promise<void> {
  releaseKernel(path.basename(folder), folder)
  await removeFolder(folder)
  await rmdir(path.dirname(folder)).catch(() => {})
}

/**
 * Removes what dead runs of this user left: processes that still carry their tag, and their folders.
 * Returns the ids of those runs. A run whose owner cannot be judged from here is left alone.
 */
export async function sweepDeadRuns(): Promise<string[]> {
  const runs = runsFolder()
  const swept: string[] = []
  for (const name of await readdir(runs).catch(() => [])) {
    const folder = path.join(runs, name)
    if (name.startsWith(deadPrefix) || (await isForgotten(folder, name))) await removeFolder(folder)
    if (name.startsWith('.')) continue
    const owner = await readOwner(folder)
    if (owner && isDead(owner) && (await removeDeadRun(owner, folder, name))) swept.push(name)
  }
  // This run may have ended while the others were removed.
  if (swept.length > 0) await rmdir(runs).catch(() => {})
  return swept
}

/** Living processes of a run: tagged with it, or with their home in its folder (compilers, adapters). */
export function pidsOfRun(runId: string, runFolder: string): number[] {
  return pidsWithEnvironment([`${runTag}=${runId}\0`, `HOME=${runFolder}/`])
}

/** The first to rename a folder removes it; the others find nothing. */
async function removeDeadRun(owner: Owner, folder: string, name: string): Promise<boolean> {
  if (owner.place.bootId === here().bootId) {
    await killUntilGone(() => pidsOfRun(owner.runId, folder), `the dead run ${owner.runId}`, 5_000)
    releaseKernel(owner.runId, folder)
  }
  const claimed = path.join(runsFolder(), `${deadPrefix}${name}-${process.pid}`)
  try {
    await rename(folder, claimed)
  } catch {
    return false
  }
  await removeFolder(claimed)
  return true
}

/** True when neither harness nor supervisor lives, as far as this host can judge. */
export function isDead({ place, harness, supervisor }: Owner): boolean {
  const own = here()
  if (place.hostname !== own.hostname) return false
  if (place.bootId !== own.bootId) return true
  if (place.processNamespace !== own.processNamespace) return false
  return !isAlive(harness) && (supervisor === null || !isAlive(supervisor))
}

/** Killed in the instant between making its folder and naming it. */
async function isForgotten(folder: string, name: string): Promise<boolean> {
  if (!name.startsWith(unfinishedPrefix)) return false
  const found = await stat(folder).catch(() => null)
  return found !== null && Date.now() - found.mtimeMs > unfinishedMsMax
}
