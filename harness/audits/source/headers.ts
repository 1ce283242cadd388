/** Whether an option or a header is given. Pure. */
import { alternatives, isUndefined, type Value } from './values.ts'

/** `maybe`: the source does not tell. */
export type Presence = 'yes' | 'no' | 'maybe'

/** Of a value that may be undefined; one that comes from outside and is written down counts as given. */
export function presenceOf(value: Value): Presence {
  const found = new Set(alternatives(value).map(presenceOfOne))
  return found.size === 1 ? [...found][0]! : 'maybe'
}

function presenceOfOne(value: Value): Presence {
  if (isUndefined(value) || (value.kind === 'literal' && value.value === null)) return 'no'
  return value.kind === 'unknown' && value.from ? 'maybe' : 'yes'
}

/** Of an option by its name, in one alternative of an options object. */
export function optionPresence(options: Value, name: string): Presence {
  if (options.kind === 'object') {
    const held = options.props.get(name)
    return held ? presenceOf(held) : options.open ? 'maybe' : 'no'
  }
  return options.kind === 'literal' ? 'no' : 'maybe'
}

/** Of a header, whatever its case. `headers` is a record, a Headers object, or a list of pairs. */
export function headerPresence(headers: Value, name: string): Presence {
  const found = new Set(alternatives(headers).map((one) => headerOfOne(one, name.toLowerCase()).presence))
  return found.size === 1 ? [...found][0]! : 'maybe'
}

/** The header's value in the first alternative that has it. */
export function headerValue(headers: Value, name: string): Value | null {
  for (const one of alternatives(headers)) {
    const { value } = headerOfOne(one, name.toLowerCase())
    if (value) return value
  }
  return null
}

function headerOfOne(headers: Value, name: string): { presence: Presence; value: Value | null } {
  if (headers.kind === 'literal') return { presence: 'no', value: null }
  if (headers.kind !== 'object') return { presence: 'maybe', value: null }
  for (const [key, value] of headers.props) {
    if (key.toLowerCase() === name) return { presence: presenceOf(value), value }
  }
  return { presence: headers.open ? 'maybe' : 'no', value: null }
}

/** Both given is yes, neither is no. */
export function anyOf(presences: readonly Presence[]): Presence {
  if (presences.includes('yes')) return 'yes'
  return presences.includes('maybe') ? 'maybe' : 'no'
}
