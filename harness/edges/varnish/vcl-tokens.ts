/** Splits VCL into tokens with their places; knows comments, both long strings and inline C. */
import type { EditedSource, SourceToken } from '../../confine/edited-source.ts'
import { countLines } from '../../confine/includes.ts'

export interface VclToken extends SourceToken {
  readonly kind: 'word' | 'string' | 'mark' | 'inline-c' | 'unterminated'
  /** Without quotes, for a string; else the same as `text`. */
  readonly value: string
}

/** A VCL being rewritten. */
export type VclSource = EditedSource<VclToken>

interface Delimited {
  readonly open: string
  readonly close: string
  readonly kind: VclToken['kind'] | 'comment'
}

// The order matters: longer openings come before those they begin with.
const delimited: readonly Delimited[] = [
  { open: '/*', close: '*/', kind: 'comment' },
  { open: '//', close: '\n', kind: 'comment' },
  { open: '#', close: '\n', kind: 'comment' },
  { open: 'C{', close: '}C', kind: 'inline-c' },
  { open: '"""', close: '"""', kind: 'string' },
  { open: '{"', close: '"}', kind: 'string' },
  { open: '"', close: '"', kind: 'string' },
]

const word = /[A-Za-z0-9_](?:[\w-]|\.(?=\w))*/y
const blank = /\s+/y

/**
 * Tokens of a VCL source. Where a comment or string has no end, or a short string runs over its
 * line, the last token is `unterminated` and stands where it began.
 */
export function tokenizeVcl(source: string): VclToken[] {
  const tokens: VclToken[] = []
  let at = 0
  let line = 1
  while (at < source.length) {
    const { kind, end, value } = next(source, at)
    const text = source.slice(at, end)
    if (kind !== 'comment' && kind !== 'blank') {
      tokens.push({ kind, text, value, start: at, end, line })
    }
    if (kind === 'unterminated') break
    line += countLines(text)
    at = end
  }
  return tokens
}

interface Piece {
  readonly kind: VclToken['kind'] | 'comment' | 'blank'
  readonly end: number
  readonly value: string
}

function next(source: string, at: number): Piece {
  const space = matchAt(blank, source, at)
  if (space) return { kind: 'blank', end: at + space.length, value: space }
  const found = delimited.find(({ open }) => source.startsWith(open, at))
  if (found) return untilClose(source, at, found)
  const name = matchAt(word, source, at)
  if (name) return { kind: 'word', end: at + name.length, value: name }
  const mark = source.charAt(at)
  return { kind: 'mark', end: at + 1, value: mark }
}

function untilClose(source: string, at: number, { open, close, kind }: Delimited): Piece {
  const from = at + open.length
  const found = source.indexOf(close, from)
  if (found < 0 && close === '\n') return { kind, end: source.length, value: '' }
  const value = source.slice(from, found)
  const runsOver = open === '"' && value.includes('\n')
  if (found < 0 || runsOver) return { kind: 'unterminated', end: source.length, value: open }
  return { kind, end: found + close.length, value }
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}
