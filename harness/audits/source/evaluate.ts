/**
 * Evaluates expressions of the user's source as far as is certain: across files, through aliases,
 * wrappers, constants, templates and spreads. It runs nothing. Pure.
 */
import { changedBy } from './changes.ts'
import { exportOf, importedBy } from './exports.ts'
import type { Evaluation } from './evaluation.ts'
import type { Project, SourceFile } from './project.ts'
import { constantOf } from './known-packages.ts'
import { childrenOf, isClass, isFunction, type CallNode, type ClassNode, type FunctionNode, type Node } from './syntax.ts'
import type { Binding, Step } from './scopes.ts'
import { builtInCall, builtInNew, builtInMember } from './built-ins.ts'
import { alternatives, concat, either, isUndefined, merge, noFrame, nothing, text, unknown, wholeText, type ClassValue, type Frame, type FunctionValue, type MadeValue, type Value } from './values.ts'

const depthMax = 150
/** Of one question; a file that asks for more is generated, and answered by `unknown`. */
const stepsMax = 40_000

export class Evaluator implements Evaluation {
  readonly project: Project
  /** What was found out, for each frame; a frame that nobody holds any more takes its part with it. */
  readonly #known = new WeakMap<Frame, Map<Node, Value>>()
  #depth = 0
  #steps = 0
  /** A limit was met: what depends on it is not kept. */
  #cut = false

  constructor(project: Project) {
    this.project = project
  }

  evaluate(node: Node, at: SourceFile, frame: Frame = noFrame): Value {
    if (this.#depth === 0) [this.#steps, this.#cut] = [0, false]
    const known = this.#knownIn(frame)
    const before = known.get(node)
    if (before) return before
    this.#steps += 1
    if (this.#depth >= depthMax || this.#steps > stepsMax) this.#cut = true
    if (this.#cut) return unknown
    // A value that is made of itself ends here.
    known.set(node, unknown)
    this.#depth += 1
    try {
      const value = this.#expression(node, at, frame)
      if (this.#cut) known.delete(node)
      else known.set(node, value)
      return value
    } finally {
      this.#depth -= 1
    }
  }

  #knownIn(frame: Frame): Map<Node, Value> {
    const known = this.#known.get(frame) ?? new Map<Node, Value>()
    this.#known.set(frame, known)
    return known
  }

  #expression(node: Node, at: SourceFile, frame: Frame): Value {
    switch (node.type) {
      case 'Literal':
        return literal(node, at)
      case 'TemplateLiteral':
        return this.#template(node, at, frame)
      case 'Identifier':
      case 'JSXIdentifier':
        return this.#name(node.name, node, at, frame)
      case 'MemberExpression':
        return this.member(this.evaluate(node.object, at, frame), this.#keyOf(node.property, node.computed, at, frame))
      case 'ObjectExpression':
        return this.#object(node, at, frame)
      case 'ArrayExpression':
        return this.#array(node, at, frame)
      case 'CallExpression':
        return this.#call(node, at, frame)
      case 'NewExpression':
        return this.#construct(node, at, frame)
      case 'ImportExpression':
        return this.#module(this.evaluate(node.source, at, frame), at)
      case 'MetaProperty':
        return { kind: 'external', package: '', path: ['import.meta'] }
      case 'ThisExpression':
        return this.#self(node, at, frame)
      case 'ArrowFunctionExpression':
      case 'FunctionExpression':
      case 'FunctionDeclaration':
        return { kind: 'function', file: at.file, fn: node, frame }
      case 'ClassDeclaration':
      case 'ClassExpression':
        return { kind: 'class', file: at.file, node, frame }
      default:
        return this.#operator(node, at, frame)
    }
  }

  #template(node: Extract<Node, { type: 'TemplateLiteral' }>, at: SourceFile, frame: Frame): Value {
    const parts = node.quasis.flatMap((quasi, index): Value[] => {
      const known = quasi.value.cooked ?? quasi.value.raw
      const next = node.expressions[index]
      return [...(known === '' ? [] : [text(known, { file: at.file, node })]), ...(next ? [this.evaluate(next, at, frame)] : [])]
    })
    return parts.length === 0 ? text('', { file: at.file, node }) : concat(parts)
  }

  #operator(node: Node, at: SourceFile, frame: Frame): Value {
    const valueOf = (inner: Node) => this.evaluate(inner, at, frame)
    switch (node.type) {
      case 'AwaitExpression':
        return valueOf(node.argument)
      case 'ChainExpression':
      case 'ParenthesizedExpression':
      case 'TSAsExpression':
      case 'TSSatisfiesExpression':
      case 'TSNonNullExpression':
      case 'TSTypeAssertion':
      case 'TSInstantiationExpression':
        return valueOf(node.expression)
      case 'SequenceExpression':
        return valueOf(node.expressions.at(-1)!)
      case 'AssignmentExpression':
        return node.operator === '=' ? valueOf(node.right) : either([unknown, valueOf(node.right)])
      case 'ConditionalExpression':
        return choose(truthOf(valueOf(node.test)), () => valueOf(node.consequent), () => valueOf(node.alternate))
      case 'LogicalExpression':
        return logical(node.operator, valueOf(node.left), () => valueOf(node.right))
      case 'BinaryExpression':
        return binary(node.operator, valueOf(node.left), valueOf(node.right))
      case 'UnaryExpression':
        return unary(node.operator, valueOf(node.argument))
      case 'TSEnumDeclaration':
        return this.#enum(node, at, frame)
      default:
        return unknown
    }
  }

  /** What a name stands for, wherever it was declared; a global is something external. */
  #name(name: string, node: Node, at: SourceFile, frame: Frame): Value {
    if (name === 'undefined') return nothing
    const binding = at.scopes.resolve(name, node)
    return binding ? this.bound(binding, at, frame) : { kind: 'external', package: '', path: [name] }
  }

