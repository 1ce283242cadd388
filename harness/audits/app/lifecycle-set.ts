/** Each create sets a lifetime: a stream without one is kept for ever. Pure. */
import type { RuleOutcome } from '../finding.ts'
import { judgeUses, right, type Opinion } from '../judging.ts'
import { creates, lifetimesOf } from '../lifetimes.ts'
import type { AppRule } from '../rule.ts'
import type { Facts, Use, UseWay } from '../source/client-uses.ts'
import { anyOf } from '../source/headers.ts'
import type { Value } from '../source/values.ts'

const fix = 'Give the create ttlSeconds or expiresAt, or the header Stream-TTL or Stream-Expires-At.'

export default { row: 'lifecycle-set', things: ['create', 'creates'], judge: lifecycleSet } satisfies AppRule

function lifecycleSet(facts: Facts): RuleOutcome {
  return judgeUses('lifecycle-set', creates(facts), (options, way, use) => judge(options, way, use, facts))
}

function judge(options: Value, way: UseWay, use: Use, { evaluator }: Facts): Opinion {
  const { ttl, expiresAt, fork, ignored } = lifetimesOf(options, way, use, evaluator)
  const set = anyOf([ttl, expiresAt])
  if (set === 'yes') return right
  if (ignored) return { kind: 'wrong', message: `The stream gets no lifetime: ${ignored}. It is kept for ever.`, fix: ignoredFix }
  if (set === 'no' && fork === 'yes') return { kind: 'open', message: `${use.name} forks a stream without a lifetime: it has that of its source, if that has one.`, fix }
  if (set === 'no') return { kind: 'wrong', message: `${use.name} sets no lifetime: the stream is kept for ever, and storage grows without bound.`, fix }
  return { kind: 'open', message: `${use.name} gets its options from elsewhere; the source does not tell whether they set a lifetime.`, fix }
}

const ignoredFix = 'Give ttlSeconds or expiresAt to the create itself, or put the header among those of the handle.'
