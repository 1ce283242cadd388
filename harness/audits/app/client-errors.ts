/** Each live read has an onError that lets a 401 and a 403 end it. Pure. */
import type { Place, RuleOutcome } from '../finding.ts'
import { judgeUses, right, skip, type Opinion } from '../judging.ts'
import type { AppRule } from '../rule.ts'
import type { Facts, Use, UseWay } from '../source/client-uses.ts'
import { consumptionOf } from '../source/consumption.ts'
import { classesOf } from '../source/evaluate.ts'
import { optionPresence } from '../source/headers.ts'
import { clientPackage } from '../source/known-packages.ts'
import { isFunction, type Node } from '../source/syntax.ts'
import { outcomesOf, type Outcome } from '../source/outcomes.ts'
import { alternatives, isUndefined, nothing, text, type FunctionValue, type Value } from '../source/values.ts'

const fix = 'Give it onError: return nothing for 401 and 403, so that the read ends; return {} only for what may pass.'

export default { row: 'client-errors', things: ['live read', 'live reads'], judge: clientErrors } satisfies AppRule

function clientErrors(facts: Facts): RuleOutcome {
  return judgeUses('client-errors', facts.uses.filter((use) => use.api === 'read'), (options, way, use) => judge(options, way, use, facts))
}

function judge(options: Value, way: UseWay, use: Use, facts: Facts): Opinion {
  const lives = livesOn(options, use, facts)
  if (lives === 'no') return skip
  const given = optionPresence(options, 'onError')
  const onHandle = way.handle ? optionPresence(way.handle, 'onError') : 'no'
  if (given === 'no' && onHandle === 'no') {
    if (lives === 'maybe') return { kind: 'open', message: `${use.name} has no onError, and reads live unless its answer is only gathered; the source here does not tell.`, fix }
    if (isCaught(use)) return { kind: 'wrong', severity: 'warning', message: `${use.name} reads live without an onError; its errors are caught around it instead, where a 401 and a 403 must end the reading, too.`, fix }
    return { kind: 'wrong', message: `${use.name} reads live without an onError: nothing decides which errors end it, a lost permission among them.`, fix }
  }
  if (given !== 'yes' && onHandle !== 'yes') return { kind: 'open', message: `${use.name} gets its options from elsewhere; the source does not tell whether they have an onError.`, fix }
  const handler = facts.evaluator.member(given === 'yes' ? options : way.handle!, 'onError')
  return alternatives(handler).map((one) => ofHandler(one, use, facts)).find((one) => one.kind !== 'right') ?? right
}

/** Errors of a read without onError are thrown to its caller (client 0.2.7). */
function isCaught({ node, at }: Use): boolean {
  let inner: Node = node
  for (const above of at.syntax.ancestorsOf(node)) {
    if (above.type === 'TryStatement' && above.block === inner && (above.handler?.body.body.length ?? 0) > 0) return true
    if (above.type === 'MemberExpression' && above.object === inner && above.property.type === 'Identifier' && above.property.name === 'catch') return true
    if (isFunction(above)) return false
    inner = above
  }
  return false
}

function livesOn(options: Value, use: Use, { evaluator }: Facts): 'yes' | 'no' | 'maybe' {
  const live = evaluator.member(options, 'live')
  if (live.kind === 'literal' && live.value === false) return 'no'
  const isHelper = use.name === 'createStreamDB()'
  const consumption = isHelper ? 'live' : consumptionOf(use.node, use.at)
  if (consumption === 'caught-up') return 'no'
  if (isUndefined(live)) return consumption === 'live' ? 'yes' : 'maybe'
  return live.kind === 'text' || live.kind === 'literal' ? 'yes' : 'maybe'
}

function ofHandler(handler: Value, use: Use, facts: Facts): Opinion {
  if (isUndefined(handler)) return { kind: 'open', message: `${use.name} has an onError on some of the ways through this code only.`, fix }
  if (handler.kind !== 'function') return { kind: 'open', message: `The onError of ${use.name} comes from elsewhere; the source does not tell what it does with a 401 or 403.`, fix }
  const at = placeOf(handler, facts)
  const outcomes = [401, 403].map((status) => ({ status, outcomes: outcomesOf(handler, errorWith(status), facts.evaluator) }))
  const always = outcomes.filter((one) => is(one.outcomes, 'retry')).map((one) => one.status)
  if (always.length > 0) return { kind: 'wrong', message: `onError tries again after a ${always.join(' and a ')}, at once and for ever: the server refuses each time.`, fix: 'Return nothing for 401 and 403, or new headers for 401 if the token can be renewed.', at }
  if (is(outcomes[1]!.outcomes, 'changed')) return { kind: 'wrong', severity: 'warning', message: 'onError tries again with other headers or parameters after a 403, too: a token that is good and not enough is refused for ever.', fix: 'Return nothing for 403.', at }
  if (outcomes.some((one) => one.outcomes.has('unknown'))) return { kind: 'open', message: 'The source does not tell what onError returns for a 401 or 403.', fix, at }
  return right
}

function is(outcomes: ReadonlySet<Outcome>, only: Outcome): boolean {
  return outcomes.size === 1 && outcomes.has(only)
}

function placeOf({ file, fn }: FunctionValue, { project }: Facts): Place | undefined {
  return project.file(file)?.syntax.placeOf(fn)
}

/** What the client hands to onError: a FetchError with the status of the answer. */
function errorWith(status: number): Value {
  const classes: Value = { kind: 'array', open: false, items: [{ kind: 'external', package: clientPackage, path: ['FetchError'] }, { kind: 'external', package: '', path: ['Error'] }] }
  return {
    kind: 'object',
    open: true,
    props: new Map<string, Value>([
      ['status', { kind: 'literal', value: status }],
      ['code', text(status === 401 ? 'UNAUTHORIZED' : 'FORBIDDEN')],
      ['name', text('FetchError')],
      ['cause', nothing],
      [classesOf, classes],
    ]),
  }
}
