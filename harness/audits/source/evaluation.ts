/** What the parts of the evaluator ask of each other. */
import type { Project, SourceFile } from './project.ts'
import type { Binding } from './scopes.ts'
import type { CallNode, Node } from './syntax.ts'
import type { Frame, FunctionValue, Value } from './values.ts'

export interface Evaluation {
  readonly project: Project
  evaluate(node: Node, at: SourceFile, frame?: Frame): Value
  /** What a declared name holds. */
  bound(binding: Binding, at: SourceFile, frame: Frame): Value
  /** `value.key`; a null key may be any. */
  member(value: Value, key: string | null): Value
  /** A property's name; null where it is not certain. */
  keyOf(key: Node, computed: boolean, at: SourceFile, frame: Frame): string | null
  /** What a function of the user's own gives back. */
  call(value: FunctionValue, args: Value[], spread: boolean): Value
  /** Positional arguments up to a spread. */
  argumentsOf(node: CallNode, at: SourceFile, frame: Frame): Value[]
  /** The module that a request means. */
  moduleOf(request: string, at: SourceFile): Value
}
