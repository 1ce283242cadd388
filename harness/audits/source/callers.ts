/**
 * Who calls the user's own functions with what: where options come in as parameters, it is the
 * callers that decide, and each way in is judged for itself. Pure.
 */
import type { Place } from '../finding.ts'
import { constructorOf, type Evaluator } from './evaluate.ts'
import type { SourceFile } from './project.ts'
import type { FunctionNode, Node } from './syntax.ts'
import { alternatives, deciders, noFrame, type Frame, type Value } from './values.ts'

interface Caller {
  at: SourceFile
  /** A call, or a JSX element whose attributes are the properties. */
  node: Node
  frame: Frame
  self: Value | undefined
}

/** One way to come to a place in the source: what the parameters are, and through which calls. */
export interface Way {
  frame: Frame
  /** From the nearest caller outwards; empty where nothing comes in from outside. */
  via: Place[]
}

/** The values that have to be known, as far as a frame tells them. */
type Ask = (frame: Frame) => readonly Value[]

const viaMax = 4
const waysMax = 48
const callersMax = 40

export class Callers {
  readonly #evaluator: Evaluator
  readonly #files: readonly SourceFile[]
  #index: Map<FunctionNode, Caller[]> | undefined

  /** Only calls in `files` count. */
  constructor(evaluator: Evaluator, files: readonly SourceFile[]) {
    this.#evaluator = evaluator
    this.#files = files
  }

  /** Every way on which what `ask` reads gets as certain as the source allows; at least one. */
  waysTo(site: Node, ask: Ask, frame: Frame = noFrame, via: Place[] = [], seen: ReadonlySet<FunctionNode> = new Set()): Way[] {
    const open = new Set<FunctionNode>()
    for (const value of ask(frame)) deciders(value, open)
    const fn = nearestFirst([...open], site).find((one) => !seen.has(one) && this.#of(one).length > 0)
    if (!fn || via.length >= viaMax) return [{ frame, via }]
    const known = new Set([...seen, fn])
    const callers = this.#of(fn)
    const ways = callers.slice(0, callersMax).flatMap((caller) => this.#waysFrom(caller, fn, site, ask, frame, via, known))
    if (callers.length <= callersMax && ways.length <= waysMax) return ways
    // What was left out may be anything.
    return [...ways.slice(0, waysMax), { frame, via }]
  }

  #waysFrom(caller: Caller, fn: FunctionNode, site: Node, ask: Ask, frame: Frame, via: Place[], known: ReadonlySet<FunctionNode>): Way[] {
    return this.#waysThrough(caller, known).flatMap((outer) => {
      const { args, spread } = this.#given(caller, outer.frame)
      const above = caller.frame === noFrame ? frame : stacked(caller.frame, frame)
      const inner: Frame = { above, fn, args, spread, self: caller.self ?? frame.self }
      return this.waysTo(site, ask, inner, [caller.at.syntax.placeOf(caller.node), ...outer.via, ...via], known)
    })
  }

  #waysThrough(caller: Caller, seen: ReadonlySet<FunctionNode>): Way[] {
    return this.waysTo(caller.node, (frame) => this.#given(caller, frame).args, noFrame, [], seen)
  }

  #given({ node, at }: Caller, frame: Frame): { args: Value[]; spread: boolean } {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return { args: [this.#attributes(node, at, frame)], spread: false }
    return { args: this.#evaluator.argumentsOf(node, at, frame), spread: node.arguments.some((one) => one.type === 'SpreadElement') }
  }

  #attributes(node: Node, at: SourceFile, frame: Frame): Value {
    const props = new Map<string, Value>()
    let open = false
    for (const attribute of node.type === 'JSXOpeningElement' ? node.attributes : []) {
      if (attribute.type === 'JSXSpreadAttribute' || attribute.name.type !== 'JSXIdentifier') open = true
      else if (attribute.value?.type === 'JSXExpressionContainer') props.set(attribute.name.name, this.#evaluator.evaluate(attribute.value.expression, at, frame))
      else if (attribute.value?.type === 'Literal') props.set(attribute.name.name, this.#evaluator.evaluate(attribute.value, at, frame))
    }
    return { kind: 'object', props, open }
  }

  #of(fn: FunctionNode): Caller[] {
    this.#index ??= this.#indexed()
    return this.#index.get(fn) ?? []
  }

  #indexed(): Map<FunctionNode, Caller[]> {
    const index = new Map<FunctionNode, Caller[]>()
    const put = (fn: FunctionNode | null, caller: Caller) => {
      if (fn) index.set(fn, [...(index.get(fn) ?? []), caller])
    }
    for (const at of this.#files) {
      for (const node of at.syntax.nodes) {
        const callee = calleeOf(node)
        if (!callee) continue
        for (const called of alternatives(this.#evaluator.evaluate(callee, at))) {
          if (called.kind === 'function') put(called.fn, { at, node, frame: called.frame, self: called.self })
          if (called.kind === 'class' && node.type === 'NewExpression') put(constructorOf(called.node), { at, node, frame: called.frame, self: undefined })
        }
      }
    }
    return index
  }
}

/** What calls the function around the place tells more than what made the object that it is called on. */
function nearestFirst(functions: FunctionNode[], site: Node): FunctionNode[] {
  const around = functions.filter((fn) => fn.start <= site.start && site.end <= fn.end)
  return [...around.toSorted((a, b) => b.start - a.start), ...functions.filter((fn) => !around.includes(fn))]
}

function calleeOf(node: Node): Node | null {
  if (node.type === 'CallExpression' || node.type === 'NewExpression') return node.callee
  return node.type === 'JSXOpeningElement' && node.name.type === 'JSXIdentifier' && /^[A-Z]/.test(node.name.name) ? (node.name as unknown as Node) : null
}

/** All of `upper`, and above it all of `lower`. */
function stacked(upper: Frame, lower: Frame): Frame {
  return upper === noFrame ? lower : { ...upper, above: upper.above ? stacked(upper.above, lower) : lower }
}

