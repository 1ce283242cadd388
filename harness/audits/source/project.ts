/** The user's source files as a whole: which file an import means. Pure. */
import path from 'node:path'
import { Scopes } from './scopes.ts'
import { Syntax } from './syntax.ts'

export interface SourceText {
  /** As the user would name it, relative to where the command runs. */
  file: string
  text: string
  /** From the folder of its package.json on: what tells tests from production code. */
  inPackage: string
  /** Named by a glob; others were read because a named one imports them, and are not judged. */
  judged: boolean
}

/** `compilerOptions.paths` of a tsconfig, with absolute-like bases: `@/*` -> `src/*`. */
export interface PathAlias {
  pattern: string
  targets: string[]
}

export interface SourceFile {
  file: string
  judged: boolean
  syntax: Syntax
  scopes: Scopes
}

const endings = ['', '.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json', '/index.ts', '/index.tsx', '/index.js', '/index.jsx', '/index.mjs']

export class Project {
  readonly #texts = new Map<string, SourceText>()
  readonly #files = new Map<string, SourceFile | null>()
  aliases: readonly PathAlias[]

  constructor(texts: readonly SourceText[] = [], aliases: readonly PathAlias[] = []) {
    for (const one of texts) this.add(one)
    this.aliases = aliases
  }

  get texts(): ReadonlyMap<string, SourceText> {
    return this.#texts
  }

  /** A file named twice keeps that it is judged. */
  add(source: SourceText): void {
    const before = this.#texts.get(source.file)
    this.#texts.set(source.file, before ? { ...before, judged: before.judged || source.judged } : source)
  }

  /** The parsed file; null for one that is not there or cannot be parsed. Parsed once. */
  file(name: string): SourceFile | null {
    const known = this.#files.get(name)
    if (known !== undefined) return known
    const made = this.#parse(name)
    this.#files.set(name, made)
    return made
  }

  #parse(name: string): SourceFile | null {
    const source = this.#texts.get(name)
    if (!source || name.endsWith('.json')) return null
    const syntax = new Syntax(name, source.text)
    let scopes: Scopes | undefined
    return {
      file: name,
      judged: source.judged,
      syntax,
      get scopes() {
        return (scopes ??= new Scopes(syntax))
      },
    }
  }

  /** The file that `request` means when `from` imports it; null for a package, or a file that was not read. */
  resolve(request: string, from: string): string | null {
    return candidates(request, from, this.aliases).find((name) => this.#texts.has(name)) ?? null
  }
}

/** Every file that an import could mean, the likeliest first; none for a package. */
export function candidates(request: string, from: string, aliases: readonly PathAlias[]): string[] {
  const bare = request.replace(/\?.*$/, '')
  const bases = bare.startsWith('.') ? [path.posix.join(path.posix.dirname(from), bare)] : aliases.flatMap((alias) => expand(alias, bare))
  return bases.flatMap((base) => {
    // TypeScript files are imported by the names that they will have.
    const written = base.replace(/\.([mc]?)js(x?)$/, '.$1ts$2')
    return [...(written === base ? [] : [written, `${written}x`]), ...endings.map((ending) => base + ending)]
  })
}

function expand({ pattern, targets }: PathAlias, request: string): string[] {
  const [before, after] = pattern.split('*', 2) as [string, string | undefined]
  if (after === undefined) return pattern === request ? targets : []
  if (!request.startsWith(before) || !request.endsWith(after) || request.length < before.length + after.length) return []
  const middle = request.slice(before.length, request.length - after.length)
  return targets.map((target) => target.replace('*', () => middle))
}
