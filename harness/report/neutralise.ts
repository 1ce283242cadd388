/**
 * Text that came from a server, a log or a user's file may hold anything. Before it reaches a
 * terminal or a page, what could act there is made visible instead.
 */

/** C0 and C1 controls, DEL, zero-width and bidirectional controls, line separators, tags. */
const acting =
  // oxlint-disable-next-line no-control-regex -- finding control characters is the point
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\u{e0000}-\u{e0fff}]/gu

/** One line of harmless text: blanks for tabs and line breaks, `␛` for ESC, `\u{202e}` for the rest. */
export function neutralise(text: string): string {
  return text.toWellFormed().replace(/[\t\r\n]+/g, ' ').replace(acting, visible)
}

function visible(character: string): string {
  const code = character.codePointAt(0)!
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `\\u{${code.toString(16)}}`
}

/** Cuts text that is longer than `charactersMax`, and says how much is missing. */
export function clip(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text
  const kept = text.slice(0, charactersMax).toWellFormed()
  return `${kept}… (${text.length - charactersMax} more characters)`
}
