/** Each idempotent producer has an epoch that grows, or an id of its own, by choice. Pure. */
import type { RuleOutcome } from '../finding.ts'
import { judgeUses, right, type Opinion } from '../judging.ts'
import type { AppRule } from '../rule.ts'
import { isChanging } from '../source/changing.ts'
import type { Facts, Use, UseWay } from '../source/client-uses.ts'
import { optionPresence } from '../source/headers.ts'
import { childrenOf, isFunction, type Node } from '../source/syntax.ts'
import { isUndefined, nothing, wholeText, type Value } from '../source/values.ts'

const fix = 'Give a long-running writer an epoch that it keeps and raises at each start, an ephemeral one autoClaim: true and an id of its own (randomUUID).'
const lost = 'after a restart the server takes its writes for repetitions of the earlier ones, answers 204, and drops them'

export default { row: 'producers', things: ['producer', 'producers'], judge: producers } satisfies AppRule

function producers(facts: Facts): RuleOutcome {
  return judgeUses('producers', facts.uses.filter((use) => use.api === 'producer'), (options, way, use) => judge(options, way, use, facts))
}

function judge(options: Value, way: UseWay, use: Use, { evaluator }: Facts): Opinion {
  const isWritable = use.name === 'handle.writable()'
  const id = isWritable ? evaluator.member(options, 'producerId') : (way.args[1] ?? nothing)
  // handle.writable() makes an id of its own where it is given none.
  if (isChanging(id, evaluator) || (isWritable && isUndefined(id))) return right
  const epoch = evaluator.member(options, 'epoch')
  const given = isWritable ? 'no' : optionPresence(options, 'epoch')
  const claims = isWritable || isTrue(evaluator.member(options, 'autoClaim'))
  const isConstant = epoch.kind === 'literal' && typeof epoch.value === 'number'
  if (given === 'yes' && !isConstant) return right
  const word = named(id)
  const isFixedId = wholeText(id) !== null
  if (isConstant && !isFixedId) return { kind: 'remark', message: `The epoch of the producer ${word} is always ${epoch.value}: right for an id that is used once, and for no other.`, fix }
  if (isConstant) return { kind: 'wrong', severity: 'warning', message: `The epoch of the producer ${word} is always ${epoch.value}: ${lost}.`, fix }
  if (claims) return ofClaiming(isFixedId, word, use)
  if (given === 'maybe' || optionPresence(options, 'autoClaim') === 'maybe') return { kind: 'open', message: `The producer ${word} gets its options from elsewhere; the source does not tell whether they choose an epoch or autoClaim.`, fix }
  if (!isFixedId) return { kind: 'open', message: `The producer ${word} has neither an epoch nor autoClaim: if its id is ever used again, ${lost}.`, fix }
  return { kind: 'wrong', message: `The producer ${word} has neither an epoch nor autoClaim, so that its epoch is always 0: ${lost}.`, fix }
}

/**
 * Measured with client 0.2.7 and the production server: autoClaim raises the epoch on a 403 only, and a
 * second process that begins with epoch 0 meets none where the first had epoch 0, too.
 */
function ofClaiming(isFixedId: boolean, word: string, use: Use): Opinion {
  if (isFixedId) return { kind: 'wrong', severity: 'warning', message: `The producer ${word} has autoClaim and an id that every process shares: autoClaim raises the epoch only when the server refuses it, so ${lost}.`, fix }
  if (runsLong(use)) return { kind: 'remark', message: `The producer ${word} has autoClaim and runs for long: whoever starts last takes the stream from the others, without a word.`, fix }
  return right
}

function named(id: Value): string {
  const text = wholeText(id)
  return text === null ? 'made here' : `"${text}"`
}

function isTrue(value: Value): boolean {
  return value.kind === 'literal' && value.value === true
}

/** A loop without end, a timer or a listening server in the same function or module. */
function runsLong({ at, node }: Use): boolean {
  const around = [...at.syntax.ancestorsOf(node)].find((one) => isFunction(one) || one.type === 'Program')
  return around !== undefined && hasEndless(around)
}

function hasEndless(root: Node): boolean {
  if (root.type === 'WhileStatement' && root.test.type === 'Literal' && root.test.value === true) return true
  if (root.type === 'ForStatement' && root.test === null) return true
  if (root.type === 'CallExpression' && ['setInterval', 'listen'].includes(calledName(root.callee))) return true
  return childrenOf(root).some(hasEndless)
}

function calledName(callee: Node): string {
  if (callee.type === 'Identifier') return callee.name
  return callee.type === 'MemberExpression' && callee.property.type === 'Identifier' ? callee.property.name : ''
}
