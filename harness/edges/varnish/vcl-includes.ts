/** Puts a VCL's includes in their places and remembers where each line came from. */
import { globSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { UsageError } from '../../errors.ts'
import { tokenizeVcl, type VclToken } from './vcl-tokens.ts'

export interface SourceLine {
  readonly file: string
  /** From 1. */
  readonly line: number
}

export interface ExpandedVcl {
  readonly text: string
  /** For each line of `text` the user's file and line. */
  readonly lines: SourceLine[]
  /** Every file that was read, the first one included. */
  readonly files: string[]
}

const depthMax = 20
const filesMax = 200
const fileBytesMax = 4 * 1024 * 1024

interface Chunk extends SourceLine {
  readonly text: string
}

/**
 * Replaces every `include` by the file it names, searched as Varnish does: absolute, relative to
 * the including file when it begins with `./`, else in the folders of `vclPath`.
 *
 * @throws UsageError with `file:line` when a file can not be read or includes never end.
 */
export function expandIncludes(
  source: string,
  file: string,
  vclPath: readonly string[],
): ExpandedVcl {
  const files = [file]
  const chunks = expand(source, file, { vclPath, files, depth: 0 })
  const text = chunks.map((chunk) => chunk.text).join('')
  return { text, lines: linesOf(chunks), files: [...new Set(files)] }
}

interface Expansion {
  readonly vclPath: readonly string[]
  readonly files: string[]
  readonly depth: number
}

function expand(source: string, file: string, expansion: Expansion): Chunk[] {
  const tokens = tokenizeVcl(source)
  const chunks: Chunk[] = []
  let copied = 0
  let line = 1
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' || token.text !== 'include') continue
    const statement = readInclude(tokens, index)
    if (statement === null) continue
    chunks.push({ text: source.slice(copied, token.start), file, line })
    const place = { file, line: token.line }
    chunks.push(...included(statement, place, expansion))
    const covered = source.slice(token.start, statement.end)
    line = token.line + covered.split('\n').length - 1
    copied = statement.end
  }
  chunks.push({ text: source.slice(copied), file, line })
  return chunks
}

interface Include {
  readonly pattern: string
  readonly isGlob: boolean
  readonly end: number
}

/** `include "file";` or `include +glob "pattern";`; null where it is neither. */
function readInclude(tokens: readonly VclToken[], index: number): Include | null {
  const isGlob = tokens[index + 1]?.text === '+' && tokens[index + 2]?.text === 'glob'
  const name = tokens[index + (isGlob ? 3 : 1)]
  const stop = tokens[index + (isGlob ? 4 : 2)]
  if (name?.kind !== 'string' || stop?.text !== ';') return null
  return { pattern: name.value, isGlob, end: stop.end }
}

function included(include: Include, place: SourceLine, expansion: Expansion): Chunk[] {
  if (expansion.depth >= depthMax) {
    throw new UsageError(
      `${place.file}:${place.line}: includes go more than ${depthMax} files deep; ` +
        'a file probably includes itself.',
    )
  }
  const paths = include.isGlob ? globbed(include.pattern, place) : [include.pattern]
  return paths.flatMap((pattern) => {
    const path = find(pattern, place, expansion.vclPath)
    expansion.files.push(path)
    if (expansion.files.length > filesMax) {
      throw new UsageError(`${place.file}:${place.line}: more than ${filesMax} files are included.`)
    }
    const text = withoutVersion(readInclusion(path, place))
    const inner = expand(text, path, { ...expansion, depth: expansion.depth + 1 })
    // A last line that is a comment must not swallow what follows the include.
    return [...inner, { text: '\n', ...place }]
  })
}

function globbed(pattern: string, place: SourceLine): string[] {
  const absolute = isAbsolute(pattern) ? pattern : resolve(dirname(place.file), pattern)
  return globSync(absolute).toSorted()
}

function find(name: string, place: SourceLine, vclPath: readonly string[]): string {
  if (isAbsolute(name)) return name
  if (name.startsWith('./')) return resolve(dirname(place.file), name)
  const folders = vclPath.map((folder) => join(folder, name))
  return folders.find(exists) ?? resolve(dirname(place.file), name)
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function readInclusion(path: string, place: SourceLine): string {
  try {
    const size = statSync(path).size
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes, more than ${fileBytesMax}`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `${place.file}:${place.line}: the included file can not be read: ${reason}.`,
    )
  }
}

/** Varnish allows `vcl 4.1;` in an included file, but in one text only at its beginning. */
function withoutVersion(text: string): string {
  const [word, version, stop] = tokenizeVcl(text)
  if (word?.text !== 'vcl' || version === undefined || stop?.text !== ';') return text
  const kept = text.slice(word.start, stop.end).replace(/[^\n]/g, ' ')
  return text.slice(0, word.start) + kept + text.slice(stop.end)
}

/** A line of the result comes from where its first character does. */
function linesOf(chunks: readonly Chunk[]): SourceLine[] {
  const lines: SourceLine[] = []
  let here: SourceLine | null = null
  for (const chunk of chunks) {
    const parts = chunk.text.split('\n')
    for (const [offset, part] of parts.entries()) {
      const place = { file: chunk.file, line: chunk.line + offset }
      if (part !== '') here ??= place
      if (offset === parts.length - 1) continue
      lines.push(here ?? place)
      here = null
    }
  }
  if (here) lines.push(here)
  return lines
}
