/** The folder of one run: made at the very start, and removed again when nothing came to be judged. */
import { existsSync, lstatSync } from 'node:fs'
import { access, constants, lchown, mkdir, readdir, rm, rmdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { UsageError } from './errors.ts'

const freeBytesMin = 1024 ** 3

export interface OutputFolder extends AsyncDisposable {
  /** `<out>/<run-id>`. */
  readonly path: string
}

/**
 * Makes the folder of a run. Disposing of it removes what was made, unless a `result.json` stands in it; under sudo
 * that belongs to whom sudo speaks for.
 * @throws UsageError when nothing can be written there or where temporary data goes, or either disk is almost full
 */
export async function makeOutputFolder(out: string, runId: string): Promise<OutputFolder> {
  const folder = path.join(out, runId)
  const made: string[] = []
  const remove = async () => {
    if (existsSync(path.join(folder, 'result.json'))) return giveToCaller([...made, path.join(out, 'latest')], folder)
    if (made.includes(folder)) await rm(folder, { recursive: true, force: true })
    // Folders above it that were not there before go as well, unless something else lies in them by now.
    for (const parent of made.toReversed()) await rmdir(parent).catch(() => {})
  }
  try {
    for (const level of missingLevels(folder)) if (await makeLevel(level, out)) made.push(level)
    await checkRoom(folder, `the output folder ${out} is`, 'give another one with --out')
    await checkTemporary(tmpdir())
  } catch (error) {
    await remove()
    throw error
  }
  return { path: folder, [Symbol.asyncDispose]: remove }
}

/** Root's could not be removed by that user. https://www.sudo.ws/docs/man/sudo.man/#ENVIRONMENT */
async function giveToCaller(above: string[], folder: string): Promise<void> {
  const { SUDO_UID, SUDO_GID } = process.env
  if (process.getuid?.() !== 0 || !SUDO_UID || !SUDO_GID) return
  const below = await readdir(folder, { recursive: true })
  // What cannot be given is theirs to read all the same.
  for (const entry of [...above, ...below.map((name) => path.join(folder, name))]) await lchown(entry, Number(SUDO_UID), Number(SUDO_GID)).catch(() => {})
}

/** The folders on this path that are not there, uppermost first. */
function missingLevels(folder: string): string[] {
  return isThere(folder) ? [] : [...missingLevels(path.dirname(folder)), folder]
}

/** A link to nowhere is there. Why a path cannot even be looked at is told when it is made. */
function isThere(folder: string): boolean {
  try {
    return lstatSync(folder, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** One at a time: Node goes on for ever where it shall make several at once below /proc. */
async function makeLevel(folder: string, out: string): Promise<boolean> {
  try {
    await mkdir(folder)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Another run was quicker.
    if (code === 'EEXIST') return false
    throw new UsageError(`Nothing can be written to the output folder ${out} (${code}); give another one with --out.`)
  }
}

async function checkTemporary(folder: string): Promise<void> {
  const remedy = 'set TMPDIR to another one'
  try {
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`Nothing can be written to the folder for temporary data ${folder} (${code}); ${remedy}.`)
  }
  await checkRoom(folder, `temporary data goes (${folder})`, remedy)
}

async function checkRoom(folder: string, where: string, remedy: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= freeBytesMin) return
  const mebibytes = (bytes: number) => Math.round(bytes / 1024 ** 2).toLocaleString('en-US')
  throw new UsageError(
    `Only ${mebibytes(bavail * bsize)} MiB are free where ${where}; a run needs ${mebibytes(freeBytesMin)} MiB: free some, or ${remedy}.`,
  )
}
