/** What can be changed in a Caddyfile of this project's: directives with their blocks, arguments, durations. */
import { mutationsOf, otherDuration, type Candidate, type Mutation } from '../mutation.ts'

interface Line {
  text: string
  /** Offset of its first character. */
  start: number
  number: number
  depth: number
}

/**
 * One directive a line, braces at the ends of lines, as `caddy fmt` writes it. Blocks at the top (options
 * and sites) stay; everything in them may go.
 */
export function caddyfileMutations(name: string, source: string): Mutation[] {
  const lines = readLines(source)
  const candidates = lines.flatMap((line, index) => (line.depth === 0 || isClosing(line) ? [] : ofDirective(source, lines, index)))
  return mutationsOf(name, source, candidates)
}

function readLines(source: string): Line[] {
  let start = 0
  let depth = 0
  return source.split('\n').map((text, index) => {
    const code = withoutComment(text)
    if (code.endsWith('}') && code.length === 1) depth -= 1
    const line = { text: code, start: start + text.indexOf(code), number: index + 1, depth }
    if (code.endsWith('{')) depth += 1
    start += text.length + 1
    return line
  })
}

function withoutComment(text: string): string {
  return /^(.*?)(?:(?:^|\s)#.*)?$/.exec(text)![1]!.trim()
}

function isClosing({ text }: Line): boolean {
  return text === '' || text === '}'
}

function ofDirective(source: string, lines: readonly Line[], index: number): Candidate[] {
  const line = lines[index]!
  const last = line.text.endsWith('{') ? lines.find((other, at) => at > index && other.text === '}' && other.depth === line.depth)! : line
  const common = { line: line.number, fromLine: 1 }
  const end = last.start + last.text.length
  const deletion = { ...common, kind: 'delete', what: `without "${source.slice(line.start, end)}"`, start: line.start, end, put: '' }
  return [deletion, ...ofArguments(line).map((found) => ({ ...common, ...found }))]
}

function ofArguments({ text, start }: Line): Omit<Candidate, 'line' | 'fromLine'>[] {
  const words = [...text.matchAll(/\S+/g)].slice(1).filter((word) => word[0] !== '{')
  const durations = words.flatMap((word) => {
    const put = otherDuration(word[0])
    return put === null ? [] : [{ kind: `${word[0]}-as-${put}`, what: `${put} instead of ${word[0]}`, start: start + word.index, end: start + word.index + word[0].length, put }]
  })
  if (words.length < 2) return durations
  const last = words.at(-1)!
  return [...durations, { kind: 'without-last', what: `"${text}" without "${last[0]}"`, start: start + last.index, end: start + last.index + last[0].length, put: '' }]
}
