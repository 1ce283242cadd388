/**
 * The expressions of workflows, as far as ours use them: paths, strings, comparison, and/or/not, status
 * functions. Anything else is an error, so that a test does not pass by not understanding.
 */
export type Context = Record<string, unknown>

type Status = { failed: boolean }

const token = /\s*(?:(&&|\|\||==|!=|!|\(|\)|,)|'((?:[^']|'')*)'|([A-Za-z_][\w-]*(?:\.[A-Za-z_*][\w-]*)*))/y

/** The value of an expression, without its `${{ }}`. */
export function evaluate(expression: string, context: Context, status: Status = { failed: false }): unknown {
  const words = wordsOf(expression)
  let at = 0
  const peek = () => words[at]
  const take = () => words[at++]!
  const isSign = (sign: string) => peek()?.kind === 'sign' && peek()!.text === sign

  const or = (): unknown => {
    let left = and()
    while (isSign('||')) {
      take()
      const right = and()
      left = truthy(left) ? left : right
    }
    return left
  }
  const and = (): unknown => {
    let left = comparison()
    while (isSign('&&')) {
      take()
      const right = comparison()
      left = truthy(left) ? right : left
    }
    return left
  }
  const comparison = (): unknown => {
    const left = not()
    if (!isSign('==') && !isSign('!=')) return left
    const equal = take().text === '=='
    return (plain(left) === plain(not())) === equal
  }
  const not = (): unknown => {
    if (!isSign('!')) return one()
    take()
    return !truthy(not())
  }
  const one = (): unknown => {
    const word = take()
    if (word?.kind === 'string') return word.text
    if (word?.kind === 'name') return isSign('(') ? call(word.text) : lookUp(word.text, context)
    if (word?.text !== '(') throw new Error(`This expression is not understood: ${expression}`)
    const inside = or()
    if (take()?.text !== ')') throw new Error(`A bracket is open: ${expression}`)
    return inside
  }
  const call = (name: string): unknown => {
    take()
    if (take()?.text !== ')') throw new Error(`${name} takes nothing here: ${expression}`)
    if (name === 'always') return true
    if (name === 'success') return !status.failed
    if (name === 'failure') return status.failed
    throw new Error(`There is no function ${name} here: ${expression}`)
  }

  const value = or()
  if (at !== words.length) throw new Error(`This expression goes on after its end: ${expression}`)
  return value
}

function wordsOf(expression: string): { kind: 'sign' | 'string' | 'name'; text: string }[] {
  const words: { kind: 'sign' | 'string' | 'name'; text: string }[] = []
  const text = expression.trim()
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const from = token.lastIndex
    const match = token.exec(text)
    if (!match) throw new Error(`This expression is not understood from "${text.slice(from)}": ${expression}`)
    if (match[1] !== undefined) words.push({ kind: 'sign', text: match[1] })
    else if (match[2] !== undefined) words.push({ kind: 'string', text: match[2].replaceAll("''", "'") })
    else words.push({ kind: 'name', text: match[3]! })
  }
  return words
}

/** What is not there is null, as on GitHub; the first word must be there. */
function lookUp(path: string, context: Context): unknown {
  const [first, ...rest] = path.split('.')
  if (!(first! in context)) throw new Error(`There is no context ${first} here: ${path}`)
  return rest.reduce<unknown>((value, name) => (value as Context | null | undefined)?.[name] ?? null, context[first!])
}

function truthy(value: unknown): boolean {
  return !(value === null || value === undefined || value === false || value === '' || value === 0)
}

function plain(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}

/** Text with `${{ expressions }}` in it. */
export function interpolate(text: string, context: Context): string {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_all, expression: string) => plain(evaluate(expression, context)))
}

/** A step's or job's `if`: without a status function it holds only while nothing has failed. */
export function holds(condition: string | undefined, context: Context, status: Status): boolean {
  const text = (condition ?? 'success()').replace(/^\$\{\{(.*)\}\}$/, '$1')
  const asked = /\b(always|success|failure|cancelled)\(\)/.test(text) ? text : `success() && (${text})`
  return truthy(evaluate(asked, context, status))
}
