/** The few functions of the language and the web that addresses, headers and options are made with. Pure. */
import { alternatives, concat, either, markedText, merge, nothing, text, unknown, wholeText, type ExternalValue, type TextPart, type Value } from './values.ts'

/** Null for a member that is not known here. */
export function builtInMember(value: Value, key: string): Value | null {
  if (value.kind === 'external' && value.package === '') return ofRuntime([...value.path, key])
  if (value.kind !== 'text') return null
  if (key === 'href') return value
  if (key === 'origin') return originOf(value)
  if (key === 'length') return unknown
  return { kind: 'member', of: value, name: key }
}

/** Production is what is judged. */
function ofRuntime(path: readonly string[]): Value | null {
  const [first] = path
  const name = path.slice(first === 'globalThis' || first === 'window' ? 1 : 0).join(' ')
  if (name === 'process env NODE_ENV' || name === 'import.meta env MODE') return text('production')
  if (name === 'import.meta env PROD') return { kind: 'literal', value: true }
  if (name === 'import.meta env DEV') return { kind: 'literal', value: false }
  return null
}

/** Null for a call that is not known here. */
export function builtInCall(called: Value, object: Value | null, name: string | null, args: readonly Value[]): Value | null {
  if (called.kind === 'external' && called.package === '') return ofGlobal(called.path.join('.'), args)
  if (object?.kind === 'text') return ofText(object, name)
  if (object?.kind === 'array' && (name === 'includes' || name === 'has') && !object.open && args[0]) return includes(object.items, args[0])
  if (object?.kind === 'array' && name === 'join' && !object.open && args[0]) return concat(object.items.flatMap((item, index) => (index === 0 ? [item] : [args[0]!, item])))
  return null
}

function includes(items: readonly Value[], sought: Value): Value | null {
  const [known, one] = [items.map(plainOf), plainOf(sought)]
  if (one === undefined) return null
  if (known.includes(one)) return { kind: 'literal', value: true }
  return known.includes(undefined) ? null : { kind: 'literal', value: false }
}

function plainOf(value: Value): unknown {
  return value.kind === 'literal' ? value.value : (wholeText(value) ?? undefined)
}

function ofGlobal(name: string, args: readonly Value[]): Value | null {
  const [first = unknown] = args
  if (name === 'String') return concat([first])
  if (name === 'Promise.resolve' || name === 'Object.freeze' || name === 'structuredClone') return first
  if (name.startsWith('console.')) return nothing
  if (name === 'Object.assign') return merge(args)
  if (name === 'encodeURIComponent' || name === 'encodeURI') return encoded(first)
  return null
}

function encoded(value: Value): Value {
  const whole = wholeText(value)
  return whole === null ? { kind: 'text', parts: [{ hole: value }] } : text(encodeURIComponent(whole))
}

function ofText(value: Extract<Value, { kind: 'text' }>, name: string | null): Value | null {
  if (name === 'toString' || name === 'toJSON' || name === 'trim' || name === 'valueOf') return value
  const whole = wholeText(value)
  if (whole !== null && name === 'toLowerCase') return text(whole.toLowerCase())
  if (whole !== null && name === 'toUpperCase') return text(whole.toUpperCase())
  return null
}

/** Null for a class that is not known here. */
export function builtInNew({ package: from, path }: ExternalValue, args: readonly Value[]): Value | null {
  const name = path.join('.')
  if ((from !== '' && from !== 'url') || !['URL', 'URLSearchParams', 'Headers', 'Map', 'Set'].includes(name)) return null
  const [first, second] = args
  if (name === 'URL') return first ? address(first, second) : null
  if (name === 'URLSearchParams') return query(first)
  if (name === 'Set') return first?.kind === 'array' ? first : null
  return first?.kind === 'object' ? { ...first, props: new Map([...first.props].map(([key, value]) => [key.toLowerCase(), value])) } : merge(first ? [first] : [])
}

function address(value: Value, base: Value | undefined): Value {
  const isWhole = (one: Value) => /^[a-z][a-z\d+.-]*:/i.test(markedText(one) ?? '')
  if (!base) return concat([value])
  return either(
    alternatives(value).flatMap((one) => {
      if (isWhole(one)) return [one]
      const relative = markedText(one)
      return alternatives(base).map((under) => (relative === null || under.kind !== 'text' ? concat([under, text('/'), one]) : concat([keptOf(under, relative), one])))
    }),
  )
}

/** What of the base stays in front of a relative address. */
function keptOf(base: Extract<Value, { kind: 'text' }>, relative: string): Value {
  if (relative.startsWith('/')) return originOf(base)
  const whole = wholeText(base)
  return whole === null ? concat([base, text('/')]) : text(whole.replace(/[^/]*$/, ''))
}

function originOf(value: Extract<Value, { kind: 'text' }>): Value {
  const parts: TextPart[] = []
  let before = ''
  for (const part of value.parts) {
    const known = typeof part === 'string' ? part : '\u{FFFC}'
    const path = (before + known).search(/(?<=^[a-z][a-z\d+.-]*:\/\/[^/?#]*)[/?#]/i)
    if (path >= 0) {
      if (typeof part === 'string') parts.push(part.slice(0, path - before.length))
      break
    }
    parts.push(part)
    before += known
  }
  return { kind: 'text', parts }
}

function query(from: Value | undefined): Value {
  if (!from) return text('')
  if (from.kind !== 'object') return concat([from])
  const pairs = [...from.props].flatMap(([key, value], index) => [text(`${index > 0 ? '&' : ''}${key}=`), value])
  return concat(from.open ? [...pairs, unknown] : pairs)
}
