/** Reads an nginx configuration: words, and the directives that they make. */
import type { EditedSource, SourceToken } from '../../confine/edited-source.ts'
import { countLines } from '../../confine/includes.ts'

export interface NginxToken extends SourceToken {
  readonly kind: 'word' | 'mark' | 'unterminated'
  /** Without quotes; else the same as `text`. */
  readonly value: string
}

/** A configuration being rewritten. */
export type NginxSource = EditedSource<NginxToken>

export interface Directive {
  readonly name: NginxToken
  readonly args: readonly NginxToken[]
  /** What stands in its braces; null where it ends with `;`. */
  readonly block: readonly Directive[] | null
  /** Its `;` or its `}`. */
  readonly last: NginxToken
}

const blank = /\s+/y
const comment = /#[^\n]*/y
const quoted = /"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'/y
/** As nginx reads one: up to a blank, `;` or `{`, but for `\x` and `${name}`. */
const plain = /(?:\\[^]|\$\{|[^\s;{\\])+/y

/** The last token is `unterminated` where a quote is not closed. */
export function tokenizeNginx(source: string): NginxToken[] {
  const tokens: NginxToken[] = []
  let at = 0
  let line = 1
  while (at < source.length) {
    const skipped = match(blank, source, at) ?? match(comment, source, at)
    const token = skipped === null ? next(source, at, line) : null
    if (token !== null) tokens.push(token)
    if (token?.kind === 'unterminated') break
    const text = skipped ?? token!.text
    line += countLines(text)
    at += text.length
  }
  return tokens
}

function next(source: string, start: number, line: number): NginxToken {
  const token = (kind: NginxToken['kind'], text: string, value = text) => ({ kind, text, value, start, end: start + text.length, line })
  const mark = source.charAt(start)
  if (mark === ';' || mark === '{' || mark === '}') return token('mark', mark)
  if (mark === '"' || mark === "'") {
    const whole = match(quoted, source, start)
    return whole === null ? token('unterminated', source.slice(start), 'quote') : token('word', whole, whole.slice(1, -1))
  }
  return token('word', match(plain, source, start) ?? mark)
}

function match(pattern: RegExp, source: string, at: number): string | null {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0] ?? null
}

/** @throws UsageError where a quote, brace or directive does not end */
export function readDirectives(source: NginxSource): Directive[] {
  const { tokens } = source
  const broken = tokens.find((token) => token.kind === 'unterminated')
  if (broken !== undefined) throw source.error(broken, `this ${broken.value} is never closed`)
  const { directives, at } = readBlock(source, 0)
  const extra = tokens[at]
  if (extra !== undefined) throw source.error(extra, 'this "}" closes nothing')
  return directives
}

/** Directives from a token up to the `}` that ends them, or to the end of the file. */
function readBlock(source: NginxSource, from: number): { directives: Directive[]; at: number } {
  const { tokens } = source
  const directives: Directive[] = []
  let at = from
  while (at < tokens.length && tokens[at]?.text !== '}') {
    const name = tokens[at]!
    const end = tokens.findIndex((token, index) => index >= at && token.kind === 'mark')
    const mark = tokens[end]
    if (mark === undefined || mark.text === '}') throw source.error(name, `the directive "${name.value}" has no end`)
    if (end === at) throw source.error(name, `this "${name.text}" belongs to no directive`)
    const args = tokens.slice(at + 1, end)
    if (mark.text === ';') {
      directives.push({ name, args, block: null, last: mark })
      at = end + 1
      continue
    }
    const inner = readBlock(source, end + 1)
    const close = tokens[inner.at]
    if (close === undefined) throw source.error(name, `the block of "${name.value}" is never closed`)
    directives.push({ name, args, block: inner.directives, last: close })
    at = inner.at + 1
  }
  return { directives, at }
}