  bound(binding: Binding, at: SourceFile, frame: Frame): Value {
    const first = this.#declared(binding, at, frame)
    const assigned = binding.assigned.map((node) => this.evaluate(node, at, frame))
    // `let x` alone holds nothing only until it is assigned.
    const bare = binding.kind === 'variable' && binding.source === null && assigned.length > 0
    const value = either([...(bare ? [] : [first]), ...assigned])
    return binding.changes.reduce((held, change) => changedBy(held, change, binding, at, frame, this), value)
  }

  #declared(binding: Binding, at: SourceFile, frame: Frame): Value {
    const { source } = binding
    if (binding.kind === 'parameter') return this.#parameter(binding, at, frame)
    if (binding.kind === 'import') return importedBy(source!, at, this)
    if (binding.kind === 'other') return { ...unknown, type: this.#typed(binding.type, at) }
    if (!source) return binding.type ? { ...unknown, type: this.#typed(binding.type, at) } : nothing
    return this.#walk(this.evaluate(source, at, frame), binding.path, at, frame)
  }

  #parameter(binding: Binding, at: SourceFile, frame: Frame): Value {
    const fn = binding.fn!
    const type = this.#typed(binding.type, at)
    const uncalled: Value = { kind: 'unknown', from: fn, type }
    for (let one: Frame | null = frame; one; one = one.above) {
      if (one.fn !== fn) continue
      if (binding.rest || one.spread) return unknown
      const given = one.args[binding.index!] ?? nothing
      return this.#walk(given, binding.path, at, frame)
    }
    const inline = this.#inlineCallback(fn, at, frame)
    if (inline && binding.index === 0) return this.#walk(inline, binding.path, at, frame)
    return this.#walk(uncalled, binding.path.filter((step) => !('fallback' in step)), at, frame, type)
  }

