/**
 * Reads the user's application: the files that their globs name, what those import, and the
 * package.json they belong to. Everything is bounded; what cannot be read is a note, never a crash.
 */
import { glob, open, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Finding } from './audits/finding.ts'
import { readPackage, type PackageFile } from './audits/source/packages.ts'
import { aliasesOf } from './audits/source/path-aliases.ts'
import { candidates, Project, type PathAlias } from './audits/source/project.ts'
import { UsageError } from './errors.ts'

export interface AppSource {
  globs: string[]
  project: Project
  packages: PackageFile[]
  /** Of files that were named and could not be read or parsed. */
  notes: Finding[]
}

const filesMax = 20_000
const fileBytesMax = 2 * 1024 * 1024
const allBytesMax = 256 * 1024 * 1024
const sourceEndings = /\.[cm]?[jt]sx?$/
const declarations = /\.d\.[cm]?ts$/
/** Source may stand in them, which is not looked at. */
const otherSource = /\.(vue|svelte|astro)$/
const skippedFolders = new Set(['node_modules', '.git'])
const everySource = '**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}'

/**
 * Globs are relative to `cwd`; a folder stands for all source below it.
 *
 * @throws UsageError for a glob that names no source file, and for more than can be held.
 */
export async function gatherApp(globs: readonly string[], cwd: string): Promise<AppSource> {
  const reading = new Reading(cwd)
  for (const pattern of globs) await reading.take(pattern)
  await reading.followImports()
  return { globs: [...globs], project: reading.project, packages: [...reading.packages.values()].filter((one) => one !== null), notes: reading.notes }
}

class Reading {
  readonly cwd: string
  readonly project = new Project()
  readonly packages = new Map<string, PackageFile | null>()
  readonly notes: Finding[] = []
  readonly #aliases = new Map<string, PathAlias[]>()
  readonly #seen = new Set<string>()
  #bytes = 0

  constructor(cwd: string) {
    this.cwd = cwd
  }

  async take(pattern: string): Promise<void> {
    let named = 0
    for (const file of await this.#filesOf(pattern)) {
      if (otherSource.test(file)) this.#note(file, `${path.extname(file)} files are not looked at.`, 'Move what uses Durable Streams into a .ts or .js file.')
      if (!sourceEndings.test(file) || declarations.test(file)) continue
      named += 1
      await this.#add(file, true)
    }
    if (named === 0) throw new UsageError(`--app ${pattern} names no JavaScript or TypeScript file below ${this.cwd}; give a glob in quotes, such as 'src/**/*.{ts,tsx}'.`)
  }

