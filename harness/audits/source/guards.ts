/** Code that production never comes to: behind `NODE_ENV !== 'production'` and its like. Pure. */
import { truthOf, type Evaluator } from './evaluate.ts'
import type { SourceFile } from './project.ts'
import { isFunction, type Node } from './syntax.ts'

/** Whether the source itself keeps production away from `node`. */
export function neverInProduction(node: Node, at: SourceFile, evaluator: Evaluator): boolean {
  let inner = node
  for (const above of at.syntax.ancestorsOf(node)) {
    if (isRuledOut(inner, above, at, evaluator)) return true
    if (above.type === 'BlockStatement' && leavesBefore(inner, above, at, evaluator)) return true
    inner = above
  }
  return false
}

function isRuledOut(inner: Node, above: Node, at: SourceFile, evaluator: Evaluator): boolean {
  const truth = (test: Node) => truthOf(evaluator.evaluate(test, at))
  if (above.type === 'IfStatement' || above.type === 'ConditionalExpression') {
    if (inner === above.consequent) return truth(above.test) === false
    return inner === above.alternate && truth(above.test) === true
  }
  if (above.type !== 'LogicalExpression' || inner !== above.right) return false
  return truth(above.left) === (above.operator === '&&' ? false : above.operator === '||' ? true : null)
}

/** `if (production) return` further up in the same function. */
function leavesBefore(inner: Node, block: Extract<Node, { type: 'BlockStatement' }>, at: SourceFile, evaluator: Evaluator): boolean {
  const isBody = [...at.syntax.ancestorsOf(inner)].slice(1).some(isFunction)
  return isBody && block.body.some((one) => one.end <= inner.start && one.type === 'IfStatement' && leaves(one.consequent) && truthOf(evaluator.evaluate(one.test, at)) === true)
}

function leaves(node: Node): boolean {
  const last = node.type === 'BlockStatement' ? node.body.at(-1) : node
  return last?.type === 'ReturnStatement' || last?.type === 'ThrowStatement'
}