  /** What `promise.then(callback)` calls a callback with that stands right there. */
  #inlineCallback(fn: FunctionNode, at: SourceFile, frame: Frame): Value | null {
    const call = at.syntax.parentOf(fn)
    if (call?.type !== 'CallExpression' || call.arguments[0] !== fn || call.callee.type !== 'MemberExpression') return null
    const { property } = call.callee
    return property.type === 'Identifier' && property.name === 'then' ? this.evaluate(call.callee.object, at, frame) : null
  }

  #walk(value: Value, path: readonly Step[], at: SourceFile, frame: Frame, type?: Value): Value {
    let held = value
    for (const step of path) {
      if ('property' in step) held = this.member(held, this.#keyOf(step.property, step.computed, at, frame))
      else if ('element' in step) held = this.member(held, String(step.element))
      else if ('fallback' in step) held = withDefault(held, () => this.evaluate(step.fallback, at, frame))
      else held = without(held, step.rest)
    }
    return held.kind === 'unknown' && type ? { ...held, type } : held
  }

  /** Null for a key that is not certain. */
  #keyOf(key: Node, computed: boolean, at: SourceFile, frame: Frame): string | null {
    if (!computed && key.type === 'Identifier') return key.name
    if (key.type === 'PrivateIdentifier') return `#${key.name}`
    const value = this.evaluate(key, at, frame)
    return value.kind === 'literal' ? String(value.value) : wholeText(value)
  }

  keyOf(key: Node, computed: boolean, at: SourceFile, frame: Frame): string | null {
    return this.#keyOf(key, computed, at, frame)
  }

  /** `value.key`; a null key may be any. */
  member(value: Value, key: string | null): Value {
    if (value.kind === 'either') return either(value.values.map((one) => this.member(one, key)))
    if (key === null) return value.kind === 'unknown' ? { kind: 'unknown', from: value.from } : unknown
    const builtIn = builtInMember(value, key)
    if (builtIn) return builtIn
    switch (value.kind) {
      case 'object':
        return memberOfObject(value, key)
      case 'array':
        return value.items[Number(key)] ?? unknown
      case 'external':
        return constantOf({ ...value, path: [...value.path, key] })
      case 'module':
        return exportOf(value.file, key, this)
      case 'class':
        return this.#classMember(value, key, true, value)
      case 'made':
        return value.of.kind === 'class' ? this.#classMember(value.of, key, false, value) : { kind: 'member', of: value, name: key }
      case 'unknown':
        return value.type ? { kind: 'member', of: value, name: key } : { kind: 'unknown', from: value.from }
      case 'member':
      case 'function':
        return { kind: 'member', of: value, name: key }
      default:
        return value.kind === 'literal' && value.value === undefined ? nothing : unknown
    }
  }

  #object(node: Extract<Node, { type: 'ObjectExpression' }>, at: SourceFile, frame: Frame): Value {
    const parts = node.properties.map((property): Value => {
      if (property.type === 'SpreadElement') return this.evaluate(property.argument, at, frame)
      const key = this.#keyOf(property.key, property.computed, at, frame)
      if (key === null) return unknown
      const value = this.evaluate(property.value, at, frame)
      const held = property.kind === 'get' && value.kind === 'function' ? this.call(value, [], false) : value
      return { kind: 'object', props: new Map([[key, held]]), open: false }
    })
    return merge(parts, { file: at.file, node })
  }

  #array(node: Extract<Node, { type: 'ArrayExpression' }>, at: SourceFile, frame: Frame): Value {
    const items = node.elements.filter((element) => element !== null && element.type !== 'SpreadElement').map((element) => this.evaluate(element!, at, frame))
    return { kind: 'array', items, open: items.length < node.elements.length }
  }

  #call(node: Extract<Node, { type: 'CallExpression' }>, at: SourceFile, frame: Frame): Value {
    const { callee } = node
    const called = this.evaluate(callee, at, frame)
    const args = this.argumentsOf(node, at, frame)
    return either(alternatives(called).map((one) => this.#callOne(one, args, node, at, frame)))
  }

  #callOne(called: Value, args: Value[], node: CallNode, at: SourceFile, frame: Frame): Value {
    if (called.kind === 'function') return this.call(called, args, hasSpread(node))
    if (called.kind === 'external' && called.package === '' && called.path.join() === 'require') return this.#module(args[0] ?? unknown, at)
    const object = node.callee.type === 'MemberExpression' ? this.evaluate(node.callee.object, at, frame) : null
    const name = node.callee.type === 'MemberExpression' ? this.#keyOf(node.callee.property, node.callee.computed, at, frame) : null
    if (object && name === 'then' && args[0]?.kind === 'function') return this.call(args[0], [object], false)
    if (object && (name === 'catch' || name === 'finally')) return object
    const builtIn = builtInCall(called, object, name, args)
    if (builtIn) return builtIn
    if (called.kind === 'external' || called.kind === 'member') return { kind: 'made', by: 'call', of: called, file: at.file, node, frame }
    return called.kind === 'unknown' ? { kind: 'unknown', from: called.from } : unknown
  }

  #construct(node: Extract<Node, { type: 'NewExpression' }>, at: SourceFile, frame: Frame): Value {
    const callee = this.evaluate(node.callee, at, frame)
    return either(
      alternatives(callee).map((one): Value => {
        const builtIn = one.kind === 'external' ? builtInNew(one, this.argumentsOf(node, at, frame)) : null
        if (builtIn) return builtIn
        return one.kind === 'external' || one.kind === 'class' ? { kind: 'made', by: 'new', of: one, file: at.file, node, frame } : unknown
      }),
    )
  }

  /** Positional arguments up to a spread. */
  argumentsOf(node: CallNode, at: SourceFile, frame: Frame): Value[] {
    const spread = node.arguments.findIndex((one) => one.type === 'SpreadElement')
    const given = spread < 0 ? node.arguments : node.arguments.slice(0, spread)
    return given.map((one) => this.evaluate(one, at, frame))
  }

  /** What a function of the user's own gives back. */
  call(value: FunctionValue, args: Value[], spread: boolean): Value {
    const at = this.project.file(value.file)
    const { fn } = value
    if (!at || fn.generator || !fn.body || framesOf(value.frame, fn) >= 2) return unknown
    const frame: Frame = { above: value.frame, fn, args, spread, self: value.self }
    if (fn.body.type !== 'BlockStatement') return this.evaluate(fn.body, at, frame)
    const returned = returnsOf(fn).map((node) => (node.argument ? this.evaluate(node.argument, at, frame) : nothing))
    const last = fn.body.body.at(-1)
    const endsOtherwise = last !== undefined && ['ReturnStatement', 'ThrowStatement', 'IfStatement', 'SwitchStatement', 'TryStatement', 'WhileStatement'].includes(last.type)
    return either(endsOtherwise ? returned : [...returned, nothing])
  }

  #module(request: Value, at: SourceFile): Value {
    const name = wholeText(request)
    return name === null ? unknown : this.moduleOf(name, at)
  }

  moduleOf(request: string, at: SourceFile): Value {
    const file = this.project.resolve(request, at.file)
    if (file) return { kind: 'module', file }
    return request.startsWith('.') ? unknown : { kind: 'external', package: request.replace(/^node:/, ''), path: [] }
  }

  #self(node: Node, at: SourceFile, frame: Frame): Value {
    for (const above of at.syntax.ancestorsOf(node)) {
      if (isFunction(above) && above.type !== 'ArrowFunctionExpression') {
        const framed = selfIn(frame, above)
        if (framed) return framed
      }
      if (isClass(above)) return frame.self ?? { kind: 'made', by: 'new', of: { kind: 'class', file: at.file, node: above, frame: noFrame }, file: at.file, node: null, frame }
    }
    return unknown
  }

  /** A method, property or accessor of a class of the user's own, or of what it extends. */
  #classMember(of: ClassValue, key: string, isStatic: boolean, self: Value): Value {
    const at = this.project.file(of.file)
    if (!at) return unknown
    const found: Value[] = []
    let type: Node | undefined
    for (const element of of.node.body.body) {
      if (element.type !== 'MethodDefinition' && element.type !== 'PropertyDefinition') continue
      if (element.static !== isStatic || this.#keyOf(element.key, element.computed, at, noFrame) !== key) continue
      if (element.type === 'MethodDefinition') found.push(this.#method(element, of, self))
      else if (element.value) found.push(this.evaluate(element.value, at, { ...of.frame, above: of.frame, fn: null, self }))
      if (element.type === 'PropertyDefinition') type = element.typeAnnotation?.typeAnnotation
    }
    if (!isStatic && self.kind === 'made') found.push(...this.#assignedToThis(of, key, self, at))
    const held = found.filter((one) => !(one.kind === 'literal' && (one.value === null || one.value === undefined)) || found.length === 1)
    if (held.length > 0) return either(held)
    if (type) return { ...unknown, type: this.#typed(type, at) }
    if (!of.node.superClass) return unknown
    // What a constructor of its own hands on to its parent is not followed.
    const handedOn = constructorOf(of.node) && self.kind === 'made' ? { ...self, node: null } : self
    return this.#inherited(of.node.superClass, key, isStatic, at, handedOn)
  }

  #method(element: Extract<Node, { type: 'MethodDefinition' | 'TSAbstractMethodDefinition' }>, of: ClassValue, self: Value): Value {
    const method: FunctionValue = { kind: 'function', file: of.file, fn: element.value, frame: of.frame, self }
    return element.kind === 'get' ? this.call(method, [], false) : element.kind === 'method' ? method : unknown
  }

  /** `this.key = …` anywhere in the class, and `constructor(private key)`. */
  #assignedToThis(of: ClassValue, key: string, self: MadeValue, at: SourceFile): Value[] {
    const maker = constructorOf(of.node)
    const frame = maker ? this.#constructorFrame(maker, of, self) : of.frame
    const parameters = (maker?.params ?? []).flatMap((parameter) => {
      if (parameter.type !== 'TSParameterProperty') return []
      const name = parameter.parameter.type === 'AssignmentPattern' ? parameter.parameter.left : parameter.parameter
      return name.type === 'Identifier' && name.name === key ? [this.evaluate(name, at, frame)] : []
    })
    const assigned = assignmentsToThis(of.node).flatMap(({ left, right, within }) =>
      this.#keyOf(left.property, left.computed, at, noFrame) === key ? [this.evaluate(right, at, within === maker ? frame : noFrame)] : [],
    )
    return [...parameters, ...assigned]
  }

  /** Without the call that made it, the constructor's parameters stay open to its callers. */
  #constructorFrame(maker: FunctionNode, of: ClassValue, self: MadeValue): Frame {
    const caller = self.node && this.project.file(self.file)
    if (!self.node || !caller) return { above: self.frame, fn: null, args: [], spread: false, self }
    return { above: of.frame, fn: maker, args: this.argumentsOf(self.node, caller, self.frame), spread: hasSpread(self.node), self }
  }

  #inherited(superClass: Node, key: string, isStatic: boolean, at: SourceFile, self: Value): Value {
    const parent = this.evaluate(superClass, at, noFrame)
    if (parent.kind === 'class') return this.#classMember(parent, key, isStatic, self)
    if (parent.kind !== 'external') return unknown
    return isStatic ? this.member(parent, key) : { kind: 'member', of: { kind: 'made', by: 'new', of: parent, file: at.file, node: null, frame: noFrame }, name: key }
  }

  /** The class that a declared type names, through unions and promises. */
  #typed(type: Node | undefined, at: SourceFile): Value | undefined {
    if (!type) return undefined
    if (type.type === 'TSUnionType') return type.types.map((one) => this.#typed(one, at)).find((one) => one !== undefined)
    if (type.type !== 'TSTypeReference') return undefined
    const { typeName } = type
    if (typeName.type === 'Identifier' && typeName.name === 'Promise') return this.#typed(type.typeArguments?.params[0], at)
    const named = this.#typeName(typeName, at)
    return named.kind === 'external' && named.package !== '' ? named : undefined
  }

  #typeName(name: Node, at: SourceFile): Value {
    if (name.type === 'TSQualifiedName') return this.member(this.#typeName(name.left, at), name.right.name)
    return name.type === 'Identifier' ? this.#name(name.name, name, at, noFrame) : unknown
  }

  #enum(node: Extract<Node, { type: 'TSEnumDeclaration' }>, at: SourceFile, frame: Frame): Value {
    const members = node.body.members.map((member): [string | null, Value] => [
      this.#keyOf(member.id as Node, false, at, frame),
      member.initializer ? this.evaluate(member.initializer, at, frame) : unknown,
    ])
    return { kind: 'object', props: new Map(members.flatMap(([key, value]) => (key === null ? [] : [[key, value] as const]))), open: true }
  }
}

