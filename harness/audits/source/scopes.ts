/** Which declaration a name means: lexical scopes of one file. Pure. */
import type { FunctionNode, Node, Syntax } from './syntax.ts'
import { isClass, isFunction } from './syntax.ts'

/** From a pattern's whole value to one of its names: a property, an element, or the rest. */
export type Step = { property: Node; computed: boolean } | { element: number } | { rest: string[] } | { fallback: Node }

export interface Binding {
  name: string
  kind: 'variable' | 'parameter' | 'function' | 'class' | 'import' | 'enum' | 'other'
  /** The identifier where it is declared. */
  node: Node
  /** What it is bound to before `path`: the initialiser, function, class or import specifier. */
  source: Node | null
  path: Step[]
  /** Of a parameter: whose, and which. */
  fn?: FunctionNode
  index?: number
  rest?: boolean
  /** Its type as written, if any. */
  type?: Node | undefined
  /** Expressions assigned to it later. */
  assigned: Node[]
  /** Everything that changes what it holds: `x.y = …`, `x.set(…)`, `Object.assign(x, …)`. */
  changes: Node[]
}

interface Scope {
  names: Map<string, Binding>
  above: Scope | null
  isFunction: boolean
}

const blockTypes = new Set(['BlockStatement', 'ForStatement', 'ForInStatement', 'ForOfStatement', 'SwitchStatement', 'CatchClause', 'StaticBlock', 'TSModuleBlock'])

export class Scopes {
  readonly #syntax: Syntax
  readonly #scopes = new Map<Node, Scope>()

  constructor(syntax: Syntax) {
    this.#syntax = syntax
    for (const node of syntax.nodes) this.#open(node)
    for (const node of syntax.nodes) this.#declare(node)
    for (const node of syntax.nodes) this.#change(node)
  }

  /** Null for a global, or a name that the file does not declare. */
  resolve(name: string, from: Node): Binding | null {
    for (let scope: Scope | null = this.#scopeOf(from); scope; scope = scope.above) {
      const found = scope.names.get(name)
      if (found) return found
    }
    return null
  }

