/** The subs of a VCL as statements with their places. Of a VCL that compiles; another one gives what it gives. */
import { tokenizeVcl, type VclToken } from './vcl-tokens.ts'

export interface Sub {
  name: string
  statements: Statement[]
  /** The first line of the comments right above it, or its own. */
  reasonFromLine: number
}

export type Statement = { kind: 'simple'; tokens: VclToken[] } | { kind: 'if'; arms: Arm[] }

export interface Arm {
  /** `if`, `elsif`, `else`. */
  keyword: VclToken
  /** Null for `else`. */
  condition: Condition | null
  open: VclToken
  close: VclToken
  statements: Statement[]
}

export interface Condition {
  open: VclToken
  close: VclToken
  /** All that stands between its parentheses. */
  inside: VclToken[]
  /** What stands between its outermost `||`, or else `&&`. */
  parts: VclToken[][]
}

export function readSubs(source: string): Sub[] {
  const tokens = tokenizeVcl(source)
  const lines = source.split('\n')
  const subs: Sub[] = []
  for (const [index, token] of tokens.entries()) {
    const [name, open] = [tokens[index + 1], tokens[index + 2]]
    if (token.text !== 'sub' || name?.kind !== 'word' || open?.text !== '{') continue
    const { statements } = readBlock(tokens, index + 3)
    subs.push({ name: name.text, statements, reasonFromLine: commentsAbove(lines, token.line) })
  }
  return subs
}

function commentsAbove(lines: readonly string[], line: number): number {
  let first = line
  while (first > 1 && /^\s*(#|\/\/)/.test(lines[first - 2]!)) first -= 1
  return first
}

/** Statements up to the `}` that ends them; `at` is the index of that. */
function readBlock(tokens: readonly VclToken[], from: number): { statements: Statement[]; at: number } {
  const statements: Statement[] = []
  let at = from
  while (at < tokens.length && tokens[at]!.text !== '}') {
    const read = tokens[at]!.text === 'if' ? readIf(tokens, at) : readSimple(tokens, at)
    statements.push(read.statement)
    at = read.at
  }
  return { statements, at }
}

function readSimple(tokens: readonly VclToken[], from: number): { statement: Statement; at: number } {
  const found = tokens.findIndex((token, index) => index >= from && token.kind === 'mark' && token.text === ';')
  const at = (found < 0 ? tokens.length - 1 : found) + 1
  return { statement: { kind: 'simple', tokens: tokens.slice(from, at) }, at }
}

function readIf(tokens: readonly VclToken[], from: number): { statement: Statement; at: number } {
  const arms: Arm[] = []
  let at = from
  while (at < tokens.length) {
    const keyword = tokens[at]!
    const isFirst = arms.length === 0
    const isNext = /^(elsif|elseif|elif|else)$/.test(keyword.text)
    if (!isFirst && !isNext) break
    // `else if` is one keyword of two words.
    at += keyword.text === 'else' && tokens[at + 1]?.text === 'if' ? 2 : 1
    const condition = tokens[at]?.text === '(' ? readCondition(tokens, at) : null
    const openAt = condition === null ? at : tokens.indexOf(condition.close, at) + 1
    const inner = readBlock(tokens, openAt + 1)
    arms.push({ keyword, condition, open: tokens[openAt]!, close: tokens[inner.at] ?? tokens.at(-1)!, statements: inner.statements })
    at = inner.at + 1
  }
  return { statement: { kind: 'if', arms }, at }
}

function readCondition(tokens: readonly VclToken[], openAt: number): Condition {
  let depth = 0
  let at = openAt
  for (; at < tokens.length; at += 1) {
    if (isMark(tokens[at], '(')) depth += 1
    if (isMark(tokens[at], ')')) depth -= 1
    if (depth === 0) break
  }
  const inside = tokens.slice(openAt + 1, at)
  const alternatives = split(inside, '|')
  return { open: tokens[openAt]!, close: tokens[at] ?? tokens.at(-1)!, inside, parts: alternatives.length > 1 ? alternatives : split(inside, '&') }
}

/** At an operator of two such marks, outside of parentheses. */
function split(tokens: readonly VclToken[], mark: '|' | '&'): VclToken[][] {
  const parts: VclToken[][] = [[]]
  let depth = 0
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]!
    if (isMark(token, '(')) depth += 1
    if (isMark(token, ')')) depth -= 1
    if (depth === 0 && isMark(token, mark) && isMark(tokens[at + 1], mark)) {
      parts.push([])
      at += 1
    } else parts.at(-1)!.push(token)
  }
  return parts
}

function isMark(token: VclToken | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text
}