function literal(node: Extract<Node, { type: 'Literal' }>, at: SourceFile): Value {
  const { value } = node
  if (typeof value === 'string') return text(value, { file: at.file, node })
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return { kind: 'literal', value }
  return unknown
}

function memberOfObject(value: Extract<Value, { kind: 'object' }>, key: string): Value {
  const held = value.props.get(key)
  if (held) return held
  if (!value.open) return nothing
  // What was spread over it, and whose callers know.
  return [...value.props].find(([name]) => name.startsWith('...'))?.[1] ?? unknown
}

function withDefault(value: Value, fallback: () => Value): Value {
  return either(alternatives(value).flatMap((one) => (isUndefined(one) ? [fallback()] : one.kind === 'unknown' ? [one, fallback()] : [one])))
}

function without(value: Value, names: readonly string[]): Value {
  return either(
    alternatives(value).map((one): Value => {
      if (one.kind !== 'object') return one.kind === 'unknown' ? { kind: 'unknown', from: one.from } : unknown
      return { ...one, props: new Map([...one.props].filter(([name]) => !names.includes(name))) }
    }),
  )
}

/** Null where it depends. */
export function truthOf(value: Value): boolean | null {
  if (value.kind === 'literal') return Boolean(value.value)
  if (value.kind === 'text') return value.parts.some((part) => typeof part === 'string' && part !== '') ? true : wholeText(value) === '' ? false : null
  if (value.kind === 'either') {
    const truths = new Set(value.values.map(truthOf))
    return truths.size === 1 ? [...truths][0]! : null
  }
  return ['object', 'array', 'function', 'class', 'module', 'made'].includes(value.kind) && !(value.kind === 'made' && value.by === 'call') ? true : null
}