  #scopeOf(node: Node): Scope {
    const own = this.#scopes.get(node)
    if (own) return own
    for (const above of this.#syntax.ancestorsOf(node)) {
      const scope = this.#scopes.get(above)
      if (scope) return scope
    }
    throw new TypeError('a program has a scope')
  }

  #open(node: Node): void {
    const isProgram = node.type === 'Program'
    if (!isProgram && !isFunction(node) && !isClass(node) && !blockTypes.has(node.type)) return
    const parent = this.#syntax.parentOf(node)
    const above = isProgram || !parent ? null : this.#scopeOf(parent)
    this.#scopes.set(node, { names: new Map(), above, isFunction: isProgram || isFunction(node) })
  }

  #declare(node: Node): void {
    if (node.type === 'VariableDeclaration') this.#declareVariables(node)
    else if (node.type === 'ImportDeclaration') this.#declareImports(node)
    else if (isFunction(node)) this.#declareFunction(node)
    else if (isClass(node)) this.#declareNamed(node, 'class')
    else if (node.type === 'TSEnumDeclaration') this.#put(this.#outer(node), { ...blank(node.id.name, 'enum', node.id), source: node })
    else if (node.type === 'CatchClause' && node.param) this.#declarePattern(node.param, this.#scopeOf(node), (one) => ({ ...one, kind: 'other' }))
  }

  #declareVariables(node: Extract<Node, { type: 'VariableDeclaration' }>): void {
    const here = this.#scopeOf(node)
    const scope = node.kind === 'var' ? functionScope(here) : here
    const parent = this.#syntax.parentOf(node)
    const isLoop = parent?.type === 'ForOfStatement' || parent?.type === 'ForInStatement'
    for (const { id, init } of node.declarations) {
      this.#declarePattern(id, scope, (one) => ({ ...one, kind: isLoop ? 'other' : 'variable', source: init }))
    }
  }

  #declareImports(node: Extract<Node, { type: 'ImportDeclaration' }>): void {
    // Imported types are declared, too: annotations name them.
    for (const specifier of node.specifiers) {
      this.#put(this.#scopeOf(node), { ...blank(specifier.local.name, 'import', specifier.local), source: specifier })
    }
  }

  #declareFunction(node: FunctionNode): void {
    this.#declareNamed(node, 'function')
    const scope = this.#scopes.get(node)!
    node.params.forEach((given, index) => {
      const parameter = given.type === 'TSParameterProperty' ? given.parameter : given
      const rest = parameter.type === 'RestElement'
      const pattern = rest ? parameter.argument : parameter
      this.#declarePattern(pattern, scope, (one) => ({ ...one, kind: 'parameter', source: null, fn: node, index, rest }))
    })
  }

  /** A declaration is known around itself, the name of an expression only within. */
  #declareNamed(node: Extract<Node, { id: unknown }>, kind: 'function' | 'class'): void {
    const id = (node as { id: Node | null }).id
    if (id?.type !== 'Identifier') return
    const scope = node.type.endsWith('Declaration') ? this.#outer(node as Node) : this.#scopes.get(node as Node)!
    this.#put(scope, { ...blank(id.name, kind, id), source: node as Node })
  }

  #outer(node: Node): Scope {
    const parent = this.#syntax.parentOf(node)
    return this.#scopeOf(parent ?? node)
  }

  #declarePattern(pattern: Node, scope: Scope, finish: (binding: Binding) => Binding, path: Step[] = []): void {
    switch (pattern.type) {
      case 'Identifier': {
        const annotation = (pattern as { typeAnnotation?: { typeAnnotation: Node } | null }).typeAnnotation
        this.#put(scope, finish({ ...blank(pattern.name, 'variable', pattern), path, type: annotation?.typeAnnotation }))
        return
      }
      case 'AssignmentPattern':
        this.#declarePattern(pattern.left, scope, finish, [...path, { fallback: pattern.right }])
        return
      case 'ObjectPattern':
        this.#declareObjectPattern(pattern, scope, finish, path)
        return
      case 'ArrayPattern':
        pattern.elements.forEach((element, index) => {
          if (element) this.#declarePattern(element.type === 'RestElement' ? element.argument : element, scope, finish, [...path, { element: index }])
        })
    }
  }

  #declareObjectPattern(pattern: Extract<Node, { type: 'ObjectPattern' }>, scope: Scope, finish: (binding: Binding) => Binding, path: Step[]): void {
    const taken: string[] = []
    for (const property of pattern.properties) {
      if (property.type === 'RestElement') {
        this.#declarePattern(property.argument, scope, finish, [...path, { rest: taken }])
        continue
      }
      const key = property.key
      if (!property.computed && key.type === 'Identifier') taken.push(key.name)
      this.#declarePattern(property.value, scope, finish, [...path, { property: key, computed: property.computed }])
    }
  }

  #put(scope: Scope, binding: Binding): void {
    // A name declared twice (an overload, a `var` again) keeps what its first declaration says.
    const before = scope.names.get(binding.name)
    if (!before) scope.names.set(binding.name, binding)
    else if (binding.source) before.assigned.push(binding.source)
  }

  #change(node: Node): void {
    if (node.type === 'AssignmentExpression') this.#assign(node)
    else if (node.type === 'CallExpression') this.#call(node)
    else if (node.type === 'UnaryExpression' && node.operator === 'delete') this.#changed(rootOf(node.argument), node)
    else if (node.type === 'UpdateExpression' && node.argument.type === 'Identifier') this.#bindingOf(node.argument)?.assigned.push(node)
  }

  #assign(node: Extract<Node, { type: 'AssignmentExpression' }>): void {
    const { left } = node
    if (left.type === 'Identifier') this.#bindingOf(left)?.assigned.push(node.operator === '=' || node.operator.length === 3 ? node.right : node)
    else if (left.type === 'MemberExpression') this.#changed(rootOf(left), node)
  }

  #call(node: Extract<Node, { type: 'CallExpression' }>): void {
    const { callee } = node
    if (callee.type !== 'MemberExpression') return
    const first = node.arguments[0]
    const isAssign = callee.object.type === 'Identifier' && callee.object.name === 'Object' && callee.property.type === 'Identifier' && callee.property.name === 'assign'
    if (isAssign && first) this.#changed(rootOf(first), node)
    else this.#changed(rootOf(callee.object), node)
  }

  #changed(root: Node | null, change: Node): void {
    if (root?.type === 'Identifier') this.#bindingOf(root)?.changes.push(change)
  }

  #bindingOf(identifier: Node & { name: string }): Binding | null {
    return this.resolve(identifier.name, identifier)
  }
}

/** `a` of `a.b.c`, whatever TypeScript says in between; null where it begins with something else. */
export function rootOf(node: Node): Node | null {
  switch (node.type) {
    case 'Identifier':
      return node
    case 'MemberExpression':
      return rootOf(node.object)
    case 'ChainExpression':
    case 'TSNonNullExpression':
    case 'TSAsExpression':
    case 'ParenthesizedExpression':
      return rootOf(node.expression)
    default:
      return null
  }
}

function blank(name: string, kind: Binding['kind'], node: Node): Binding {
  return { name, kind, node, source: null, path: [], assigned: [], changes: [] }
}

function functionScope(scope: Scope): Scope {
  let at = scope
  while (!at.isFunction && at.above) at = at.above
  return at
}
