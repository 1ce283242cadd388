/** One parsed file of the user's source: its tree, who is whose parent, where a node stands. Pure. */
import { parseSync, visitorKeys, type ArrowFunctionExpression, type Class, type Function as AnyFunction, type Node, type Program } from 'oxc-parser'
import type { Place } from '../finding.ts'

export type { Node } from 'oxc-parser'
export type FunctionNode = ArrowFunctionExpression | AnyFunction
export type ClassNode = Class
export type CallNode = Extract<Node, { type: 'CallExpression' | 'NewExpression' }>

export interface SyntaxProblem extends Place {
  message: string
}

export class Syntax {
  readonly file: string
  readonly text: string
  /** Every module named by a literal, dynamic imports among them; those for types only are left out. */
  readonly requests: string[]
  readonly problem: SyntaxProblem | null
  readonly #result: ReturnType<typeof parseSync>
  #lineStarts: number[] | undefined
  #parents: Map<Node, Node> | undefined
  #nodes: Node[] | undefined

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    this.#result = parseSync(parserName(file), text)
    const error = this.#result.errors.find((one) => one.severity === 'Error')
    this.problem = error ? { ...this.placeAt(error.labels[0]?.start ?? 0), message: error.message } : null
    this.requests = [...new Set([...requestsOf(this.#result.module, text), ...this.#required()])]
  }

  /** `require('…')` stands in no table of the parser's. */
  #required(): string[] {
    if (!this.text.includes('require(')) return []
    return this.nodes.flatMap((node) => {
      if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'require') return []
      const [request] = node.arguments
      return request?.type === 'Literal' && typeof request.value === 'string' ? [request.value] : []
    })
  }

  get program(): Program {
    return this.#result.program
  }

  /** Every node, parents before their children. */
  get nodes(): readonly Node[] {
    this.#index()
    return this.#nodes!
  }

  parentOf(node: Node): Node | undefined {
    this.#index()
    return this.#parents!.get(node)
  }

  /** From the node's parent up to the program. */
  *ancestorsOf(node: Node): Generator<Node> {
    for (let at = this.parentOf(node); at; at = this.parentOf(at)) yield at
  }

  placeOf(node: Node): Place {
    return this.placeAt(node.start)
  }

  placeAt(offset: number): Place {
    const starts = (this.#lineStarts ??= lineStartsOf(this.text))
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { file: this.file, line: low + 1, column: offset - starts[low]! + 1 }
  }

  /** An iterative walk: a generated file may nest deeper than the stack. */
  #index(): void {
    if (this.#nodes) return
    const parents = new Map<Node, Node>()
    const nodes: Node[] = []
    const open: Node[] = [this.program]
    while (open.length > 0) {
      const node = open.pop()!
      nodes.push(node)
      for (const child of childrenOf(node).toReversed()) {
        parents.set(child, node)
        open.push(child)
      }
    }
    this.#parents = parents
    this.#nodes = nodes
  }
}

export function childrenOf(node: Node): Node[] {
  const found: Node[] = []
  for (const key of visitorKeys[node.type] ?? []) {
    const value = (node as unknown as Record<string, unknown>)[key]
    if (Array.isArray(value)) found.push(...value.filter(isNode))
    else if (isNode(value)) found.push(value)
  }
  return found
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

export function isFunction(node: Node): node is FunctionNode {
  return node.type === 'ArrowFunctionExpression' || node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression'
}

export function isClass(node: Node): node is ClassNode {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression'
}

/** JSX is allowed in plain JavaScript, as bundlers allow it. */
function parserName(file: string): string {
  return file.replace(/\.(js|mjs)$/, '.jsx')
}

function requestsOf(module: ReturnType<typeof parseSync>['module'], text: string): string[] {
  const isUsed = (entries: readonly { isType: boolean }[]) => entries.length === 0 || entries.some((entry) => !entry.isType)
  const imports = module.staticImports.filter((one) => isUsed(one.entries)).map((one) => one.moduleRequest.value)
  const exports = module.staticExports.flatMap((one) => one.entries.flatMap((entry) => (entry.isType ? [] : (entry.moduleRequest?.value ?? []))))
  const dynamic = module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => literalOf(text.slice(start, end)))
  return [...imports, ...exports, ...dynamic]
}

function literalOf(expression: string): string[] {
  const quoted = /^(['"`])([^'"`\\$]*)\1$/.exec(expression)
  return quoted ? [quoted[2]!] : []
}

/** CR, LF and CRLF, and the two separators that ECMAScript counts as line ends, end a line. */
function lineStartsOf(text: string): number[] {
  const starts = [0]
  for (const match of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(match.index + match[0].length)
  return starts
}