function choose(truth: boolean | null, then: () => Value, otherwise: () => Value): Value {
  return truth === true ? then() : truth === false ? otherwise() : either([then(), otherwise()])
}

function logical(operator: '&&' | '||' | '??', left: Value, right: () => Value): Value {
  return either(
    alternatives(left).flatMap((one) => {
      const truth = truthOf(one)
      if (operator === '&&') return truth === true ? [right()] : truth === false ? [one] : [nothing, right()]
      if (operator === '||') return truth === true ? [one] : truth === false ? [right()] : [one, right()]
      if (one.kind === 'literal') return [one.value === undefined || one.value === null ? right() : one]
      return ['text', 'object', 'array', 'function', 'class'].includes(one.kind) ? [one] : [one, right()]
    }),
  )
}

function binary(operator: string, left: Value, right: Value): Value {
  if (operator === '+') {
    const hasText = [...alternatives(left), ...alternatives(right)].some((one) => one.kind === 'text')
    if (hasText) return concat([left, right])
  }
  if (left.kind === 'literal' && right.kind === 'literal' && operator in arithmetic) {
    return { kind: 'literal', value: arithmetic[operator]!(Number(left.value), Number(right.value)) }
  }
  if (operator === 'instanceof') return instanceOf(left, right)
  if (operator === 'in') return right.kind === 'object' && !right.open ? truth(right.props.has(wholeText(left) ?? '')) : unknown
  const [a, b] = [plain(left), plain(right)]
  if (a === null || b === null) return isDefinite(left, right) ? truth(operator.startsWith('!')) : unknown
  if (operator in comparisons) return truth(comparisons[operator]!(Number(a.value), Number(b.value)))
  // `x == null` is true of undefined, too.
  const equal = operator.length === 2 ? (a.value ?? null) === (b.value ?? null) : a.value === b.value
  return ['===', '==', '!==', '!='].includes(operator) ? truth(equal === operator.startsWith('=')) : unknown
}

