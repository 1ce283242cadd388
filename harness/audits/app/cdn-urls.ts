/** Reads ask for addresses that a cache can share: the same for all readers at one offset. Pure. */
import type { RuleOutcome } from '../finding.ts'
import { judgeUses, right, skip, type Opinion } from '../judging.ts'
import { isStreamRequest, queryOf } from '../stream-addresses.ts'
import type { AppRule } from '../rule.ts'
import { isChanging } from '../source/changing.ts'
import type { Facts, Use, UseWay } from '../source/client-uses.ts'
import type { Evaluator } from '../source/evaluate.ts'
import { headerValue, optionPresence } from '../source/headers.ts'
import { childrenOf, type Node } from '../source/syntax.ts'
import { alternatives, markedText, unknown, wholeText, type TextPart, type Value } from '../source/values.ts'

const noStore = new Set(['no-store', 'no-cache', 'reload'])
const busterFix = 'Leave it out: each reader asks for an address of his own, and no cache can answer for the server.'
const liveFix = 'Catch up with ?offset= alone until Stream-Up-To-Date, then add live=; the client library does so by itself.'

export default { row: 'cdn-urls', things: ['read', 'reads'], judge: cdnUrls } satisfies AppRule

function cdnUrls(facts: Facts): RuleOutcome {
  const uses = facts.uses.filter((use) => use.api === 'read' || use.api === 'handle' || use.api === 'request')
  const orders = new Map<string, string>()
  return judgeUses('cdn-urls', uses, (options, way, use) => {
    if (use.api !== 'request') return ofClient(options, use, facts)
    return isRead(way, facts.evaluator) ? ofRequest(options, way, use, facts, orders) : skip
  })
}

function isRead(way: UseWay, evaluator: Evaluator): boolean {
  const method = wholeText(evaluator.member(way.options, 'method'))?.toUpperCase() ?? 'GET'
  return method === 'GET' && isStreamRequest(way, evaluator)
}

/** The client makes good addresses, unless it is given parameters that spoil them. */
function ofClient(options: Value, use: Use, facts: Facts): Opinion {
  const { evaluator } = facts
  if (options.kind !== 'object') return use.api === 'read' && optionPresence(options, 'params') === 'maybe' ? right : skip
  const params = evaluator.member(options, 'params')
  for (const one of alternatives(params)) {
    if (one.kind !== 'object') continue
    const buster = [...one.props].find(([, value]) => isChanging(value, evaluator))
    if (buster) return { kind: 'wrong', message: `The parameter ${buster[0]} differs with every request: a cache cannot share the answers.`, fix: busterFix }
    if (one.props.has('live')) return { kind: 'wrong', message: 'params sets live= on the first read, too, so that catching up cannot be cached.', fix: 'Use the option live instead: the client adds the parameter once it has caught up.' }
  }
  return ofAddress(evaluator.member(options, 'url'), evaluator) ?? ofFetch(options, evaluator) ?? ofHeaders(options, evaluator) ?? right
}

function ofRequest(options: Value, way: UseWay, use: Use, facts: Facts, orders: Map<string, string>): Opinion {
  const { evaluator } = facts
  const address = way.args[0] ?? unknown
  const wrong = ofAddress(address, evaluator)
  if (wrong) return wrong
  const mode = wholeText(evaluator.member(options, 'cache'))
  if (mode !== null && noStore.has(mode)) return { kind: 'wrong', message: `cache: '${mode}' asks past every cache for what could be shared.`, fix: 'Leave cache out: the server says in Cache-Control what may be stored.' }
  return ofHeaders(options, evaluator) ?? ofOrder(address, use, orders) ?? right
}

/** What is wrong with the query of an address; null for nothing. */
function ofAddress(address: Value, evaluator: Evaluator): Opinion | null {
  for (const one of alternatives(address)) {
    if (one.kind !== 'text') continue
    const hole = changingInQuery(one.parts, evaluator)
    if (hole !== null) return { kind: 'wrong', message: `${hole === '' ? 'A part' : `The parameter ${hole}`} of the address differs with every request: a cache cannot share the answers.`, fix: busterFix }
    const pairs = new Map(queryOf(markedText(one)!))
    const offset = pairs.get('offset')
    if (!pairs.has('live')) continue
    if (offset === undefined || offset === '-1') return { kind: 'wrong', message: `The first read carries live=${knownOr(pairs.get('live')!)}, so that catching up is held open instead of cached.`, fix: liveFix }
  }
  return null
}

function knownOr(text: string): string {
  return text.includes('\u{FFFC}') ? '…' : text
}

/** The name of the parameter that holds the time or something random; null for none. */
function changingInQuery(parts: readonly TextPart[], evaluator: Evaluator): string | null {
  let before = ''
  for (const part of parts) {
    if (typeof part === 'string') before += part
    else if (before.includes('?') && isChanging(part.hole, evaluator)) return /([^?&=]*)=[^&=]*$/.exec(before)?.[1] ?? ''
    else before += '\u{FFFC}'
  }
  return null
}

/** A fetch of the user's own through which all requests go. */
function ofFetch(options: Value, evaluator: Evaluator): Opinion | null {
  const own = evaluator.member(options, 'fetch')
  const at = own.kind === 'function' ? evaluator.project.file(own.file) : null
  if (own.kind !== 'function' || !at) return null
  const found = findCacheMode(own.fn)
  if (!found) return null
  const message = `The fetch given to the client asks past every cache (cache: '${found.mode}').`
  return { kind: 'wrong', message, fix: 'Leave cache out: the server says in Cache-Control what may be stored.', at: at.syntax.placeOf(found.node) }
}

function findCacheMode(root: Node): { mode: string; node: Node } | null {
  const isKey = root.type === 'Property' && root.key.type === 'Identifier' && root.key.name === 'cache'
  if (isKey && root.value.type === 'Literal' && typeof root.value.value === 'string' && noStore.has(root.value.value)) return { mode: root.value.value, node: root }
  for (const child of childrenOf(root)) {
    const found = findCacheMode(child)
    if (found) return found
  }
  return null
}

function ofHeaders(options: Value, evaluator: Evaluator): Opinion | null {
  const asked = headerValue(evaluator.member(options, 'headers'), 'cache-control')
  const text = asked && markedText(asked)
  if (!text || !/no-cache|no-store|max-age=0/i.test(text)) return null
  return { kind: 'wrong', severity: 'warning', message: `The request header Cache-Control: ${text} makes many caches ask the server each time.`, fix: 'Leave the header out.' }
}

/** PROTOCOL.md, section 10: parameters in alphabetical order, so that one thing has one address. */
function ofOrder(address: Value, use: Use, orders: Map<string, string>): Opinion | null {
  const text = markedText(address)
  const keys = text === null ? [] : queryOf(text).map(([key]) => key)
  const same = keys.toSorted().join(' ')
  if (keys.length < 2) return null
  const before = orders.get(same)
  const order = keys.join(', ')
  orders.set(same, before ?? order)
  if (before === undefined || before === order) return null
  return { kind: 'wrong', severity: 'warning', message: `Here the parameters are ${order}, elsewhere ${before}: two addresses for one thing, which a cache keeps twice.`, fix: 'Make the addresses in one place, with the parameters in alphabetical order.', at: use.place }
}
