/** What becomes of a read: whether it goes on living, or ends when it has caught up. Pure. */
import type { SourceFile } from './project.ts'
import { isFunction, type Node } from './syntax.ts'

/** They gather until the stream is up to date, then end it, whatever `live` says (client 0.2.7, types.ts). */
const gathering = new Set(['json', 'text', 'body'])
const asking = new Set(['offset', 'cursor', 'upToDate', 'streamClosed', 'headers', 'status', 'statusText', 'ok', 'url', 'contentType', 'live', 'startOffset', 'isLoading', 'closed', 'cancel'])

/** `unknown`: it is handed on, and the source here does not tell. */
export type Consumption = 'caught-up' | 'live' | 'unknown'

export function consumptionOf(call: Node, at: SourceFile): Consumption {
  let node = call
  let parent = at.syntax.parentOf(node)
  while (parent?.type === 'AwaitExpression' || parent?.type === 'ParenthesizedExpression' || parent?.type === 'TSAsExpression') {
    node = parent
    parent = at.syntax.parentOf(node)
  }
  if (parent?.type === 'MemberExpression' && parent.object === node) return memberName(parent) === 'then' ? ofCallback(parent, at) : ofMembers([memberName(parent)])
  if (parent?.type === 'AssignmentExpression' && parent.left.type === 'Identifier') return ofName(parent.left, at)
  if (parent?.type !== 'VariableDeclarator' || parent.id.type !== 'Identifier') return 'unknown'
  return ofName(parent.id, at)
}

/** `stream(…).then((response) => …)`. */
function ofCallback(then: Node, at: SourceFile): Consumption {
  const call = at.syntax.parentOf(then)
  const [callback] = call?.type === 'CallExpression' ? call.arguments : []
  const [parameter] = callback && isFunction(callback) ? callback.params : []
  return parameter?.type === 'Identifier' ? ofName(parameter, at) : 'unknown'
}

function ofName(id: Node & { name: string }, at: SourceFile): Consumption {
  const binding = at.scopes.resolve(id.name, id)
  const members: string[] = []
  for (const node of at.syntax.nodes) {
    if (node.type !== 'Identifier' || node.name !== id.name || at.scopes.resolve(node.name, node) !== binding) continue
    const parent = at.syntax.parentOf(node)
    if (parent?.type === 'MemberExpression' && parent.object !== node && !parent.computed) continue
    if (parent?.type === 'Property' && parent.key === node && !parent.shorthand) continue
    // Where it is declared, or put there by another read.
    if (node === binding?.node || (parent?.type === 'AssignmentExpression' && parent.left === node)) continue
    if (parent?.type !== 'MemberExpression') return 'unknown'
    members.push(memberName(parent))
  }
  return ofMembers(members)
}

function memberName(node: Extract<Node, { type: 'MemberExpression' }>): string {
  return !node.computed && node.property.type === 'Identifier' ? node.property.name : ''
}

function ofMembers(names: readonly string[]): Consumption {
  const telling = names.filter((name) => !asking.has(name) && name !== 'catch')
  if (telling.length > 0 && telling.every((name) => gathering.has(name))) return 'caught-up'
  return telling.length > 0 ? 'live' : 'unknown'
}
