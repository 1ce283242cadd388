/** What a name imported from another file is: through re-exports, `export *`, CommonJS and JSON. Pure. */
import type { Evaluation } from './evaluation.ts'
import type { SourceFile } from './project.ts'
import type { Node } from './syntax.ts'
import { noFrame, text, unknown, type Value } from './values.ts'

/** What an import specifier binds its name to. */
export function importedBy(specifier: Node, at: SourceFile, evaluation: Evaluation): Value {
  const declaration = at.syntax.parentOf(specifier)
  if (declaration?.type !== 'ImportDeclaration') return unknown
  const module = evaluation.moduleOf(declaration.source.value, at)
  if (specifier.type === 'ImportNamespaceSpecifier') return module
  if (specifier.type === 'ImportDefaultSpecifier') return evaluation.member(module, 'default')
  return specifier.type === 'ImportSpecifier' ? evaluation.member(module, nameOf(specifier.imported)) : unknown
}

const followedMax = 12

/** What `file` exports as `name`. */
export function exportOf(file: string, name: string, evaluation: Evaluation, followed = 0): Value {
  if (followed > followedMax) return unknown
  if (file.endsWith('.json')) return jsonExport(file, name, evaluation)
  const at = evaluation.project.file(file)
  if (!at) return unknown
  const everything: string[] = []
  for (const node of at.syntax.program.body) {
    if (node.type === 'ExportDefaultDeclaration' && name === 'default') return evaluation.evaluate(node.declaration as Node, at, noFrame)
    if (node.type === 'ExportAllDeclaration') {
      if (node.exported === null) everything.push(node.source.value)
      else if (nameOf(node.exported) === name) return evaluation.moduleOf(node.source.value, at)
    }
    if (node.type !== 'ExportNamedDeclaration') continue
    const found = named(node, name, at, evaluation)
    if (found) return found
  }
  for (const request of everything) {
    const module = evaluation.moduleOf(request, at)
    const found = module.kind === 'module' ? exportOf(module.file, name, evaluation, followed + 1) : unknown
    if (found.kind !== 'unknown') return found
    // Of several `export * from 'package'` the source does not tell which one has it: a known one does.
    if (module.kind === 'external' && module.package.startsWith('@durable-streams/')) return evaluation.member(module, name)
  }
  return commonJs(at, name, evaluation)
}

function named(node: Extract<Node, { type: 'ExportNamedDeclaration' }>, name: string, at: SourceFile, evaluation: Evaluation): Value | null {
  for (const specifier of node.specifiers) {
    if (nameOf(specifier.exported) !== name) continue
    const local = nameOf(specifier.local)
    return node.source ? evaluation.member(evaluation.moduleOf(node.source.value, at), local) : ownName(local, at, evaluation)
  }
  const declared = node.declaration
  if (!declared) return null
  const names = declared.type === 'VariableDeclaration' ? declared.declarations.flatMap(({ id }) => namesIn(id)) : 'id' in declared && declared.id?.type === 'Identifier' ? [declared.id.name] : []
  return names.includes(name) ? ownName(name, at, evaluation) : null
}

function ownName(name: string, at: SourceFile, evaluation: Evaluation): Value {
  const binding = at.scopes.resolve(name, at.syntax.program)
  return binding ? evaluation.bound(binding, at, noFrame) : unknown
}

function namesIn(pattern: Node): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name]
    case 'AssignmentPattern':
      return namesIn(pattern.left)
    case 'RestElement':
      return namesIn(pattern.argument)
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) => namesIn(property.type === 'RestElement' ? property.argument : property.value))
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element ? namesIn(element) : []))
    default:
      return []
  }
}

function nameOf(node: Node): string {
  return node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : ''
}

/** `module.exports = { name }`, `exports.name = …`. */
function commonJs(at: SourceFile, name: string, evaluation: Evaluation): Value {
  for (const node of at.syntax.program.body) {
    if (node.type !== 'ExpressionStatement' || node.expression.type !== 'AssignmentExpression') continue
    const { left, right } = node.expression
    const target = at.syntax.text.slice(left.start, left.end)
    if (target === `exports.${name}` || target === `module.exports.${name}`) return evaluation.evaluate(right, at, noFrame)
    if (target === 'module.exports') {
      const exported = evaluation.evaluate(right, at, noFrame)
      return name === 'default' ? exported : evaluation.member(exported, name)
    }
  }
  return unknown
}

function jsonExport(file: string, name: string, evaluation: Evaluation): Value {
  try {
    const whole = valueOf(JSON.parse(evaluation.project.texts.get(file)?.text ?? ''))
    return name === 'default' ? whole : evaluation.member(whole, name)
  } catch {
    return unknown
  }
}

function valueOf(json: unknown): Value {
  if (typeof json === 'string') return text(json)
  if (Array.isArray(json)) return { kind: 'array', items: json.map(valueOf), open: false }
  if (typeof json === 'object' && json !== null) return { kind: 'object', props: new Map(Object.entries(json).map(([key, value]) => [key, valueOf(value)])), open: false }
  return { kind: 'literal', value: json as number | boolean | null }
}
