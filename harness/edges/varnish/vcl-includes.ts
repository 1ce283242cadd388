/** How a VCL includes other files. */
import { globSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Include, IncludeRules } from '../../confine/includes.ts'
import { tokenizeVcl, type VclToken } from './vcl-tokens.ts'

const defaultVclPath = ['/etc/varnish', '/usr/share/varnish/vcl']

/**
 * Files are searched as Varnish does: absolute, relative to the including file when they begin with
 * `./`, else in the folders of `vclPath`: Varnish's own by default.
 */
export function vclIncludes(vclPath: readonly string[] = defaultVclPath): IncludeRules {
  return {
    find(source) {
      const tokens = tokenizeVcl(source)
      return tokens.flatMap((_token, index) => readInclude(tokens, index) ?? [])
    },
    resolve: ({ name, isGlob }, file) => (isGlob ? globbed(name, file) : [name]).map((path) => find(path, file, vclPath)),
    prepare: withoutVersion,
  }
}

/** `include "file";` or `include +glob "pattern";`; null where it is neither. */
function readInclude(tokens: readonly VclToken[], index: number): Include | null {
  const token = tokens[index]
  if (token?.kind !== 'word' || token.text !== 'include') return null
  const isGlob = tokens[index + 1]?.text === '+' && tokens[index + 2]?.text === 'glob'
  const name = tokens[index + (isGlob ? 3 : 1)]
  const stop = tokens[index + (isGlob ? 4 : 2)]
  if (name?.kind !== 'string' || stop?.text !== ';') return null
  return { name: name.value, isGlob, start: token.start, end: stop.end, line: token.line }
}

function globbed(pattern: string, file: string): string[] {
  const absolute = isAbsolute(pattern) ? pattern : resolve(dirname(file), pattern)
  return globSync(absolute).toSorted()
}

function find(name: string, file: string, vclPath: readonly string[]): string {
  if (isAbsolute(name)) return name
  if (name.startsWith('./')) return resolve(dirname(file), name)
  const folders = vclPath.map((folder) => join(folder, name))
  return folders.find(exists) ?? resolve(dirname(file), name)
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Varnish allows `vcl 4.1;` in an included file, but in one text only at its beginning. */
function withoutVersion(text: string): string {
  const [word, version, stop] = tokenizeVcl(text)
  if (word?.text !== 'vcl' || version === undefined || stop?.text !== ';') return text
  const kept = text.slice(word.start, stop.end).replace(/[^\n]/g, ' ')
  return text.slice(0, word.start) + kept + text.slice(stop.end)
}