const comparisons: Record<string, (a: number, b: number) => boolean> = {
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
}

function truth(value: boolean): Value {
  return { kind: 'literal', value }
}

/** Of an object and nothing: certainly not the same. */
function isDefinite(left: Value, right: Value): boolean {
  const [object, other] = left.kind === 'literal' ? [right, left] : [left, right]
  return ['object', 'array', 'function', 'class'].includes(object.kind) && other.kind === 'literal' && (other.value === undefined || other.value === null)
}

/** Under this name an object says of which classes it is. */
export const classesOf = '[classes]'

function instanceOf(left: Value, right: Value): Value {
  const classes = left.kind === 'object' ? left.props.get(classesOf) : undefined
  if (classes?.kind !== 'array' || right.kind !== 'external') return unknown
  const isOne = (one: Value) => one.kind === 'external' && one.package === right.package && one.path.join() === right.path.join()
  return classes.items.some(isOne) ? truth(true) : unknown
}

const arithmetic: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '**': (a, b) => a ** b,
}

function plain(value: Value): { value: unknown } | null {
  if (value.kind === 'literal') return { value: value.value }
  const whole = wholeText(value)
  return whole === null ? null : { value: whole }
}

function unary(operator: string, value: Value): Value {
  if (operator === 'void') return nothing
  if (operator === 'typeof') return typeOf(value)
  if (operator === '-' && value.kind === 'literal' && typeof value.value === 'number') return { kind: 'literal', value: -value.value }
  const truth = operator === '!' ? truthOf(value) : null
  return truth === null ? unknown : { kind: 'literal', value: !truth }
}

