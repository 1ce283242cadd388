/**
 * The directives of a Caddyfile with their places, snippets and imported files put in. Caddy's own adapter
 * says what a file means, and loses where it was written; this says where, and decides nothing.
 */
import { importedFiles } from './caddyfile.ts'
import { linesOfTokens, type CaddyToken } from './caddyfile-tokens.ts'

export interface CaddyPlace {
  file: string
  line: number
  column: number
}

export interface Word {
  /** Without quotes, variables put in. */
  value: string
  place: CaddyPlace
}

export interface Directive {
  /** Its name first; without the brace of its block. */
  words: Word[]
  /** Null where there is none. */
  block: Directive[] | null
}

export interface Site {
  addresses: Word[]
  block: Directive[]
  place: CaddyPlace
}

export interface CaddyfileTree {
  options: Directive[]
  sites: Site[]
}

export interface TreeOptions {
  /** The text of a file; null where it cannot be read. */
  read(file: string): string | null
  /** Put in for `{$NAME}`. */
  environment: Readonly<Record<string, string>>
}

const depthMax = 20
const directivesMax = 50_000

export function readDirectives(file: string, options: TreeOptions): CaddyfileTree {
  return new Reading(options).tree(file)
}

type Line = (Word & { quoted: boolean })[]

class Reading {
  readonly #options: TreeOptions
  readonly #snippets = new Map<string, Directive[]>()
  #count = 0

  constructor(options: TreeOptions) {
    this.#options = options
  }

  tree(file: string): CaddyfileTree {
    const top = this.#topOf(file, 0)
    const options = top[0] && isOptions(top[0]) ? top[0].block : null
    const rest = options ? top.slice(1) : top
    return { options: this.#expand(options ?? [], 0), sites: this.#sitesOf(rest) }
  }

  /** Top-level directives of a file and those it imports; snippets are noted by their names. */
  #topOf(file: string, depth: number): Directive[] {
    const text = this.#options.read(file)
    if (text === null || depth > depthMax) return []
    const lines = this.#linesOf(text, file)
    return blockOf(lines, 0).block.flatMap((one) => {
      const name = /^\((.+)\)$/.exec(one.words[0]?.value ?? '')?.[1]
      if (name !== undefined) {
        this.#snippets.set(name, one.block ?? [])
        return []
      }
      const imported = one.words[0]?.value === 'import' ? one.words[1] : undefined
      if (!imported) return [one]
      if (this.#snippets.has(imported.value)) return this.#imported(one, depth)
      return filesOf(imported).flatMap((name) => this.#topOf(name, depth + 1))
    })
  }

  #sitesOf(top: readonly Directive[]): Site[] {
    const sites: Site[] = []
    for (let at = 0; at < top.length; at += 1) {
      const addresses: Word[] = [...top[at]!.words]
      // A list of addresses goes on behind a comma.
      while (top[at]!.block === null && addresses.at(-1)?.value.endsWith(',') && top[at + 1]) addresses.push(...top[(at += 1)]!.words)
      const own = top[at]!
      const place = addresses[0]?.place
      if (!place || addresses[0]!.value.startsWith('&(')) continue
      // The only site of a file needs no braces: all that follows is its block.
      if (own.block === null) return [...sites, { addresses: split(addresses), block: this.#expand(top.slice(at + 1), 0), place }]
      sites.push({ addresses: split(addresses), block: this.#expand(own.block, 0), place })
    }
    return sites
  }

  /** With snippets and files in the places of their imports. */
  #expand(block: readonly Directive[], depth: number): Directive[] {
    return block.flatMap((one) => {
      this.#count += 1
      if (this.#count > directivesMax || depth > depthMax) return []
      if (one.words[0]?.value === 'import') return this.#imported(one, depth)
      return [{ words: one.words, block: one.block && this.#expand(one.block, depth) }]
    })
  }

  #imported({ words }: Directive, depth: number): Directive[] {
    const name = words[1]
    if (!name) return []
    const snippet = this.#snippets.get(name.value)
    const block = snippet ?? filesOf(name).flatMap((file) => blockOf(this.#linesOf(this.#options.read(file) ?? '', file), 0).block)
    const given = words.slice(2).map(({ value }) => value)
    return this.#expand(block.map((one) => withArguments(one, given)), depth + 1)
  }

  #linesOf(text: string, file: string): Line[] {
    return linesOfTokens(text).map((line) => line.map((token) => this.#word(token, file)))
  }

  #word({ value, line, column, quoted }: CaddyToken, file: string): Line[number] {
    return { value: withVariables(value, this.#options.environment), place: { file, line, column }, quoted }
  }
}

/** `{$NAME}` and `{$NAME:default}`, as Caddy puts them in while it reads. */
function withVariables(value: string, environment: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\{\$([^}:]+)(?::([^}]*))?\}/g, (_whole, name: string, fallback?: string) => environment[name] || (fallback ?? ''))
}

function blockOf(lines: readonly Line[], from: number): { block: Directive[]; next: number } {
  const block: Directive[] = []
  let at = from
  while (at < lines.length && !isBrace(lines[at]!, '}')) {
    const line = lines[at]!
    const opens = line.at(-1)!.value === '{' && !line.at(-1)!.quoted
    const words = (opens ? line.slice(0, -1) : line).map(({ value, place }) => ({ value, place }))
    const inner = opens ? blockOf(lines, at + 1) : null
    block.push({ words, block: inner?.block ?? null })
    at = inner?.next ?? at + 1
  }
  return { block, next: at + 1 }
}

function isBrace([first, more]: Line, brace: string): boolean {
  return more === undefined && first?.value === brace && !first.quoted
}

function isOptions({ words, block }: Directive): boolean {
  return words.length === 0 && block !== null
}

/** `{args[0]}`, `{args.0}` and `{args[:]}` of a snippet. */
function withArguments({ words, block }: Directive, given: readonly string[]): Directive {
  return {
    words: words.map((word) => ({ ...word, value: word.value.replaceAll(/\{args(?:\[(\d*):?\d*\]|\.(\d+))\}/g, (_whole, one?: string, other?: string) => (one === '' ? given.join(' ') : (given[Number(one ?? other)] ?? ''))) })),
    block: block && block.map((one) => withArguments(one, given)),
  }
}

function filesOf({ value, place }: Word): string[] {
  return value === '' ? [] : importedFiles(value, place.file)
}

/** `a.example, b.example` and `a.example,b.example`: each address with the place that it begins at. */
function split(words: readonly Word[]): Word[] {
  return words.flatMap(({ value, place }) => {
    let column = place.column
    return value.split(',').flatMap((part) => {
      const word = { value: part, place: { ...place, column } }
      column += part.length + 1
      return part === '' ? [] : [word]
    })
  })
}

/** All directives of a block, those in the blocks below them too. */
export function allDirectives(block: readonly Directive[]): Directive[] {
  return block.flatMap((one) => [one, ...allDirectives(one.block ?? [])])
}
