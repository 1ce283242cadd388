/**
 * Follows one exchange through the subs of a VCL. Where the text does not tell which way a condition goes,
 * both are followed: what happens on all ways is certain, what happens on some is possible.
 */
import { evaluateVcl, opaque, truthOf, volatile, type VclValue } from './vcl-expressions.ts'
import type { Statement, Sub } from './vcl-statements.ts'
import type { VclToken } from './vcl-tokens.ts'

/** One way through the text. */
export interface Way {
  variables: Map<string, VclValue>
  /** Where each variable was last set or taken away by the user's own text. */
  touched: Map<string, VclToken>
  /** What `hash_data` was given, and where first. */
  hash: VclValue[]
  hashedAt: VclToken | null
  /** Where `vcl_recv` ended; null where the built-in text did. */
  recvEndedAt?: VclToken | null
  /** The conditions that the text did not decide, and how they were taken. */
  choices: string[]
  /** The action that ended the sub, and where it stands; null while it runs. */
  ended: { action: string; at: VclToken | null } | null
}

/** More ways than this are not followed. */
const waysMax = 400
const depthMax = 20

export class TooManyWays extends Error {
  override readonly name = 'TooManyWays'
}

export class VclProgram {
  readonly #subs = new Map<string, Statement[]>()
  /** Tokens of the user's own text, as against the built-in one. */
  readonly #own: ReadonlySet<VclToken>

  /** A sub that is written several times runs in that order; the built-in one runs last. */
  constructor(own: readonly Sub[], builtIn: readonly Sub[]) {
    const tokens = new Set<VclToken>()
    for (const { name, statements } of [...own, ...builtIn]) this.#subs.set(name, [...(this.#subs.get(name) ?? []), ...statements])
    for (const { statements } of own) collect(statements, tokens)
    this.#own = tokens
  }

  /** Runs a sub on each way that has not ended; afterwards all have, with `fallback` where nothing was said. */
  run(name: string, ways: readonly Way[], fallback: string): Way[] {
    const done = this.#block(this.#subs.get(name) ?? [], ways.map((way) => ({ ...way, ended: null })), 0)
    return done.map((way) => {
      const ended = way.ended ?? { action: fallback, at: null }
      return { ...way, ended, ...(name === 'vcl_recv' ? { recvEndedAt: ended.at } : {}) }
    })
  }

  #block(statements: readonly Statement[], ways: readonly Way[], depth: number): Way[] {
    let here = [...ways]
    for (const statement of statements) {
      here = here.flatMap((way) => (way.ended ? [way] : this.#statement(statement, way, depth)))
      if (here.length > waysMax || depth > depthMax) throw new TooManyWays()
    }
    return here
  }

  #statement(statement: Statement, way: Way, depth: number): Way[] {
    if (statement.kind === 'simple') return this.#simple(statement.tokens, way, depth)
    let open: Way[] = [way]
    const done: Way[] = []
    for (const { condition, statements, keyword } of statement.arms) {
      const next: Way[] = []
      for (const one of open) {
        const truth = condition === null ? true : truthOf(evaluateVcl(condition.inside, (name) => variableOf(one, name)))
        if (truth !== false) done.push(...this.#block(statements, [truth === null ? chosen(one, keyword, true) : one], depth + 1))
        if (truth !== true) next.push(truth === null ? chosen(one, keyword, false) : one)
      }
      open = next
    }
    return [...done, ...open]
  }

  #simple(tokens: readonly VclToken[], way: Way, depth: number): Way[] {
    const [first, second, third] = tokens
    if (first?.kind !== 'word') return [way]
    switch (first.text) {
      case 'set':
        return [this.#set(tokens, way)]
      case 'unset':
      case 'remove':
        return [second ? this.#changed(way, second.text, undefined, first) : way]
      case 'hash_data':
        return [{ ...way, hash: [...way.hash, evaluateVcl(tokens.slice(2, -2), (name) => variableOf(way, name))], hashedAt: way.hashedAt ?? (this.#own.has(first) ? first : null) }]
      case 'call': {
        const called = second && this.#subs.get(second.text)
        // A bare `return;` ends the sub that was called, and only that.
        return called ? this.#block(called, [way], depth + 1).map((one) => (one.ended?.action === '' ? { ...one, ended: null } : one)) : [way]
      }
      case 'return':
        return [{ ...way, ended: { action: second?.text === '(' ? (third?.text ?? '') : '', at: this.#own.has(first) ? first : null } }]
      default:
        return [way]
    }
  }

  #set(tokens: readonly VclToken[], way: Way): Way {
    const [first, name, mark] = tokens
    if (!name || !mark) return way
    const isChange = mark.text !== '='
    const value = evaluateVcl(tokens.slice(isChange ? 4 : 3, -1), (variable) => variableOf(way, variable))
    return this.#changed(way, name.text, isChange ? opaque(`${name.text} changed`) : value, first!)
  }

  #changed(way: Way, name: string, value: VclValue, at: VclToken): Way {
    const key = name.toLowerCase()
    const variables = new Map(way.variables).set(key, value)
    if (value === undefined) variables.delete(key)
    const touched = this.#own.has(at) ? new Map(way.touched).set(key, at) : way.touched
    return { ...way, variables, touched }
  }
}

/** A header that was not said to be there is not there; anything else may be anything. */
export function variableOf({ variables }: Way, name: string): VclValue {
  const key = name.toLowerCase()
  if (variables.has(key)) return variables.get(key)
  if (/^(req|bereq|beresp|resp)\.http\./.test(key)) return undefined
  return /xid$|time$|^now$|^(client|remote|local|sess)\.|hits$/.test(key) ? volatile(key) : opaque(key)
}

function chosen(way: Way, { start }: VclToken, taken: boolean): Way {
  return { ...way, choices: [...way.choices, `${start}${taken ? '+' : '-'}`] }
}

function collect(statements: readonly Statement[], into: Set<VclToken>): void {
  for (const statement of statements) {
    if (statement.kind === 'simple') for (const token of statement.tokens) into.add(token)
    else for (const arm of statement.arms) collect(arm.statements, into)
  }
}
