/**
 * Text from a server, a log or a user's file inside of Markdown for GitHub: it neither ends what it stands
 * in nor calls anybody. Mentions and references are looked for in the rendered page, so that no backslash
 * keeps `@name` and `#12` from acting: a word joiner, which nobody sees, does.
 */
import { neutralise } from './neutralise.ts'

const wordJoiner = '\u2060'

/** Text in which nothing is Markdown or HTML, and nobody is mentioned; one line. */
export function text(value: string): string {
  const escaped = neutralise(value).replace(/[\\`*_{}[\]()#+!|~>-]/g, '\\$&')
  return withoutMentions(escaped.replaceAll('&', '&amp;').replaceAll('<', '&lt;'))
}

/** `@name`, `#12` and `GH-12`, escaped or not, and addresses, from which references are made, too. */
function withoutMentions(value: string): string {
  return value
    .replace(/@(?=\w)/g, `@${wordJoiner}`)
    .replace(/#(?=\d)/g, `#${wordJoiner}`)
    .replace(/\b(gh\\?-)(?=\d)/gi, `$1${wordJoiner}`)
    .replace(/\b(https?:)(?=\/\/)/gi, `$1${wordJoiner}`)
}

/** Text of our own in which `backticks` mark code. */
export function prose(value: string): string {
  const parts = value.split('`')
  return parts.map((part, index) => (index % 2 === 1 && index < parts.length - 1 ? `\`${neutralise(part)}\`` : text(part))).join('')
}

/** A code span, in which nothing acts: its marks are longer than any run of backticks within. */
export function codeSpan(value: string): string {
  const inside = neutralise(value)
  const marks = '`'.repeat(longestRun(inside, 0) + 1)
  const padded = inside === '' || /^[ `]|[ `]$/.test(inside) ? ` ${inside} ` : inside
  return `${marks}${padded}${marks}`
}

/** A block of code of several lines, fenced by more backticks than any line holds. */
export function codeBlock(lines: readonly string[], language = ''): string[] {
  const inside = lines.map(neutralise)
  const fence = '`'.repeat(Math.max(2, ...inside.map((line) => longestRun(line, 0))) + 1)
  return [`${fence}${language}`, ...inside, fence]
}

function longestRun(value: string, least: number): number {
  return Math.max(least, ...(value.match(/`+/g) ?? []).map((run) => run.length))
}
