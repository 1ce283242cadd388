/** Puts a configuration's includes in their places and remembers where each line came from. */
import { readFileSync, statSync } from 'node:fs'
import { UsageError } from '../errors.ts'

export interface SourceLine {
  readonly file: string
  /** From 1. */
  readonly line: number
}

export interface Expanded {
  readonly text: string
  /** For each line of `text` the user's file and line. */
  readonly lines: SourceLine[]
  /** Every file that was read, the first one included. */
  readonly files: string[]
}

/** An include statement: where it stands in its source, and what it names. */
export interface Include {
  readonly start: number
  readonly end: number
  /** Of its beginning, from 1. */
  readonly line: number
  readonly name: string
  readonly isGlob: boolean
}

/** How a language of configurations includes. */
export interface IncludeRules {
  /** In their order. */
  find(source: string): Include[]
  /** The files that an include in `file` names. */
  resolve(include: Include, file: string): string[]
  /** What is taken over of an included file; lines keep their numbers. */
  prepare?(text: string): string
}

const depthMax = 20
const filesMax = 200
const fileBytesMax = 4 * 1024 * 1024

interface Chunk extends SourceLine {
  readonly text: string
}

/**
 * Replaces every include by the files it names.
 *
 * @throws UsageError with `file:line` when a file can not be read or includes never end.
 */
export function expandIncludes(source: string, file: string, rules: IncludeRules): Expanded {
  const files = [file]
  const chunks = expand(source, file, { rules, files, depth: 0 })
  const text = chunks.map((chunk) => chunk.text).join('')
  return { text, lines: linesOf(chunks), files: [...new Set(files)] }
}

interface Expansion {
  readonly rules: IncludeRules
  readonly files: string[]
  readonly depth: number
}

function expand(source: string, file: string, expansion: Expansion): Chunk[] {
  const chunks: Chunk[] = []
  let copied = 0
  let line = 1
  for (const include of expansion.rules.find(source)) {
    chunks.push({ text: source.slice(copied, include.start), file, line })
    chunks.push(...included(include, file, expansion))
    const covered = source.slice(include.start, include.end)
    line = include.line + countLines(covered)
    copied = include.end
  }
  chunks.push({ text: source.slice(copied), file, line })
  return chunks
}

function included(include: Include, file: string, { rules, files, depth }: Expansion): Chunk[] {
  const place = { file, line: include.line }
  if (depth >= depthMax) {
    throw new UsageError(
      `${place.file}:${place.line}: includes go more than ${depthMax} files deep; ` +
        'a file probably includes itself.',
    )
  }
  return rules.resolve(include, file).flatMap((path) => {
    files.push(path)
    if (files.length > filesMax) {
      throw new UsageError(`${place.file}:${place.line}: more than ${filesMax} files are included.`)
    }
    const text = readInclusion(path, place)
    const inner = expand(rules.prepare?.(text) ?? text, path, { rules, files, depth: depth + 1 })
    // A last line that is a comment must not swallow what follows the include.
    return [...inner, { text: '\n', ...place }]
  })
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

/** How many line ends a text has. */
export function countLines(text: string): number {
  return text.split('\n').length - 1
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
