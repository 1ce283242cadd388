/**
 * The value of an expression of VCL, as far as the text tells. What it does not tell is opaque: it has a name
 * made of what it depends on, so that two of the same name are the same value, whatever that is.
 */
import type { VclToken } from './vcl-tokens.ts'

export interface Opaque {
  opaque: string
}

/** Undefined is a header that is not there; durations are numbers of seconds. */
export type VclValue = string | number | boolean | undefined | Opaque

/** The value of a variable. */
export type Lookup = (name: string) => VclValue

export function evaluateVcl(tokens: readonly VclToken[], lookup: Lookup): VclValue {
  const reading = new Expression(tokens, lookup)
  const value = reading.or()
  return reading.isAtEnd ? value : opaque(tokens.map(({ text }) => text).join(' '))
}

/** As Varnish takes a value where a condition is asked for; null where the text does not tell. */
export function truthOf(value: VclValue): boolean | null {
  if (isOpaque(value)) return null
  if (typeof value === 'number') return value !== 0
  return value !== undefined && value !== false
}

export function isOpaque(value: VclValue): value is Opaque {
  return typeof value === 'object'
}

export function opaque(name: string): Opaque {
  return { opaque: name }
}

let asked = 0

/** Another value each time that it is asked for: a time, a transaction's number, the address of a reader. */
export function volatile(name: string): Opaque {
  asked += 1
  return { opaque: `${name} ${asked}` }
}

/** As text that two values have in common only if they are the same. */
export function nameOf(value: VclValue): string {
  return isOpaque(value) ? `<${value.opaque}>` : (JSON.stringify(value) ?? 'unset')
}

const durationUnits: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 }

class Expression {
  readonly #tokens: readonly VclToken[]
  readonly #lookup: Lookup
  #at = 0

  constructor(tokens: readonly VclToken[], lookup: Lookup) {
    this.#tokens = tokens
    this.#lookup = lookup
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  or(): VclValue {
    return this.#joined('|', { decisive: true, name: 'or' }, () => this.#and())
  }

  #and(): VclValue {
    return this.#joined('&', { decisive: false, name: 'and' }, () => this.#not())
  }

  /** One operand that is decisive is enough, whatever the others are. */
  #joined(mark: '|' | '&', { decisive, name }: { decisive: boolean; name: string }, operand: () => VclValue): VclValue {
    let value = operand()
    while (this.#takes(mark, mark)) {
      const truths = [truthOf(value), truthOf(operand())]
      value = truths.includes(decisive) ? decisive : truths.includes(null) ? opaque(name) : !decisive
    }
    return value
  }

  #not(): VclValue {
    if (!this.#is('!')) return this.#comparison()
    this.#at += 1
    const truth = truthOf(this.#not())
    return truth === null ? opaque('not') : !truth
  }

  #comparison(): VclValue {
    const left = this.#sum()
    const operator = [['=', '='], ['!', '='], ['!', '~'], ['<', '='], ['>', '='], ['~'], ['<'], ['>']].find((marks) => this.#takes(...marks))
    return operator ? compared(left, operator.join(''), this.#sum()) : left
  }

  /** Texts that follow each other are one, with or without a plus. */
  #sum(): VclValue {
    let value = this.#product()
    for (;;) {
      const operator = this.#takes('+') ? '+' : this.#takes('-') ? '-' : this.#beginsOperand() ? '+' : null
      if (operator === null) return value
      value = added(value, operator, this.#product())
    }
  }

  #product(): VclValue {
    let value = this.#primary()
    for (;;) {
      const operator = this.#takes('*') ? '*' : this.#takes('/') ? '/' : null
      if (operator === null) return value
      const other = this.#primary()
      value = typeof value === 'number' && typeof other === 'number' ? (operator === '*' ? value * other : value / other) : opaque('product')
    }
  }

  #beginsOperand(): boolean {
    const token = this.#tokens[this.#at]
    return token !== undefined && (token.kind === 'string' || token.kind === 'word')
  }

  #primary(): VclValue {
    const token = this.#tokens[this.#at]
    this.#at += 1
    if (token === undefined) return opaque('nothing')
    if (token.kind === 'string') return token.value
    if (token.text === '-') return added(0, '-', this.#primary())
    if (token.text === '(') {
      const value = this.or()
      return this.#takes(')') ? value : opaque('unclosed')
    }
    if (token.kind !== 'word') return opaque(token.text)
    if (this.#takes('(')) return called(token.text, this.#arguments())
    return literal(token.text) ?? this.#lookup(token.text)
  }

  #arguments(): VclValue[] {
    const given: VclValue[] = []
    while (!this.isAtEnd && !this.#is(')')) {
      given.push(this.or())
      if (!this.#takes(',') && !this.#is(')')) this.#at += 1
    }
    this.#at += 1
    return given
  }

  #is(mark: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'mark' && token.text === mark
  }

  #takes(...marks: string[]): boolean {
    const found = marks.every((mark, index) => this.#tokens[this.#at + index]?.kind === 'mark' && this.#tokens[this.#at + index]!.text === mark)
    if (found) this.#at += marks.length
    return found
  }
}

