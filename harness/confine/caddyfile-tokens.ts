/** Splits a Caddyfile into tokens with their places, as Caddy's own lexer does: quotes, heredocs, comments, continued lines. */

export interface CaddyToken {
  /** Without quotes. */
  value: string
  /** Offsets in the source, the end exclusive. */
  start: number
  end: number
  /** From 1; the column in UTF-16 units. */
  line: number
  column: number
  /** The same for tokens that Caddy takes as of one line: a line that ends in a backslash goes on. */
  row: number
  quoted: boolean
}

interface Piece {
  value: string
  end: number
  quoted: boolean
}

export function tokenizeCaddyfile(source: string): CaddyToken[] {
  const tokens: CaddyToken[] = []
  let [at, line, lineStart, continued] = [0, 1, 0, 0]
  while (at < source.length) {
    const character = source[at]!
    if (character === '\n') {
      at += 1
      line += 1
      lineStart = at
    } else if (character === '\\' && /^\\\r?\n/.test(source.slice(at, at + 3))) {
      at = source.indexOf('\n', at) + 1
      line += 1
      lineStart = at
      continued += 1
    } else if (/\s|\uFEFF/.test(character)) at += 1
    else if (character === '#') at = endOfLine(source, at)
    else {
      const piece = pieceAt(source, at)
      tokens.push({ value: piece.value, start: at, end: piece.end, line, column: at - lineStart + 1, row: line - continued, quoted: piece.quoted })
      for (let next = source.indexOf('\n', at); next >= 0 && next < piece.end; next = source.indexOf('\n', next + 1)) {
        line += 1
        lineStart = next + 1
      }
      at = piece.end
    }
  }
  return tokens
}

/** Tokens by the lines that Caddy takes them as. */
export function linesOfTokens(source: string): CaddyToken[][] {
  return [...Map.groupBy(tokenizeCaddyfile(source), ({ row }) => row).values()]
}

function pieceAt(source: string, at: number): Piece {
  if (source[at] === '"') return quoted(source, at)
  if (source[at] === '`') {
    const close = source.indexOf('`', at + 1)
    const end = close < 0 ? source.length : close
    return { value: source.slice(at + 1, end), end: Math.min(source.length, end + 1), quoted: true }
  }
  return heredoc(source, at) ?? bare(source, at)
}

/** `\"` stands for a quote; any other backslash for itself. */
function quoted(source: string, at: number): Piece {
  let value = ''
  let here = at + 1
  for (; here < source.length && source[here] !== '"'; here += 1) {
    if (source[here] === '\\' && source[here + 1] === '"') here += 1
    value += source[here]
  }
  return { value, end: Math.min(source.length, here + 1), quoted: true }
}

function heredoc(source: string, at: number): Piece | null {
  const open = /^<<([A-Za-z0-9_-]+)\r?\n/.exec(source.slice(at, at + 200))
  if (!open) return null
  const from = at + open[0].length
  const close = new RegExp(`^[ \\t]*${open[1]}(?=\\s|$)`, 'm').exec(source.slice(from))
  if (!close) return null
  return { value: source.slice(from, from + close.index), end: from + close.index + close[0].length, quoted: true }
}

/** To the next blank; one that is escaped belongs to the word. */
function bare(source: string, at: number): Piece {
  let end = at
  while (end < source.length && !/\s/.test(source[end]!)) end += source[end] === '\\' && source[end + 1] !== '\n' && source[end + 1] !== '\r' ? 2 : 1
  end = Math.min(end, source.length)
  return { value: source.slice(at, end).replaceAll('\\ ', ' '), end, quoted: false }
}

function endOfLine(source: string, at: number): number {
  const end = source.indexOf('\n', at)
  return end < 0 ? source.length : end
}
