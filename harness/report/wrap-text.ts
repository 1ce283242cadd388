/** Breaks text into lines for a terminal: by cells, not by characters. */

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18fff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const empty = /^[\p{M}\p{Default_Ignorable_Code_Point}]$/u

/** How many cells of a terminal the text takes, without control characters in it. */
export function cellsOf(text: string): number {
  let cells = 0
  for (const character of text) cells += cellsOfOne(character)
  return cells
}

function cellsOfOne(character: string): number {
  if (character < '\u0300') return 1
  if (empty.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

/**
 * Lines of at most `cells` cells, broken at blanks, and inside a word only where the word is longer
 * than a line. Never empty: no text is one empty line.
 */
export function wrap(text: string, cells: number): string[] {
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const needed = cellsOf(word)
    if (line !== '' && used + 1 + needed <= cells) {
      line += ` ${word}`
      used += 1 + needed
      continue
    }
    if (line !== '') lines.push(line)
    const pieces = needed <= cells ? [word] : chop(word, cells)
    lines.push(...pieces.slice(0, -1))
    line = pieces.at(-1)!
    used = cellsOf(line)
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line]
}

function chop(word: string, cells: number): string[] {
  const pieces: string[] = []
  let piece = ''
  let used = 0
  for (const character of word) {
    const needed = cellsOfOne(character)
    if (piece !== '' && used + needed > cells) {
      pieces.push(piece)
      piece = ''
      used = 0
    }
    piece += character
    used += needed
  }
  return [...pieces, piece]
}

/** Cuts text to `cells` cells, with an ellipsis where something is missing. */
export function truncate(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text
  let kept = ''
  let used = 1
  for (const character of text) {
    used += cellsOfOne(character)
    if (used > cells) break
    kept += character
  }
  return `${kept}…`
}