function literal(word: string): number | boolean | undefined {
  if (word === 'true' || word === 'false') return word === 'true'
  const [, figure, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)?$/.exec(word) ?? []
  return figure === undefined ? undefined : Number(figure) * (unit === undefined ? 1 : durationUnits[unit]!)
}

function added(one: VclValue, operator: string, other: VclValue): VclValue {
  if (typeof one === 'number' && typeof other === 'number') return operator === '+' ? one + other : one - other
  if (isOpaque(one) || isOpaque(other) || operator === '-') return opaque(`${nameOf(one)}${operator}${nameOf(other)}`)
  return `${one ?? ''}${other ?? ''}`
}

function compared(left: VclValue, operator: string, right: VclValue): VclValue {
  if (isOpaque(left) || isOpaque(right)) return opaque('comparison')
  if (operator === '~' || operator === '!~') {
    const found = typeof right === 'string' ? matches(`${left ?? ''}`, right) : null
    return found === null ? opaque('match') : found === (operator === '~')
  }
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  if (typeof left !== 'number' || typeof right !== 'number') return opaque('comparison')
  return { '<': left < right, '>': left > right, '<=': left <= right, '>=': left >= right }[operator] ?? opaque(operator)
}

function called(name: string, given: VclValue[]): VclValue {
  const [text, pattern, put] = given
  if (text !== undefined && !isOpaque(text)) {
    const plain = String(text)
    if (name === 'std.tolower') return plain.toLowerCase()
    if (name === 'std.toupper') return plain.toUpperCase()
    if (name === 'std.querysort') return querySorted(plain)
    if ((name === 'regsub' || name === 'regsuball') && typeof pattern === 'string' && typeof put === 'string') {
      const expression = expressionOf(pattern, name === 'regsuball' ? 'g' : '')
      if (expression) return plain.replace(expression, put.replaceAll('$', '$$$$').replaceAll(/\\(\d)/g, (_whole, n: string) => (n === '0' ? '$&' : `$${n}`)))
    }
  }
  const made = `${name}(${given.map(nameOf).join(',')})`
  return /random|time|uuid/.test(name) ? volatile(made) : opaque(made)
}

/** As std.querysort does: the parameters of a query in the order of their bytes. */
function querySorted(url: string): string {
  const at = url.indexOf('?')
  if (at < 0) return url
  const sorted = url.slice(at + 1).split('&').filter(Boolean).toSorted()
  return sorted.length === 0 ? url.slice(0, at) : `${url.slice(0, at)}?${sorted.join('&')}`
}

function matches(text: string, pattern: string): boolean | null {
  return expressionOf(pattern, '')?.test(text) ?? null
}

/** Null for what JavaScript reads in another way than PCRE, or not at all. */
function expressionOf(pattern: string, flags: string): RegExp | null {
  if (/\\[AZzGKQEhHRNXC]|\(\?[>R&P|(]|[*+?}]\+|\[\[:/.test(pattern)) return null
  const own = pattern.startsWith('(?i)')
  try {
    return new RegExp(own ? pattern.slice(4) : pattern, `${flags}${own ? 'i' : ''}`)
  } catch {
    return null
  }
}
