/** `--watch`: runs again whenever one of its files has become another, and cuts short what the change overtook. */
import { readFileSync, watch, type FSWatcher } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { exitCodes, Interrupted } from './errors.ts'
import { sha256 } from './sha256.ts'
import { aborted } from './until.ts'

export interface WatchedRuns {
  /** Where it begins; a run may name more. */
  files: readonly string[]
  /** Makes one run, shows it, and returns its exit code. Never throws. `reads` tells of a file that it reads. */
  run(signal: AbortSignal, reads: (file: string) => void, nth: number): Promise<number>
  /** Ends it all. */
  signal: AbortSignal
  say(line: string): void
}

/** Editors write a file in several steps, and people save several files. */
const quietMs = 200

/** Returns the exit code of the last run. */
export async function watchRuns({ files, run, signal, say }: WatchedRuns): Promise<number> {
  using watched = new WatchedFiles(files)
  let code: number = exitCodes.unknown
  for (let nth = 1; !signal.aborted; nth += 1) {
    const change = watched.nextChange()
    const overtaken = new AbortController()
    void change.then((file) => overtaken.abort(new Interrupted(`${file} was changed.`, exitCodes.interrupted)))
    code = await run(AbortSignal.any([signal, overtaken.signal]), (file) => watched.add(file), nth)
    if (signal.aborted) break
    if (!overtaken.signal.aborted) say(`Watching ${watched.size} files: ${watched.names}. A change runs it again; Ctrl-C ends.`)
    const changed = await Promise.race([change, aborted(signal)])
    if (changed !== undefined) say(`${path.relative(process.cwd(), changed)} was changed.`)
  }
  return code
}

/** Known by their folders, since an editor may put another file in the place of the old one. */
class WatchedFiles implements Disposable {
  #hashes = new Map<string, string>()
  #folders = new Map<string, FSWatcher>()
  #touched = new Set<string>()
  #isLooking = false
  #waiting: PromiseWithResolvers<string> | null = null

  constructor(files: readonly string[]) {
    for (const file of files) this.add(file)
  }

  get size(): number {
    return this.#hashes.size
  }

  get names(): string {
    const names = [...this.#hashes.keys()].map((file) => path.basename(file))
    return names.length > 5 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ')
  }

  add(name: string): void {
    const file = path.resolve(name)
    if (this.#hashes.has(file)) return
    this.#hashes.set(file, hashOf(file))
    const folder = path.dirname(file)
    if (this.#folders.has(folder)) return
    try {
      const watcher = watch(folder, (_event, changed) => this.#touch(path.join(folder, changed ?? '')))
      // A folder that is removed: what is wrong with that the next run tells.
      watcher.on('error', () => {})
      this.#folders.set(folder, watcher)
    } catch {
      // No such folder: the run says so, and a change of the others starts the next.
    }
  }

  /** Resolves with the first file that has other content than it had. */
  nextChange(): Promise<string> {
    this.#waiting = Promise.withResolvers<string>()
    return this.#waiting.promise
  }

  #touch(file: string): void {
    if (!this.#hashes.has(file)) return
    this.#touched.add(file)
    if (!this.#isLooking) void this.#look()
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    for (let before = -1; before !== this.#touched.size; ) {
      before = this.#touched.size
      await delay(quietMs)
    }
    const changed = [...this.#touched].filter((file) => hashOf(file) !== this.#hashes.get(file))
    this.#touched.clear()
    this.#isLooking = false
    for (const file of changed) this.#hashes.set(file, hashOf(file))
    if (changed.length > 0) this.#waiting?.resolve(changed[0]!)
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#folders.values()) watcher.close()
  }
}

/** Of a file that is not there, or not now, empty. */
function hashOf(file: string): string {
  try {
    return sha256(readFileSync(file))
  } catch {
    return ''
  }
}