function typeOf(value: Value): Value {
  if (value.kind === 'text') return text('string')
  if (value.kind === 'literal') return text(value.value === null ? 'object' : typeof value.value)
  if (value.kind === 'object' || value.kind === 'array') return text('object')
  return value.kind === 'function' || value.kind === 'class' ? text('function') : unknown
}

function hasSpread(node: CallNode): boolean {
  return node.arguments.some((one) => one.type === 'SpreadElement')
}

function framesOf(frame: Frame, fn: FunctionNode): number {
  let count = 0
  for (let one: Frame | null = frame; one; one = one.above) if (one.fn === fn) count += 1
  return count
}

function selfIn(frame: Frame, fn: FunctionNode): Value | null {
  for (let one: Frame | null = frame; one; one = one.above) if (one.fn === fn && one.self) return one.self
  return null
}

/** Looked up once for each node: classes and functions are asked about again and again. */
function once<K extends Node, V>(find: (node: K) => V): (node: K) => V {
  const found = new WeakMap<K, V>()
  return (node) => {
    const before = found.get(node)
    if (before !== undefined) return before
    const value = find(node)
    found.set(node, value)
    return value
  }
}

const returnsOf = once(findReturns)

function findReturns(fn: FunctionNode): Extract<Node, { type: 'ReturnStatement' }>[] {
  return within(fn.body, (node) => node.type === 'ReturnStatement') as Extract<Node, { type: 'ReturnStatement' }>[]
}

/** All below `root` for which the test holds, but in functions and classes of their own. */
function within(root: Node | null, test: (node: Node) => boolean): Node[] {
  if (!root) return []
  if (test(root)) return [root]
  return childrenOf(root).flatMap((child) => (isFunction(child) || isClass(child) ? [] : within(child, test)))
}

export function constructorOf(node: ClassNode): FunctionNode | null {
  const found = node.body.body.find((element) => element.type === 'MethodDefinition' && element.kind === 'constructor')
  return found?.type === 'MethodDefinition' ? (found.value) : null
}

interface ThisAssignment {
  left: Extract<Node, { type: 'MemberExpression' }>
  right: Node
  within: FunctionNode | null
}

const assignmentsToThis = once(findAssignmentsToThis)

function findAssignmentsToThis(node: ClassNode): ThisAssignment[] {
  const found: ThisAssignment[] = []
  const visit = (at: Node, fn: FunctionNode | null) => {
    if (at.type === 'AssignmentExpression' && at.left.type === 'MemberExpression' && at.left.object.type === 'ThisExpression') {
      found.push({ left: at.left, right: at.right, within: fn })
    }
    for (const child of childrenOf(at)) {
      if (isClass(child)) continue
      visit(child, isFunction(child) && child.type !== 'ArrowFunctionExpression' ? child : fn)
    }
  }
  visit(node.body, null)
  return found
}
