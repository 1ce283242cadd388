/** What a name holds after it was changed in place: `options.headers['x'] = …`, `url.searchParams.set(…)`. Pure. */
import type { Evaluation } from './evaluation.ts'
import type { SourceFile } from './project.ts'
import type { Binding } from './scopes.ts'
import type { Node } from './syntax.ts'
import { alternatives, concat, either, markedText, merge, nothing, text, unknown, type Frame, type Value } from './values.ts'

export function changedBy(held: Value, change: Node, binding: Binding, at: SourceFile, frame: Frame, evaluation: Evaluation): Value {
  const apply = changeOf(change, at, frame, evaluation)
  if (!apply) return held
  const changed = either(alternatives(held).map(apply))
  return isCertain(change, binding, at) ? changed : either([held, changed])
}

/** In the very block of the declaration, so that nothing decides whether it happens. */
function isCertain(change: Node, binding: Binding, at: SourceFile): boolean {
  const blockOf = (node: Node) => [...at.syntax.ancestorsOf(node)].find((one) => one.type === 'BlockStatement' || one.type === 'Program' || one.type === 'ArrowFunctionExpression')
  const home = binding.kind === 'parameter' ? binding.fn?.body : blockOf(binding.node)
  return blockOf(change) === home
}

type Apply = (held: Value) => Value

function changeOf(change: Node, at: SourceFile, frame: Frame, evaluation: Evaluation): Apply | null {
  if (change.type === 'AssignmentExpression' && change.left.type === 'MemberExpression') {
    const keys = keysOf(change.left, at, frame, evaluation)
    const value = evaluation.evaluate(change.right, at, frame)
    return (held) => assigned(held, keys, value, evaluation)
  }
  if (change.type === 'UnaryExpression' && change.argument.type === 'MemberExpression') {
    const keys = keysOf(change.argument, at, frame, evaluation)
    return (held) => assigned(held, keys, nothing, evaluation)
  }
  if (change.type === 'CallExpression' && change.callee.type === 'MemberExpression') return callOf(change, change.callee, at, frame, evaluation)
  return null
}

function keysOf(node: Node, at: SourceFile, frame: Frame, evaluation: Evaluation): (string | null)[] {
  if (node.type !== 'MemberExpression') return 'expression' in node && node.type !== 'ArrowFunctionExpression' ? keysOf(node.expression as Node, at, frame, evaluation) : []
  return [...keysOf(node.object, at, frame, evaluation), evaluation.keyOf(node.property, node.computed, at, frame)]
}

function assigned(held: Value, keys: readonly (string | null)[], value: Value, evaluation: Evaluation): Value {
  const [key, ...inner] = keys
  if (held.kind !== 'object') return held
  if (key === undefined || key === null) return { ...held, open: true }
  const next = inner.length === 0 ? value : either(alternatives(evaluation.member(held, key)).map((one) => assigned(one, inner, value, evaluation)))
  return { ...held, props: new Map([...held.props, [key, next]]) }
}

function callOf(change: Extract<Node, { type: 'CallExpression' }>, callee: Extract<Node, { type: 'MemberExpression' }>, at: SourceFile, frame: Frame, evaluation: Evaluation): Apply | null {
  const name = evaluation.keyOf(callee.property, callee.computed, at, frame)
  const args = evaluation.argumentsOf(change, at, frame)
  if (callee.object.type === 'Identifier' && callee.object.name === 'Object') {
    const keys = change.arguments[0] ? keysOf(change.arguments[0], at, frame, evaluation) : []
    return (held) => (keys.length > 0 ? opened(held) : merge([held, ...args.slice(1)]))
  }
  if ((name !== 'set' && name !== 'append') || args.length < 2) return null
  const keys = keysOf(callee.object, at, frame, evaluation)
  return (held) => entered(held, keys, args[0]!, args[1]!, evaluation)
}

function opened(held: Value): Value {
  return held.kind === 'object' ? { ...held, open: true } : unknown
}

/** `headers.set(key, value)` on an object, `searchParams.set(key, value)` on the text of an address. */
function entered(held: Value, keys: readonly (string | null)[], key: Value, value: Value, evaluation: Evaluation): Value {
  if (held.kind === 'object') {
    const name = markedText(key)
    return name === null ? opened(held) : assigned(held, [...keys, name.toLowerCase()], value, evaluation)
  }
  if (held.kind !== 'text') return held
  const before = markedText(held) ?? ''
  const isAddress = keys.at(-1) === 'searchParams'
  const mark = isAddress ? (before.includes('?') ? '&' : '?') : before === '' ? '' : '&'
  return concat([held, text(mark), key, text('='), value])
}
