/** What an error handler does with a certain error, on every path that its source leaves open. Pure. */
import { truthOf, type Evaluator } from './evaluate.ts'
import type { SourceFile } from './project.ts'
import { isClass, isFunction, childrenOf, type Node } from './syntax.ts'
import { alternatives, isUndefined, wholeText, type Frame, type FunctionValue, type Value } from './values.ts'

/** `changed`: it tries again with other headers or parameters. */
export type Outcome = 'retry' | 'changed' | 'stop' | 'unknown'

const callsMax = 6

export function outcomesOf(handler: FunctionValue, error: Value, evaluator: Evaluator, calls = 0): Set<Outcome> {
  const at = evaluator.project.file(handler.file)
  const { fn } = handler
  if (!at || !fn.body || calls > callsMax) return new Set(['unknown'])
  const frame: Frame = { above: handler.frame, fn, args: [error], spread: false, self: handler.self }
  const run = new Run(at, frame, evaluator, calls)
  if (fn.body.type !== 'BlockStatement') return new Set(run.ofExpression(fn.body))
  const goesOn = run.statements(fn.body.body)
  if (goesOn) run.outcomes.add('stop')
  return run.outcomes
}

/** Each statement says whether the next one may be reached. */
class Run {
  readonly outcomes = new Set<Outcome>()
  readonly #at: SourceFile
  readonly #frame: Frame
  readonly #evaluator: Evaluator
  readonly #calls: number

  constructor(at: SourceFile, frame: Frame, evaluator: Evaluator, calls: number) {
    this.#at = at
    this.#frame = frame
    this.#evaluator = evaluator
    this.#calls = calls
  }

  statements(nodes: readonly Node[]): boolean {
    return nodes.every((node) => this.#statement(node))
  }

  #statement(node: Node): boolean {
    switch (node.type) {
      case 'ReturnStatement':
        for (const outcome of node.argument ? this.ofExpression(node.argument) : ['stop' as const]) this.outcomes.add(outcome)
        return false
      case 'ThrowStatement':
        this.outcomes.add('stop')
        return false
      case 'BlockStatement':
        return this.statements(node.body)
      case 'IfStatement':
        return this.#branch(truthOf(this.#valueOf(node.test)), node.consequent, node.alternate)
      case 'SwitchStatement':
        return this.#switch(node)
      case 'TryStatement':
        return this.#try(node)
      default:
        return this.#other(node)
    }
  }

  #branch(truth: boolean | null, consequent: Node, alternate: Node | null): boolean {
    const then = truth === false ? false : this.#statement(consequent)
    const otherwise = truth === true ? false : alternate ? this.#statement(alternate) : true
    return then || otherwise
  }

  /** The case that certainly matches and what it falls through to; all of them where that is not certain. */
  #switch(node: Extract<Node, { type: 'SwitchStatement' }>): boolean {
    const sought = plainOf(this.#valueOf(node.discriminant))
    const tests = node.cases.map((one) => (one.test ? plainOf(this.#valueOf(one.test)) : null))
    const certain = sought !== null && tests.every((test, index) => test !== null || node.cases[index]!.test === null)
    const match = certain ? tests.findIndex((test) => test !== null && test.value === sought.value) : -1
    const entry = match >= 0 ? match : node.cases.findIndex((one) => one.test === null)
    const entries = certain ? (entry < 0 ? [] : [entry]) : node.cases.map((_, index) => index)
    const exits = entries.map((from) => this.#fallThrough(node.cases.slice(from).flatMap((one) => one.consequent)))
    return entries.length === 0 || !certain || exits.some(Boolean)
  }

  #fallThrough(nodes: readonly Node[]): boolean {
    for (const node of nodes) {
      if (node.type === 'BreakStatement') return true
      if (node.type === 'BlockStatement' && node.body.some((one) => one.type === 'BreakStatement')) {
        this.#fallThrough(node.body)
        return true
      }
      if (!this.#statement(node)) return false
    }
    return true
  }

  #try(node: Extract<Node, { type: 'TryStatement' }>): boolean {
    const tried = this.statements(node.block.body)
    const caught = node.handler ? this.statements(node.handler.body.body) : false
    const after = node.finalizer ? this.statements(node.finalizer.body) : true
    return (tried || caught) && after
  }

  /** A loop may come to what it returns, or not. */
  #other(node: Node): boolean {
    for (const child of childrenOf(node)) {
      if (isFunction(child) || isClass(child)) continue
      if (child.type.endsWith('Statement')) this.#statement(child)
    }
    return true
  }

  ofExpression(node: Node): Outcome[] {
    const inner = unwrapped(node)
    if (inner.type === 'ConditionalExpression') {
      const truth = truthOf(this.#valueOf(inner.test))
      return [...(truth === false ? [] : this.ofExpression(inner.consequent)), ...(truth === true ? [] : this.ofExpression(inner.alternate))]
    }
    if (inner.type === 'CallExpression') {
      const called = this.#valueOf(inner.callee)
      const [first] = this.#evaluator.argumentsOf(inner, this.#at, this.#frame)
      if (called.kind === 'function' && first) return [...outcomesOf(called, first, this.#evaluator, this.#calls + 1)]
    }
    return alternatives(this.#valueOf(inner)).map(ofValue)
  }

  #valueOf(node: Node): Value {
    return this.#evaluator.evaluate(node, this.#at, this.#frame)
  }
}

function unwrapped(node: Node): Node {
  if (node.type === 'ParenthesizedExpression' || node.type === 'TSAsExpression' || node.type === 'TSSatisfiesExpression') return unwrapped(node.expression)
  return node.type === 'AwaitExpression' ? unwrapped(node.argument) : node
}

function ofValue(value: Value): Outcome {
  if (isUndefined(value)) return 'stop'
  if (value.kind !== 'object') return 'unknown'
  if (value.props.has('headers') || value.props.has('params')) return 'changed'
  return value.open ? 'unknown' : 'retry'
}

function plainOf(value: Value): { value: unknown } | null {
  if (value.kind === 'literal') return { value: value.value }
  const whole = wholeText(value)
  return whole === null ? null : { value: whole }
}