  async #filesOf(pattern: string): Promise<string[]> {
    const found = await statOf(path.resolve(this.cwd, pattern))
    if (found?.isFile()) return [path.resolve(this.cwd, pattern)]
    const files: string[] = []
    const whole = found?.isDirectory() ? path.posix.join(pattern, everySource) : pattern
    for await (const file of glob(whole, { cwd: this.cwd, exclude: (name) => skippedFolders.has(path.basename(name)) })) {
      files.push(path.resolve(this.cwd, file))
      if (files.length > filesMax) throw new UsageError(`--app ${pattern} names more than ${filesMax.toLocaleString('en-US')} files; give a narrower glob.`)
    }
    return files.toSorted()
  }

  /** What judged files import, and what that imports, for the constants in it. */
  async followImports(): Promise<void> {
    for (const file of this.project.texts.keys()) {
      // A Map's keys go on with what is added meanwhile.
      const syntax = this.project.file(file)?.syntax
      if (syntax?.problem) this.#note(file, `It cannot be parsed: ${syntax.problem.message}.`, 'Mend it, or leave it out of --app.', syntax.problem)
      for (const request of syntax?.requests ?? []) await this.#follow(request, file)
    }
  }

  async #follow(request: string, from: string): Promise<void> {
    if (this.project.resolve(request, from)) return
    for (const candidate of candidates(request, from, this.project.aliases)) {
      const absolute = path.resolve(this.cwd, candidate)
      if (!(await statOf(absolute))?.isFile()) continue
      if (sourceEndings.test(candidate) || candidate.endsWith('.json')) await this.#add(absolute, false)
      return
    }
  }

  async #add(absolute: string, judged: boolean): Promise<void> {
    const file = this.#named(absolute)
    // A link to a file that was read already is that file.
    const real = await realpath(absolute).catch(() => absolute)
    if (this.#seen.has(real)) return
    this.#seen.add(real)
    const text = await this.#read(absolute, file, judged)
    if (text === null) return
    await this.#readPackageOf(file)
    this.project.add({ file, text, judged, inPackage: this.#inPackage(file) })
  }

  async #read(absolute: string, file: string, judged: boolean): Promise<string | null> {
    const problem = (message: string) => {
      if (judged) this.#note(file, message, 'Leave it out of --app, or make it readable.')
      return null
    }
    try {
      const found = await stat(absolute)
      if (!found.isFile()) return problem('It is no regular file and was not read.')
      if (found.size > fileBytesMax) return problem(`It has ${found.size.toLocaleString('en-US')} bytes, more than the ${fileBytesMax.toLocaleString('en-US')} that are read.`)
      this.#bytes += found.size
      if (this.#bytes > allBytesMax) throw new UsageError(`The files of --app have more than ${allBytesMax.toLocaleString('en-US')} bytes together; give narrower globs.`)
      const bytes = await bytesOf(absolute)
      if (bytes.includes(0)) return problem('It holds binary data and was not read.')
      return decoded(bytes) ?? problem('It is not UTF-8 and was not read.')
    } catch (error) {
      if (error instanceof UsageError) throw error
      return problem(`It cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`)
    }
  }

  /** The nearest package.json above, and the path aliases beside it. */
  async #readPackageOf(file: string): Promise<void> {
    for (let folder = path.dirname(path.resolve(this.cwd, file)); ; folder = path.dirname(folder)) {
      const known = this.packages.get(folder)
      if (known) return
      if (known === undefined) {
        const bytes = await bytesOf(path.join(folder, 'package.json')).catch(() => null)
        const text = bytes && decoded(bytes)
        const own = text ? readPackage(this.#named(path.join(folder, 'package.json')), text) : null
        this.packages.set(folder, own)
        if (own) await this.#readAliases(folder, own.folder)
        if (own) return
      }
      if (folder === path.dirname(folder)) return
    }
  }

  async #readAliases(folder: string, named: string): Promise<void> {
    for (const name of ['tsconfig.json', 'tsconfig.app.json', 'tsconfig.base.json', 'jsconfig.json']) {
      const bytes = await bytesOf(path.join(folder, name)).catch(() => null)
      const text = bytes && decoded(bytes)
      if (text) this.#aliases.set(`${folder}/${name}`, aliasesOf(text, named))
    }
    this.project.aliases = [...this.#aliases.values()].flat()
  }

  #inPackage(file: string): string {
    const folder = [...this.packages.values()].flatMap((one) => (one && file.startsWith(one.folder) ? one.folder : [])).toSorted((a, b) => b.length - a.length)[0]
    return file.slice(folder?.length ?? 0)
  }

  #named(absolute: string): string {
    return path.relative(this.cwd, absolute).replaceAll(path.sep, '/')
  }

  #note(file: string, message: string, fix: string, at = { line: 1, column: 1 }): void {
    const name = path.isAbsolute(file) ? this.#named(file) : file
    this.notes.push({ rule: 'source', severity: 'note', file: name, line: at.line, column: at.column, message, fix, undecided: true })
  }
}

async function statOf(file: string) {
  return await stat(file).catch(() => null)
}

/** No more than the limit, however the file grows meanwhile. */
async function bytesOf(file: string): Promise<Uint8Array> {
  await using handle = await open(file)
  const buffer = new Uint8Array(fileBytesMax + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}
