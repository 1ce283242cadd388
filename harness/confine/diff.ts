/** Shows what confinement changed, as a short unified diff in which no secret appears. */
import type { Change, Refusal } from './caddy-rules.ts'
import type { Json } from './json.ts'
import { redactJson, redactText } from './redact.ts'

const valueCharactersMax = 160

/**
 * Renders changes to one file: a hunk for each place, the reason behind its `@@`.
 * Gives an empty text when nothing was changed.
 */
export function renderChanges(name: string, changes: readonly Change[]): string {
  if (changes.length === 0) return ''
  const header = [`--- ${name} (yours)`, `+++ ${name} (in the simulation)`]
  return [...header, ...changes.flatMap(hunk)].join('\n') + '\n'
}

function hunk(change: Change): string[] {
  return [
    `@@ ${change.path} @@ ${change.because}`,
    ...(change.from === null ? [] : side('-', change.from)),
    ...(change.to === null ? [] : side('+', change.to)),
  ]
}

function side(sign: '-' | '+', value: Json): string[] {
  const safe = redactJson(value)
  const text = typeof safe === 'string' ? safe : JSON.stringify(safe)
  return redactText(text)
    .split('\n')
    .map((line) => `${sign}${shorten(line)}`)
}

function shorten(line: string): string {
  if (line.length <= valueCharactersMax) return line
  return `${line.slice(0, valueCharactersMax)}… (${line.length - valueCharactersMax} more)`
}

/** One line for each address that the simulation will not reach. */
export function renderRefusals(refused: readonly Refusal[]): string {
  return refused.map(({ path, address, because }) => `${address}  ${path}: ${because}\n`).join('')
}
